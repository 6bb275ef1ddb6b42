/**
 * `npm run test:resume`: 20 × `kill -9` at random times of a real run, during saves too, resumed
 * each time. Ends 0 when final weights, optimizer state and data order are those of an
 * uninterrupted run, bit for bit. The last line is one JSON object.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { isDeepStrictEqual } from "node:util";
import { philox, toUnit } from "../src/compute/philox.ts";
import { writeCorpus } from "./llm/pretrain/child-run.ts";
import {
  type Kill,
  killAndResume,
  type Outcome,
  readOutcome,
  runToEnd,
} from "./llm/pretrain/kill-and-resume.ts";

const kills = 20;
const steps = 300;
const seed = Number(process.argv[2] ?? Date.now() % 1_000_000);
const folder = mkdtempSync(join(tmpdir(), "nutshell-resume-"));
const args = [
  ...["--data", writeCorpus(join(folder, "corpus"), 400), "--vocab-size", "512", "--depth", "2"],
  ...["--clean", "off"],
  ...["--sequence-len", "64", "--batch", "4", "--grad-accum-steps", "2", "--optimizer", "muon"],
  ...["--steps", String(steps), "--log-every", "1", "--save-every", "5", "--eval-every", "50"],
  ...["--eval-batches", "2", "--sample-every", "100"],
];

let draws = 0;
const random = (): number => toUnit(philox([draws++, 0, 0, 0], [seed, 0])[0] as number);
const start = performance.now();

console.log(`a run of ${steps} steps, killed ${kills} times; random times of seed ${seed}`);
await runToEnd([...args, "--out", join(folder, "alone")]);
const killed = await killAndResume({ folder, args, steps, kills, random });
const [alone, resumed] = [await outcomeOf("alone"), await outcomeOf("killed")];
rmSync(folder, { recursive: true });
process.stdout.write(renderKills(killed));

const same = (key: keyof Outcome): boolean => isDeepStrictEqual(alone[key], resumed[key]);
const result = {
  kills: killed.length,
  during_saves: killed.filter(({ during }) => during === "saving").length,
  weights_identical: same("weights"),
  optimizer_identical: same("optimizer"),
  data_order_identical: same("steps"),
  state_identical: same("state") && same("tokenizer"),
  seconds: Number(((performance.now() - start) / 1000).toFixed(1)),
};
console.log(JSON.stringify(result));
process.exitCode = Object.values(result).includes(false) ? 1 : 0;

function outcomeOf(name: string): Promise<Outcome> {
  return readOutcome(join(folder, name));
}

function renderKills(rows: readonly Kill[]): string {
  const line = (cells: readonly unknown[]): string =>
    `${cells.map((cell) => String(cell ?? "-").padStart(14)).join("")}\n`;
  const head = line(["kill", "went on from", "killed at", "during"]);
  return head + rows.map(({ from, step, during }, i) => line([i + 1, from, step, during])).join("");
}
