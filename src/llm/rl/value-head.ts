/**
 * PPO's value function: a scalar head on the policy's own trunk, read before every token. It
 * starts at zero, so that the first advantages are plain returns.
 */
import type { Backend, Store } from "../../compute/backend.ts";
import { input, type Value } from "../../compute/graph.ts";
import { createLazyPrograms } from "../inference/lazy-programs.ts";
import type { ModelConfig } from "../model/config.ts";
import type { ParameterSpec } from "../model/parameters.ts";
import { scalarHead, scalarHeadParameters, scalarHeadSpecs } from "../model/scalar-head.ts";
import { hiddenStates, modelParameters, type Precision } from "../model/transformer.ts";
import { type Bundle, fillBatch, type LearnRow, type RowShape } from "./learn-rows.ts";
import { cutIntoBatches } from "./padded-shapes.ts";

const PREFIX = "value.";

export function valueHeadSpecs(config: ModelConfig): ParameterSpec[] {
  return scalarHeadSpecs(config, PREFIX);
}

export function valueHeadParameters(config: ModelConfig): Map<string, Value> {
  return scalarHeadParameters(config, PREFIX);
}

/** @param hidden [N, C]  @returns f32 [N] */
export function valuesOf(params: ReadonlyMap<string, Value>, hidden: Value): Value {
  return scalarHead(params, hidden, PREFIX);
}

/** Adds the head, all zeros. */
export function defineValueHead(store: Store, config: ModelConfig): void {
  for (const { name, shape } of valueHeadSpecs(config)) store.define(name, { shape, dtype: "f32" });
}

export interface ValueScorer {
  /** @returns for each row the values before its targets */
  values(rows: readonly Pick<LearnRow, "ids" | "mask">[]): Promise<Float32Array[]>;
  dispose(): Promise<void>;
}

export function createValueScorer(
  backend: Backend,
  store: Store,
  config: ModelConfig,
  precision: Precision,
  shapes: readonly RowShape[],
): ValueScorer {
  const params = new Map([...modelParameters(config), ...valueHeadParameters(config)]);
  const programs = createLazyPrograms(({ B, T }: RowShape) => {
    const { hidden } = hiddenStates(config, params, input("tokens", [B, T], "i32"), { precision });
    return backend.compile({ outputs: { values: valuesOf(params, hidden) } }, store);
  });
  return {
    async values(rows) {
      const bundles = rows.map((row): Bundle => [{ ...row, perToken: {}, perRow: {} }]);
      const found = new Map<Bundle, Float32Array>();
      for (const { shape, bundles: batch } of cutIntoBatches(bundles, shapes)) {
        const { tokens } = fillBatch(batch.flat(), shape);
        const { values } = await (await programs.of(shape)).run({ tokens: tokens as Int32Array });
        for (const [b, bundle] of batch.entries()) {
          const end = b * shape.T + (bundle[0]?.mask.length as number);
          found.set(bundle, (values as Float32Array).slice(b * shape.T, end));
        }
      }
      return bundles.map((bundle) => found.get(bundle) as Float32Array);
    },
    dispose: () => programs.dispose(),
  };
}
