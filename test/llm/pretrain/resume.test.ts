/** Two kills of a small run; `npm run test:resume` does twenty of a larger one. */
import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { writeCorpus } from "./child-run.ts";
import { killAndResume, readOutcome, runToEnd } from "./kill-and-resume.ts";

const folder = mkdtempSync(join(tmpdir(), "nutshell-resume-"));
after(() => rmSync(folder, { recursive: true, force: true }));

const steps = 40;
const args = [
  ...["--data", writeCorpus(join(folder, "corpus"), 60), "--vocab-size", "300"],
  ...["--clean", "off"],
  ...["--depth", "1", "--sequence-len", "32", "--batch", "2", "--grad-accum-steps", "2"],
  ...["--steps", String(steps), "--log-every", "1", "--save-every", "4", "--eval-every", "20"],
  ...["--eval-batches", "1", "--sample-every", "1000", "--threads", "1"],
];

test("killed twice, a run ends with the bits of one that was left alone", async () => {
  await runToEnd([...args, "--out", join(folder, "alone")]);
  const numbers = [0.3, 0.9, 0.5, 0.7, 0.2, 0.4];
  const random = (): number => numbers.shift() ?? 0.5;
  const kills = await killAndResume({ folder, args, steps, kills: 2, random });
  assert.ok(
    kills.every(({ step = 0 }) => step > 0 && step < steps),
    JSON.stringify(kills),
  );
  const [alone, killed] = [
    await readOutcome(join(folder, "alone")),
    await readOutcome(join(folder, "killed")),
  ];
  assert.deepEqual(killed, alone);
  assert.equal(alone.steps.filter((row) => "batch" in (row as object)).length, steps);
});

test("another seed is another run", async () => {
  await runToEnd([...args, "--seed", "43", "--out", join(folder, "other")]);
  const [alone, other] = [
    await readOutcome(join(folder, "alone")),
    await readOutcome(join(folder, "other")),
  ];
  assert.notEqual(other.weights, alone.weights);
  assert.notDeepEqual(other.steps, alone.steps);
});
