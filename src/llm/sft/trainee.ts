/**
 * What is trained and what is looked at. Where all weights are trained both are one store. With
 * low-rank updates the weights beside them stay as they are, and a second store holds their sums:
 * what is measured, sampled and saved.
 */
import type { Store } from "../../compute/backend.ts";
import { sizeOf } from "../../compute/shape.ts";
import type { NamedShape } from "../model/checkpoint.node.ts";
import type { ModelConfig } from "../model/config.ts";
import { type BatchShape, languageModelling, type Objective } from "../optim/objective.ts";
import { optimizerState } from "../optim/train-step.ts";
import type { RunConfig } from "./complete-config.ts";

export interface Trainee {
  /** Weights and all that the optimizer needs. */
  readonly store: Store;
  /** The model's parameters as they count. */
  readonly served: Store;
  readonly objective: Objective;
  /** Beside the parameters of `served`, what a checkpoint must hold for training to go on. */
  readonly state: readonly NamedShape[];
  readonly trainedParameters: number;
  /** Brings `served` up to date. */
  refresh(): Promise<void>;
  dispose(): void;
}

/** @param store holds the model's parameters */
export function trainAll(store: Store, model: ModelConfig, config: RunConfig): Trainee {
  const objective = languageModelling(model, batchShape(config));
  return {
    ...{ store, served: store, objective },
    state: optimizerState(objective.specs, config.optimizer),
    trainedParameters: objective.specs.reduce((sum, { shape }) => sum + sizeOf(shape), 0),
    refresh: async () => {},
    dispose: () => store.dispose(),
  };
}

export function batchShape({ batchSize: B, sequenceLen: T, precision }: RunConfig): BatchShape {
  return { B, T, precision };
}
