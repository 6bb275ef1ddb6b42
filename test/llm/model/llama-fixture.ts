/** The two-layer torch models of test/fixtures/torch as our configs, weights and batches. */
import type { Store } from "../../../src/compute/backend.ts";
import type { ModelConfig } from "../../../src/llm/model/config.ts";
import { parameterSpecs } from "../../../src/llm/model/parameters.ts";
import { type Fixture, loadFixture } from "../../fixtures/torch/load.ts";

export const FIXTURES = ["llama-2layer", "llama-2layer-qk-norm"] as const;

export interface Batch {
  readonly tokens: Int32Array;
  readonly targets: Int32Array;
}

export interface LlamaFixture {
  readonly fixture: Fixture;
  readonly config: ModelConfig;
  readonly B: number;
  readonly T: number;
  writeWeights(store: Store): Promise<void>;
  /** Ids and targets [B, T] of one of the ten steps. */
  batch(step: number): Batch;
}

export function loadLlamaFixture(name: (typeof FIXTURES)[number]): LlamaFixture {
  const fixture = loadFixture(name);
  const config: ModelConfig = {
    vocabSize: fixture.number("vocabSize"),
    sequenceLen: fixture.number("sequenceLen"),
    nLayer: fixture.number("nLayer"),
    nHead: fixture.number("nHead"),
    nKvHead: fixture.number("nKvHead"),
    nEmbd: fixture.number("nEmbd"),
    headDim: fixture.number("headDim"),
    nFfn: fixture.number("hidden"),
    ropeBase: fixture.number("ropeBase"),
    normEps: fixture.number("rmsNormEps"),
    qkNorm: fixture.values.qkNorm === true,
    tiedEmbeddings: fixture.values.tied === true,
  };
  const [B, T] = [fixture.number("batch"), fixture.number("sequenceLen")];
  const part = (key: string, step: number): Int32Array =>
    fixture.integers(key).data.slice(step * B * T, (step + 1) * B * T);
  return {
    fixture,
    config,
    B,
    T,
    async writeWeights(store) {
      for (const { name, shape } of parameterSpecs(config)) {
        store.define(name, { shape, dtype: "f32" });
        await store.write(name, fixture.floats(`weight:${name}`).data);
      }
    },
    batch: (step) => ({ tokens: part("ids", step), targets: part("targets", step) }),
  };
}
