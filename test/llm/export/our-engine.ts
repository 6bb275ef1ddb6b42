/** A checkpoint in our own engine, as exports are compared with it: greedy tokens, and logits. */
import type { Backend, Store } from "../../../src/compute/backend.ts";
import { createCBackend } from "../../../src/compute/backends/c/backend.node.ts";
import { input } from "../../../src/compute/graph.ts";
import { fromBf16, toBf16 } from "../../../src/compute/numbers.ts";
import { createGenerator } from "../../../src/llm/inference/generator.ts";
import { inferenceParameters } from "../../../src/llm/inference/programs.ts";
import { loadCheckpoint } from "../../../src/llm/model/checkpoint.node.ts";
import type { ModelConfig } from "../../../src/llm/model/config.ts";
import { parameterSpecs } from "../../../src/llm/model/parameters.ts";
import { dequantized, quantize } from "../../../src/llm/model/quantize.ts";
import { findCheckpoint } from "../../../src/llm/model/run-folder.node.ts";
import { hiddenStates, logits, type Precision } from "../../../src/llm/model/transformer.ts";

export interface OurEngine extends AsyncDisposable {
  readonly config: ModelConfig;
  /** Exactly `tokens` greedy ids after each prompt; `vocabSize` absent = of the whole table. */
  greedy(
    prompts: readonly (readonly number[])[],
    tokens: number,
    precision: Precision,
    vocabSize?: number,
  ): Promise<number[][]>;
  /** f32 [ids, V]: what follows each id, in one pass without a cache. */
  logits(ids: readonly number[], precision: Precision): Promise<Float32Array>;
}

type Narrow = (values: Float32Array) => Float32Array;

/** What weights become in a file; gains stay as they are. */
const narrow: Readonly<Record<"f32" | "bf16" | "q8_0", Narrow>> = {
  f32: (values) => values,
  bf16: (values) => fromBf16(toBf16(values)),
  q8_0: (values) => dequantized(quantize("q8_0", values, [values.length / 32, 32])),
};

/** @param weights as a file of this format holds them */
export async function openOurEngine(
  path: string,
  weights: keyof typeof narrow = "f32",
): Promise<OurEngine> {
  const checkpoint = await loadCheckpoint(await findCheckpoint(path));
  const backend = await createCBackend({ threads: 1 });
  const { config } = checkpoint;
  const load = async (): Promise<Store> => {
    const store = backend.createStore();
    await checkpoint.loadParameters(store);
    for (const { name, role } of parameterSpecs(config))
      if (role !== "gain")
        await store.write(name, narrow[weights]((await store.read(name)) as Float32Array));
    return store;
  };
  const store = await load();
  return {
    config,
    async greedy(prompts, tokens, precision, vocabSize = config.vocabSize) {
      const longest = Math.max(...prompts.map(({ length }) => length));
      const contextLen = Math.min(config.sequenceLen, longest + tokens);
      // A generator's cache has one precision, and lies in the store.
      const own = await load();
      const generator = createGenerator(backend, own, config, { precision, contextLen });
      try {
        const texts: number[][] = [];
        for (const prompt of prompts) {
          const options = { temperature: 0, seed: 1, maxTokens: tokens, vocabSize };
          const text: number[] = [];
          for await (const id of generator.generate(prompt, options)) text.push(id);
          texts.push(text);
        }
        return texts;
      } finally {
        await generator.dispose();
        own.dispose();
      }
    },
    logits: (ids, precision) => allLogits(backend, store, config, ids, precision),
    async [Symbol.asyncDispose]() {
      store.dispose();
      backend.dispose();
    },
  };
}

async function allLogits(
  backend: Backend,
  store: Store,
  config: ModelConfig,
  ids: readonly number[],
  precision: Precision,
): Promise<Float32Array> {
  // Inference reads bf16 copies of the weights; a product of f32 ones rounds them to the same.
  const params = inferenceParameters(config, "f32");
  const row = input("ids", [1, ids.length], "i32");
  const { hidden } = hiddenStates(config, params, row, { precision });
  const outputs = { logits: logits(config, params, hidden, precision) };
  const program = await backend.compile({ outputs }, store);
  try {
    const results = await program.run({ ids: Int32Array.from(ids) });
    return results.logits as Float32Array;
  } finally {
    program.dispose();
  }
}
