/**
 * `npm run experiment:rl`: does reinforcement learning by a program's reward raise pass@1? From one
 * and the same chat model GRPO and PPO run once for each seed; held-out problems are asked before
 * and after. The mean rise over seeds has Student's interval of 95 %.
 */
import { join } from "node:path";
import { type Command, defineCommand } from "../src/cli/command.ts";
import { runProgram } from "../src/cli/execute.ts";
import { pretrainOptions } from "../src/llm/pretrain/config.ts";
import { presets as pretrainPresets } from "../src/llm/pretrain/presets.ts";
import { pretrain } from "../src/llm/pretrain/pretrain.node.ts";
import { rlOptions } from "../src/llm/rl/config.ts";
import { presets as rlPresets } from "../src/llm/rl/presets.ts";
import { reinforce } from "../src/llm/rl/rl.node.ts";
import { createTalk, type Talk } from "../src/llm/run/talk.ts";
import { sftOptions } from "../src/llm/sft/config.ts";
import { sftPresets } from "../src/llm/sft/presets.ts";
import { sft } from "../src/llm/sft/sft.node.ts";
import { inRange, type OptionTableFor, resolveOptions } from "../src/options.ts";

interface ExperimentValues {
  model: string | undefined;
  out: string;
  task: string | undefined;
  steps: number;
  seeds: number;
  evalProblems: number;
}

const atLeastOne = inRange(1, Number.POSITIVE_INFINITY);

const options: OptionTableFor<ExperimentValues> = {
  model: {
    type: "string?",
    value: undefined,
    placeholder: "DIR",
    doc: "The chat model to start from; absent: one is made first, in about six minutes.",
  },
  out: {
    type: "string",
    value: "runs/out/experiment-rl",
    placeholder: "DIR",
    doc: "For all runs.",
  },
  task: {
    type: "string?",
    value: undefined,
    placeholder: "NAMES",
    doc: "As in nutshell rl; absent: that of its tiny preset.",
  },
  steps: { type: "integer", value: 40, doc: "Of each run.", check: atLeastOne },
  seeds: { type: "integer", value: 3, doc: "Runs of each algorithm.", check: inRange(2, 31) },
  evalProblems: { type: "integer", value: 400, doc: "Held-out problems.", check: atLeastOne },
};

/** One run. */
interface Measured {
  readonly seed: number;
  readonly before: number;
  readonly after: number;
  readonly rise: number;
  readonly kl: number | undefined;
  readonly seconds: number;
}

interface Summary {
  readonly algorithm: Algorithm;
  /** Mean over seeds, and Student's interval of 95 %. */
  readonly rise: number;
  readonly low: number;
  readonly high: number;
  readonly runs: readonly Measured[];
}

const algorithms = ["grpo", "ppo"] as const;
type Algorithm = (typeof algorithms)[number];

/** What a rise must be to count. */
const LEAST = 0.1;

const command: Command<OptionTableFor<ExperimentValues>> = defineCommand({
  name: "experiment:rl",
  start: "npm run experiment:rl --",
  summary: "GRPO and PPO by a program's reward: pass@1 before and after, over seeds",
  example: "npm run experiment:rl -- --seeds 3 --json",
  options,
  async run(values, io) {
    const talk = createTalk(io);
    const model = values.model ?? (await makeModel(values.out, talk, io.signal));
    const summaries: Summary[] = [];
    for (const algorithm of algorithms) {
      const runs: Measured[] = [];
      for (let seed = 1; seed <= values.seeds && !io.signal.aborted; seed++)
        runs.push(await measure(values, model, algorithm, seed, talk, io.signal));
      if (!io.signal.aborted) summaries.push(summarise(algorithm, runs));
    }
    const holds = summaries.length === algorithms.length && summaries.every((s) => s.rise >= LEAST);
    const result = { model, holds, least: LEAST, algorithms: summaries };
    io.stdout(io.json ? `${JSON.stringify(result)}\n` : render(summaries, holds));
  },
});

/** Stages 1 and 2 as `npm start` runs them. @returns the chat model's folder */
async function makeModel(out: string, talk: Talk, signal: AbortSignal): Promise<string> {
  const [base, chat] = [join(out, "pretrain"), join(out, "sft")];
  const preset = { from: "preset tiny", values: pretrainPresets.tiny.values };
  const own = (values: Readonly<Record<string, unknown>>) => ({ from: "experiment", values });
  await pretrain(resolveOptions(pretrainOptions, preset, own({ out: base })), talk, signal);
  signal.throwIfAborted();
  const sftPreset = { from: "preset tiny", values: sftPresets.tiny.values };
  await sft(resolveOptions(sftOptions, sftPreset, own({ model: base, out: chat })), talk, signal);
  signal.throwIfAborted();
  return chat;
}

async function measure(
  { out, task, steps, evalProblems }: ExperimentValues,
  model: string,
  algorithm: Algorithm,
  seed: number,
  talk: Talk,
  signal: AbortSignal,
): Promise<Measured> {
  const own = {
    ...{ model, algorithm, seed, evalProblems, evalEvery: 1_000_000, logEvery: 10 },
    ...{ out: join(out, `${algorithm}-${seed}`), steps, ...(task && { task }) },
  };
  const preset = { from: "preset tiny", values: rlPresets.tiny.values };
  const config = resolveOptions(rlOptions, preset, { from: "experiment", values: own });
  const { passBefore, passAfter, kl, train_seconds } = await reinforce(config, talk, signal);
  const [before, after] = [passBefore?.value ?? Number.NaN, passAfter?.value ?? Number.NaN];
  return { seed, before, after, rise: after - before, kl, seconds: train_seconds };
}

/** Student's t at 97.5 %, by degrees of freedom from 1. */
const STUDENT = [
  12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228, 2.201, 2.179, 2.16, 2.145,
  2.131, 2.12, 2.11, 2.101, 2.093, 2.086, 2.08, 2.074, 2.069, 2.064, 2.06, 2.056, 2.052, 2.048,
  2.045, 2.042,
];

function summarise(algorithm: Algorithm, runs: readonly Measured[]): Summary {
  const n = runs.length;
  const rise = runs.reduce((sum, run) => sum + run.rise, 0) / n;
  const variance = runs.reduce((sum, run) => sum + (run.rise - rise) ** 2, 0) / (n - 1);
  const half = (STUDENT[n - 2] as number) * Math.sqrt(variance / n);
  return { algorithm, rise, low: rise - half, high: rise + half, runs };
}

function render(summaries: readonly Summary[], holds: boolean): string {
  const lines = summaries.flatMap(({ algorithm, rise, low, high, runs }) => [
    ...runs.map(
      ({ seed, before, after, kl = 0, seconds }) =>
        `${algorithm} seed ${seed}: pass@1 ${before.toFixed(3)} to ${after.toFixed(3)}, ` +
        `KL ${kl.toFixed(2)} nats a reply, ${seconds.toFixed(0)} s`,
    ),
    `${algorithm}: rise ${rise.toFixed(3)} [${low.toFixed(3)}, ${high.toFixed(3)}]`,
  ]);
  return `${lines.join("\n")}\nholds (both rise by ${LEAST} or more): ${holds}\n`;
}

await runProgram(command);
