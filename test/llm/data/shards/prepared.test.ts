import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import {
  appendFileSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import type { ManifestShard } from "../../../../src/llm/data/shards/manifest.ts";
import { mapFile, readWhole } from "../../../../src/llm/data/shards/map-file.node.ts";
import { planShards, prepareShards } from "../../../../src/llm/data/shards/prepare-shards.node.ts";
import {
  dataHash,
  findDamage,
  openPrepared,
  readManifest,
} from "../../../../src/llm/data/shards/prepared-folder.node.ts";
import { openShard } from "../../../../src/llm/data/shards/shard-file.node.ts";
import type { TokenDocuments } from "../../../../src/llm/data/shards/token-documents.ts";
import { bos, documentsOf, prepareTexts, type Texts, textsOf, tokenizer } from "./made-up.ts";

const root = mkdtempSync(join(tmpdir(), "nutshell-shards-"));
after(() => rmSync(root, { recursive: true, force: true }));

const sources: Texts[] = ["a", "b", "über/c"].map((name, i) => ({ name, texts: textsOf(i, 200) }));

function read({ tokens, starts }: TokenDocuments): number[][] {
  return Array.from({ length: starts.length - 1 }, (_, i) => {
    const [start, end] = [starts[i] as number, starts[i + 1] as number];
    const out = new Int32Array(end - start + 1);
    tokens.copyTo(out, 1, start, end - start);
    return [...out.subarray(1)];
  });
}

/** The texts of a source's two sides as they lie in the folder. */
function textsIn(folder: string): Record<string, { train: string[]; validation: string[] }> {
  using prepared = openPrepared(folder);
  const decode = (documents: TokenDocuments): string[] =>
    read(documents).map((tokens) => {
      assert.equal(tokens[0], bos);
      return tokenizer.decode(tokens);
    });
  return Object.fromEntries(
    prepared.sources.map(({ name, train, validation }) => {
      return [name, { train: decode(train), validation: decode(validation) }];
    }),
  );
}

const heldOut = (text: string): boolean =>
  (documentsOf([text])[0] as { contentHash: bigint }).contentHash % 50n === 0n;

function expected(list: readonly Texts[]): ReturnType<typeof textsIn> {
  return Object.fromEntries(
    list.map(({ name, texts }) => {
      const validation = texts.filter(heldOut);
      return [name, { train: texts.filter((text) => !heldOut(text)), validation }];
    }),
  );
}

/** What is on the disk: path → inode, time of change and hash. */
function stateOf(folder: string, shards: readonly ManifestShard[]): string[] {
  return shards.map(({ file }) => {
    const { ino, mtimeNs } = statSync(join(folder, file), { bigint: true });
    const hash = createHash("sha256")
      .update(readFileSync(join(folder, file)))
      .digest("hex");
    return `${file} ${ino} ${mtimeNs} ${hash}`;
  });
}

test("what is prepared is what was there, on the side of its hash, in many shards", async () => {
  const folder = join(root, "plain");
  const { manifest } = await prepareTexts(folder, sources);
  assert.deepEqual(textsIn(folder), expected(sources));
  assert.deepEqual(readManifest(folder), manifest);
  for (const { shards, documents } of manifest.sources) {
    const train = shards.filter(({ side }) => side === "train");
    assert.ok(train.length > 3);
    assert.ok(train.slice(0, -1).every(({ tokens }) => tokens === 500));
    assert.equal(
      shards.reduce((sum, shard) => sum + shard.documents, 0),
      documents,
    );
  }
  const [first] = manifest.sources;
  const bytes = (first?.shards ?? []).reduce((sum, { textBytes }) => sum + textBytes, 0);
  assert.equal(bytes, Buffer.byteLength(textsOf(0, 200).join("")));
  using prepared = openPrepared(folder);
  assert.equal(prepared.access, process.platform === "win32" ? "read" : "mapped");
  assert.deepEqual(await findDamage(folder), []);
});

test("documents longer than a shard come back whole", async () => {
  const folder = join(root, "long");
  const texts = ["short one", "the cat ".repeat(5000), "short two", "sat on the mat ".repeat(3000)];
  const { manifest } = await prepareTexts(folder, [{ name: "a", texts }], { maxShardTokens: 1000 });
  const { train = [], validation = [] } = textsIn(folder).a ?? {};
  assert.deepEqual([...train, ...validation].sort(), [...texts].sort());
  assert.ok((manifest.sources[0]?.shards.length ?? 0) > 4);
});

test("wide ids come back whole, mapped and read alike", async () => {
  const folder = join(root, "wide");
  const lists = Array.from({ length: 5 }, (_, i) => {
    return Array.from({ length: 40_001 + i }, (_, k) => (k * 7919 + i) % 130_000);
  });
  const documents = documentsOf(lists.map((_, i) => `${i}`));
  const hashes = documents.map(({ contentHash }) => contentHash);
  const { shards } = await prepareShards({
    ...{ folder, plan: planShards("wide", "", [], hashes), documents: () => documents },
    tokenizer: { vocabSize: 130_000, bos: undefined },
    encoder: { encodeBatch: async (texts) => texts.map((text) => lists[Number(text)] ?? []) },
  });
  assert.deepEqual(
    shards.map(({ side, tokens }) => [side, tokens]),
    [
      ["train", lists.flat().length - (lists[heldOutOf(hashes)] as number[]).length],
      ["validation", (lists[heldOutOf(hashes)] as number[]).length],
    ],
  );
  const row = shards[0] as ManifestShard;
  const train = lists.filter((_, i) => i !== heldOutOf(hashes)).flat();
  for (const load of [mapFile, readWhole]) {
    using shard = openShard(join(folder, row.file), row, load);
    const out = new Int32Array(train.length);
    shard.copyTo(out, 0, 0, out.length);
    assert.deepEqual([...out], train);
  }
});

/** None of a few falls on the validation side by itself: the smallest hash does. */
function heldOutOf(hashes: readonly bigint[]): number {
  assert.ok(hashes.every((hash) => hash % 50n !== 0n));
  return hashes.indexOf(hashes.reduce((a, b) => (b < a ? b : a)));
}

test("only the source that changed is made again", async () => {
  const folder = join(root, "changed");
  const before = (await prepareTexts(folder, sources)).manifest;
  const states = before.sources.map(({ shards }) => stateOf(folder, shards));
  const changed = sources.map((source, i) =>
    i === 1 ? { ...source, texts: [...source.texts, "one more"] } : source,
  );
  const { manifest, kept } = await prepareTexts(folder, changed);
  assert.deepEqual(kept, ["a", "über/c"]);
  const now = manifest.sources.map(({ shards }) => stateOf(folder, shards));
  assert.deepEqual([now[0], now[2]], [states[0], states[2]]);
  assert.ok(now[1]?.every((row) => !(states[1] as string[]).includes(row)));
  assert.deepEqual(textsIn(folder), expected(changed));
  assert.equal(readdirSync(join(folder, "shards")).length, 3, "the old shards of b are gone");
  assert.notEqual(dataHash(manifest), dataHash(before));
  assert.equal(dataHash((await prepareTexts(folder, sources)).manifest), dataHash(before));
});

const damages: readonly [name: string, says: RegExp, damage: (path: string) => void][] = [
  ["a missing file", /a shard must be there, got no file/, (path) => rmSync(path)],
  [
    "a file cut short",
    /a shard must have \d+ bytes, got 70/,
    (path) => {
      writeFileSync(path, readFileSync(path).subarray(0, 70));
    },
  ],
  ["bytes too many", /a shard must have \d+ bytes, got \d+/, (path) => appendFileSync(path, "x")],
  ["another file", /a shard must start with NUTSHARD, got/, (path) => flip(path, 0)],
  ["another version", /a shard must be of version 1, got 0/, (path) => flip(path, 8)],
  ["a changed header", /a shard must have an undamaged header/, (path) => flip(path, 24)],
  ["a changed index", /a shard must have an undamaged index/, (path) => flip(path, -1)],
  [
    "changed tokens",
    /a shard must have undamaged tokens, got .* at byte 64/,
    (path) => flip(path, 64),
  ],
];

function flip(path: string, at: number): void {
  const bytes = readFileSync(path);
  const index = at < 0 ? bytes.length + at : at;
  bytes[index] = (bytes[index] as number) ^ 1;
  writeFileSync(path, bytes);
}

test("a damaged shard is one line that names it, and preparing again repairs it alone", async () => {
  const folder = join(root, "damaged");
  const { manifest } = await prepareTexts(folder, sources);
  const [a, b] = manifest.sources.map(({ shards }) => shards) as [ManifestShard[], ManifestShard[]];
  const { file } = b[1] as ManifestShard;
  for (const [name, says, damage] of damages) {
    const states = stateOf(folder, a);
    damage(join(folder, file));
    assert.throws(
      () => textsIn(folder),
      (error: Error & { code: string }) => {
        assert.equal(error.code, "DATA");
        assert.ok(error.message.startsWith(join(folder, file)), name);
        assert.match(error.message, says);
        assert.match(
          error.message,
          /Run `nutshell data prepare` again: it rebuilds what is damaged/,
        );
        return !error.message.includes("\n");
      },
    );
    const found = await findDamage(folder);
    assert.deepEqual(
      found.map(({ message }) => message.split(":")[0]),
      [join(folder, file)],
    );
    const again = await prepareTexts(folder, sources);
    assert.deepEqual(again.kept, ["a", "über/c"], name);
    assert.deepEqual(stateOf(folder, a), states);
    assert.deepEqual(textsIn(folder), expected(sources));
  }
});

test("a folder without manifest, with another tokenizer or a foreign manifest says so", async () => {
  const folder = join(root, "foreign");
  assert.throws(
    () => openPrepared(folder),
    /foreign: a prepared folder must hold manifest.json, got none/,
  );
  const { manifest } = await prepareTexts(folder, sources.slice(0, 1));
  const path = join(folder, "manifest.json");
  const write = (value: unknown): void => writeFileSync(path, JSON.stringify(value));
  write({ ...manifest, version: 2 });
  assert.throws(
    () => openPrepared(folder),
    /manifest.json: a manifest must have a valid "version", got 2\./,
  );
  const shard = { ...manifest.sources[0]?.shards[0], file: "../../elsewhere" };
  write({ ...manifest, sources: [{ ...manifest.sources[0], shards: [shard] }] });
  assert.throws(() => openPrepared(folder), /valid "sources"/);
  writeFileSync(path, "{");
  assert.throws(() => openPrepared(folder), {
    code: "DATA",
    message: /a manifest must be JSON, got/,
  });
  write(manifest);
  writeFileSync(join(folder, manifest.tokenizer.file), "{}");
  assert.throws(
    () => openPrepared(folder),
    /must be the tokenizer that the shards were made with, got another one/,
  );
});

test("killed at any point, a folder is in its old state or in its new one", async () => {
  const folder = join(root, "killed");
  await prepareTexts(folder, sources);
  const next = sources.map(({ name }, i) => ({ name, texts: textsOf(i + 10, 200) }));
  const child = join(import.meta.dirname, "killed-prepare.ts");
  for (const when of ["1", "150", "250", "300", "shards"]) {
    const { signal, stderr } = spawnSync(process.execPath, [
      child,
      folder,
      JSON.stringify(next),
      when,
    ]);
    assert.equal(signal, "SIGKILL", stderr.toString());
    assert.deepEqual(textsIn(folder), expected(sources), `killed at ${when}`);
  }
  const finished = await prepareTexts(folder, next);
  assert.deepEqual(finished.kept, ["a", "b", "über/c"], "what was finished stays");
  assert.deepEqual(textsIn(folder), expected(next));
  assert.deepEqual(readdirSync(folder).sort(), [
    ...["manifest.json", "shards", finished.manifest.tokenizer.file],
  ]);
  assert.equal(readdirSync(join(folder, "shards")).length, 3);
});

test("a run goes on reading shards that a new preparation has replaced", async () => {
  const folder = join(root, "replaced");
  await prepareTexts(folder, sources.slice(0, 1));
  using prepared = openPrepared(folder);
  const [source] = prepared.sources;
  await prepareTexts(folder, [{ name: "a", texts: textsOf(99, 50) }]);
  renameSync(folder, `${folder}-moved`);
  const texts = read(source?.train as TokenDocuments).map((tokens) => tokenizer.decode(tokens));
  assert.deepEqual(texts, expected(sources).a?.train);
});
