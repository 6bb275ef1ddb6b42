/** The denominator of MFU, on both real backends. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { chooseBackend } from "../../../src/compute/backends/choose.node.ts";
import { describeMachine } from "../../../src/llm/report/machine.node.ts";
import { measurePeakGflops } from "../../../src/llm/run/peak.ts";

test("what is compiled reaches far more than plain JavaScript, and each within seconds", async () => {
  const peaks: number[] = [];
  for (const name of ["reference", "auto"] as const) {
    const backend = await chooseBackend(name, {}, () => {});
    peaks.push(await measurePeakGflops(backend));
    backend.dispose();
  }
  const [plain = 0, compiled = 0] = peaks;
  assert.ok(plain > 0.001 && plain < 50, `${plain}`);
  assert.ok(compiled >= plain, `${compiled} after ${plain}`);
});

test("a machine is described by what it is", async () => {
  const backend = await chooseBackend("reference", {}, () => {});
  const machine = await describeMachine(backend);
  backend.dispose();
  assert.equal(machine.backend, backend.description);
  assert.equal(machine.node, process.version);
  assert.ok(machine.cores >= 1 && machine.memoryGb > 0.1 && machine.peakGflops > 0);
});
