/**
 * The step of bench:train: 6 layers, 6 heads, 384 wide, T 256, B 16, V 8192, AdamW, clipping, bf16
 * products; 16.9 M parameters. Its data never change, so its loss falls towards zero.
 */
import type { Backend, Program, Store } from "../src/compute/backend.ts";
import type { ModelConfig } from "../src/llm/model/config.ts";
import { initialise } from "../src/llm/model/parameters.ts";
import { stepScalars } from "../src/llm/optim/adamw.ts";
import { languageModelling } from "../src/llm/optim/objective.ts";
import { trainGraph } from "../src/llm/optim/train-step.ts";
import { secondsOf } from "./report.ts";

export const config: ModelConfig = {
  vocabSize: 8192,
  sequenceLen: 256,
  nLayer: 6,
  nHead: 6,
  nKvHead: 6,
  nEmbd: 384,
  headDim: 64,
  nFfn: 1024,
  ropeBase: 10000,
  normEps: 1e-5,
  qkNorm: false,
  tiedEmbeddings: false,
};

export const B = 16;
export const T = 256;
const betas = [0.9, 0.95] as const;

export interface TrainStep {
  readonly run: () => Promise<unknown>;
  readonly program: Program;
  readonly store: Store;
  readonly compileSeconds: number;
}

export async function prepareTrainStep(backend: Backend): Promise<TrainStep> {
  const store = backend.createStore();
  await initialise(store, config, 1);
  const graph = trainGraph(languageModelling(config, { B, T, precision: "bf16" }), {
    betas,
    precision: "bf16",
    optimizer: "adamw",
    eps: 1e-8,
    weightDecay: 0.1,
    clip: 1,
    accumulate: "none",
  });
  let program: Program | undefined;
  const compileSeconds = await secondsOf(async () => {
    program = await backend.compile(graph, store);
  });
  const compiled = program as unknown as Program;
  const tokens = Int32Array.from({ length: B * T }, (_, i) => (i * 7919) % config.vocabSize);
  const targets = Int32Array.from(tokens, (_, i) => ((i + 1) * 7919) % config.vocabSize);
  const maxNorm = Float32Array.of(Infinity);
  let t = 0;
  const run = (): Promise<unknown> =>
    compiled.run({ tokens, targets, maxNorm, scalars: stepScalars(1e-4, ++t, betas) });
  return { run, program: compiled, store, compileSeconds };
}
