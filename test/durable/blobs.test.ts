/** Files by their content: whole or absent, and never what they are not. */
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { createBlobStore } from "../../src/durable/blobs.ts";

function withFolder(run: (dir: string) => Promise<void>): () => Promise<void> {
  return async () => {
    const dir = mkdtempSync(join(tmpdir(), "nutshell-blobs-"));
    try {
      await run(dir);
    } finally {
      rmSync(dir, { recursive: true });
    }
  };
}

const bytes = new TextEncoder().encode("what is kept");
const hash = createHash("sha256").update(bytes).digest("hex");

function filesIn(dir: string): string[] {
  return readdirSync(dir, { recursive: true, encoding: "utf8" }).filter((name) =>
    name.includes("/"),
  );
}

test(
  "what was put comes back, however many put it at once",
  withFolder(async (dir) => {
    const store = createBlobStore(dir);
    assert.equal(await store.has(hash), false);
    const names = await Promise.all(Array.from({ length: 8 }, () => store.put(bytes)));
    assert.deepEqual(new Set(names), new Set([hash]));
    assert.deepEqual(await store.get(hash), Buffer.from(bytes));
    assert.equal(await store.has(hash), true);
    assert.deepEqual(filesIn(dir), [join(hash.slice(0, 2), hash)]);
    assert.equal((await store.get(await store.put(new Uint8Array()))).length, 0);
  }),
);

test(
  "nobody else may look into the folder, also where others pass through the one above",
  withFolder(async (dir) => {
    chmodSync(dir, 0o711);
    const below = join(dir, "blobs");
    await createBlobStore(below).put(bytes);
    for (const folder of [below, join(below, hash.slice(0, 2))])
      assert.equal(statSync(folder).mode & 0o077, 0);
  }),
);

test(
  "a torn file is no blob, and putting it again heals it",
  withFolder(async (dir) => {
    const store = createBlobStore(dir);
    mkdirSync(join(dir, hash.slice(0, 2)));
    const path = join(dir, hash.slice(0, 2), hash);
    writeFileSync(path, bytes.subarray(0, 5));
    await assert.rejects(store.get(hash), {
      code: "DATABASE",
      message: /must be as it was written/,
    });
    await store.put(bytes);
    assert.deepEqual(await store.get(hash), Buffer.from(bytes));
    const swapped = bytes.with(0, 1);
    writeFileSync(path, swapped);
    await assert.rejects(store.get(hash), { code: "DATABASE" });
    await store.put(bytes);
    assert.deepEqual(await store.get(hash), Buffer.from(bytes));
  }),
);

test(
  "absent, and names that lead elsewhere, are errors; a full disk is one too",
  withFolder(async (dir) => {
    const store = createBlobStore(dir);
    await assert.rejects(store.get(hash), { code: "DATABASE", message: /got nothing/ });
    for (const name of ["../../etc/passwd", hash.toUpperCase(), ""]) {
      await assert.rejects(store.get(name), { code: "DATABASE", message: /must be a SHA-256/ });
    }
    writeFileSync(join(dir, "file"), "");
    const blocked = createBlobStore(join(dir, "file"));
    await assert.rejects(blocked.put(bytes), { code: "DISK" });
  }),
);
