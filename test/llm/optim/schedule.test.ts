/** Learning rate multipliers at the points that define each schedule. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { lrMultiplier, muonMomentum, type Schedule } from "../../../src/llm/optim/schedule.ts";

const run: Schedule = { kind: "cosine", steps: 100, warmup: 10, warmdown: 20, floor: 0.1 };
const near = (actual: number, expected: number): void =>
  assert.ok(Math.abs(actual - expected) < 1e-12, `${actual} ${expected}`);

test("warmup rises by equal steps to one, in every kind", () => {
  for (const kind of ["cosine", "trapezoid", "constant"] as const) {
    near(lrMultiplier({ ...run, kind }, 0), 0.1);
    near(lrMultiplier({ ...run, kind }, 9), 1);
    near(lrMultiplier({ ...run, kind }, 10), 1);
  }
});

test("cosine: half way between one and the floor in the middle, the floor at the end", () => {
  near(lrMultiplier(run, 55), 0.55);
  near(lrMultiplier(run, 100), 0.1);
  near(lrMultiplier(run, 1000), 0.1);
});

test("trapezoid: flat, then a line down to the floor", () => {
  const trapezoid = { ...run, kind: "trapezoid" } as const;
  near(lrMultiplier(trapezoid, 80), 1);
  near(lrMultiplier(trapezoid, 90), 0.55);
  near(lrMultiplier(trapezoid, 100), 0.1);
});

test("constant stays; no warmup starts at one; one step is a run", () => {
  near(lrMultiplier({ ...run, kind: "constant" }, 99), 1);
  near(lrMultiplier({ ...run, warmup: 0 }, 0), 1);
  near(lrMultiplier({ kind: "trapezoid", steps: 1, warmup: 0, warmdown: 0, floor: 0 }, 0), 1);
});

test("parts that do not fit into the run are refused", () => {
  const tight = { ...run, kind: "trapezoid", warmup: 90 } as const;
  assert.throws(() => lrMultiplier(tight, 0), { code: "CONFIG", message: /90 \+ 20 of 100 steps/ });
});

test("Muon's momentum rises and stays", () => {
  near(muonMomentum(0), 0.85);
  near(muonMomentum(150), 0.9);
  near(muonMomentum(5000), 0.95);
});
