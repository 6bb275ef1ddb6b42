/**
 * What a run does before its first step: opens a prepared folder, plans rows and mixture, draws a
 * batch. As a program it does that in a fresh process and prints how long it took since the
 * process began, in seconds: `node bench/data-sampler.ts FOLDER`.
 */
import { planMixture } from "../src/llm/data/mixture/plan-mixture.ts";
import { createSampler, packSource, type Sampler } from "../src/llm/data/sampling/sampler.ts";
import { openPrepared, type PreparedFolder } from "../src/llm/data/shards/prepared-folder.node.ts";

export interface Shape {
  /** Rows and tokens of a row. */
  readonly B: number;
  readonly T: number;
}

export interface SampledFolder {
  readonly prepared: PreparedFolder;
  readonly sampler: Sampler;
  readonly tokens: number;
}

const STEPS = 1_000_000;

export function openSampler(folder: string, { B, T }: Shape): SampledFolder {
  const prepared = openPrepared(folder);
  const { sources } = prepared;
  const plan = planMixture({
    names: sources.map(({ name }) => name),
    weights: sources.map(({ weight }) => weight),
    ...{ rows: STEPS * B, rowsPerStep: B },
  });
  const packed = sources.map((source) => packSource(source, T));
  const sampler = createSampler({ packed, plan, seed: 42, batchSize: B, gradAccumSteps: 1 });
  const tokens = sources.reduce((sum, { train }) => sum + train.tokens.length, 0);
  return { prepared, sampler, tokens };
}

const [, program = "", folder] = process.argv;
if (import.meta.filename === program && folder !== undefined) {
  const { prepared, sampler } = openSampler(folder, { B: 16, T: 256 });
  sampler.batchAt(0, 0);
  // Since the process began: Node's own start and loading the program count.
  process.stdout.write(`${performance.now() / 1000}\n`);
  prepared[Symbol.dispose]();
}
