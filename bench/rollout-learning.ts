/**
 * Where the wall time of reinforcement learning goes, by policy size: real steps of GRPO as the
 * preset `tiny` takes them (16 prompts of 8 samples), from random weights. Random replies do not
 * end by themselves, so each has `maxTokens`; a coin that their text decides rewards half of them.
 */
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Backend } from "../src/compute/backend.ts";
import { createStories } from "../src/llm/data/builtin/stories.ts";
import { saveCheckpoint } from "../src/llm/model/checkpoint.node.ts";
import type { ModelConfig } from "../src/llm/model/config.ts";
import { initialise } from "../src/llm/model/parameters.ts";
import { rlOptions } from "../src/llm/rl/config.ts";
import type { StepRecord } from "../src/llm/rl/metric-records.node.ts";
import { presets } from "../src/llm/rl/presets.ts";
import { reinforce } from "../src/llm/rl/rl.node.ts";
import { METRICS_FILE } from "../src/llm/run/metrics.node.ts";
import type { Task } from "../src/llm/tasks/task.ts";
import { specialTokens } from "../src/llm/tokenizer/special-tokens.ts";
import { toTokenizerJson } from "../src/llm/tokenizer/tokenizer-json.ts";
import { trainBpe } from "../src/llm/tokenizer/train.ts";
import { resolveOptions } from "../src/options.ts";
import { median, significant } from "./report.ts";

/** Shares of the wall time of a step; `scoring` is the frozen reference's reading. */
export interface LearningShares {
  readonly generating: number;
  readonly scoring: number;
  readonly learning: number;
  readonly waiting: number;
  readonly step_ms: number;
}

/** The first step compiles. */
const [COMPILING, MEASURED] = [1, 4];

const coin: Task = {
  name: "coin",
  description: "half of all texts are right",
  problem: (index) => ({
    prompt: [{ role: "user", content: `What is ${index} + ${index}?` }],
    solution: [{ role: "assistant", content: "" }],
    context: { now: new Date(0), files: {} },
    grade: ([reply]) => ((reply?.content ?? "").length % 2 === 0 ? 1 : 0),
  }),
};

export async function measureLearning(
  backend: Backend,
  config: ModelConfig,
  threads: number,
  signal: AbortSignal,
): Promise<LearningShares> {
  const folder = await mkdtemp(join(tmpdir(), "nutshell-rollout-"));
  try {
    const model = await saveRandomModel(backend, config, join(folder, "model"));
    const steps = COMPILING + MEASURED;
    const own = { model, out: join(folder, "rl"), threads, steps, saveEvery: steps };
    const measured = { evalProblems: 1, evalEvery: 1_000_000 };
    const values = { ...presets.tiny.values, ...measured, ...own };
    const silent = { say: () => {}, status: () => {} };
    const asked = resolveOptions(rlOptions, { from: "bench", values });
    await reinforce(asked, silent, signal, [coin]);
    return sharesOf(await readFile(join(own.out, METRICS_FILE), "utf8"));
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function saveRandomModel(
  backend: Backend,
  config: ModelConfig,
  out: string,
): Promise<string> {
  const store = backend.createStore();
  await initialise(store, config, 1);
  const texts = [...createStories(2000)].map(({ text }) => text);
  const tokenizer = trainBpe(texts, { vocabSize: config.vocabSize, specialTokens });
  const files = { "tokenizer.json": toTokenizerJson(tokenizer) };
  const folder = await saveCheckpoint(out, { step: 1, config, store, texts: files });
  store.dispose();
  return folder;
}

function sharesOf(metrics: string): LearningShares {
  const rows = metrics.trimEnd().split("\n");
  const steps = rows
    .map((row) => JSON.parse(row) as StepRecord)
    .filter(({ step, generating }) => generating !== undefined && step > COMPILING);
  const sum = (read: (record: StepRecord) => number): number =>
    steps.reduce((total, record) => total + read(record), 0);
  const ms = (step: StepRecord): number =>
    step.generating + step.scoring + step.learning + step.waiting;
  const share = (read: (record: StepRecord) => number): number =>
    significant(sum(read) / sum(ms), 3);
  return {
    generating: share(({ generating }) => generating),
    scoring: share(({ scoring }) => scoring),
    learning: share(({ learning }) => learning),
    waiting: share(({ waiting }) => waiting),
    step_ms: Math.round(median(steps.map(ms))),
  };
}
