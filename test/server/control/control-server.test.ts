/** A daemon's door: what cannot be answered ends one request, and whose folder it stands in. */
import assert from "node:assert/strict";
import { chmodSync, mkdirSync, mkdtempSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import type { System } from "../../../src/os/system.ts";
import { connectControl } from "../../../src/server/control/control-client.ts";
import { startControl } from "../../../src/server/control/control-server.ts";

const folder = mkdtempSync(join(tmpdir(), "nutshell-control-"));
after(() => rmSync(folder, { recursive: true }));

/** Says what no JSON can say, as an answer beyond the longest text would be. */
const system = {
  health: async () => [{ name: "postgres", ok: true, text: 1n }],
  memoryMap: async () => ({}),
} as unknown as System;

test("an answer that cannot be written is an error, and the daemon lives", async () => {
  const path = join(folder, "one", "control.sock");
  const server = await startControl(system, path, () => {});
  try {
    const control = connectControl(path);
    await assert.rejects(control.call("health", {}), { code: "INTERNAL", message: /BigInt/ });
    assert.deepEqual(await control.call("memory", { pid: 1 }), {});
    assert.equal(statSync(path).mode & 0o777, 0o600);
  } finally {
    await server.close();
  }
});

test("a folder that others may write to is no place for a socket", async () => {
  const shared = join(folder, "two");
  mkdirSync(shared);
  chmodSync(shared, 0o777);
  const path = join(shared, "control.sock");
  await assert.rejects(
    startControl(system, path, () => {}),
    /USAGE|only its owner may write/,
  );
  chmodSync(shared, 0o711);
  await (await startControl(system, path, () => {})).close();
});
