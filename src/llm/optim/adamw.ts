/**
 * AdamW over a model's parameters: which of them decay, their rates, their moments' names, and the
 * step's scalars. The arithmetic is the op `adamw`.
 */
import { state, type Value } from "../../compute/graph.ts";
import { adamw } from "../../compute/ops/adamw.ts";
import type { ParameterRole, ParameterSpec } from "../model/parameters.ts";
import type { StateUpdate } from "../model/transformer.ts";

export interface AdamwOptions {
  readonly betas: readonly [number, number];
  readonly eps: number;
  /** Decoupled; matrices, embedding and head decay, gains never. */
  readonly weightDecay: number;
  /** Multiplies the step's learning rate, by role; absent = 1. */
  readonly lrScale?: Partial<Readonly<Record<ParameterRole, number>>>;
}

/**
 * The input `scalars` of a training graph: [lr, 0, 1 - β1^t, 1 - β2^t, 0]. The graph itself fills
 * in the two zeros: gradient scale and whether the step applies.
 * @param t updates so far, this one included (1 for the first)
 */
export function stepScalars(lr: number, t: number, betas: readonly [number, number]): Float32Array {
  return Float32Array.of(lr, 0, 1 - betas[0] ** t, 1 - betas[1] ** t, 0);
}

/** Names of the moments of one parameter. */
export function adamwStateNames(name: string): [first: string, second: string] {
  return [`adamw.m.${name}`, `adamw.v.${name}`];
}

/** @param scalars f32 [5], see the op  @returns updates of the parameter and its two moments */
export function adamwUpdates(
  spec: ParameterSpec,
  parameter: Value,
  gradient: Value,
  scalars: Value,
  options: AdamwOptions,
): StateUpdate[] {
  const moments = adamwStateNames(spec.name).map((name) => state(name, spec.shape));
  const [m, v] = moments as [Value, Value];
  const next = adamw(parameter, gradient, m, v, scalars, {
    beta1: options.betas[0],
    beta2: options.betas[1],
    eps: options.eps,
    weightDecay: spec.shape.length > 1 ? options.weightDecay : 0,
    lrScale: options.lrScale?.[spec.role] ?? 1,
  });
  return [parameter, m, v].map((old, i) => ({ state: old, value: next[i] as Value }));
}
