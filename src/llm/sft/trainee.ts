/**
 * What is trained and what is looked at. Where all weights are trained both are one store. With
 * low-rank updates the weights beside them stay as they are, and a second store holds their sums:
 * what is measured, sampled and saved.
 */
import type { Backend, HostArray, Store } from "../../compute/backend.ts";
import { sizeOf } from "../../compute/shape.ts";
import type { NamedShape } from "../model/checkpoint.node.ts";
import type { ModelConfig } from "../model/config.ts";
import {
  type LoraOptions,
  loraParameters,
  loraSpecs,
  mergedGraph,
  parseLoraTargets,
} from "../model/lora.ts";
import { type ParameterSpec, parameterSpecs } from "../model/parameters.ts";
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

/** @returns undefined where all weights are trained  @throws CONFIG for an unknown target */
export function loraOf(config: RunConfig): LoraOptions | undefined {
  const { loraRank: rank, loraAlpha: alpha, loraTargets } = config;
  if (rank === undefined || alpha === undefined) return undefined;
  return { rank, alpha, targets: parseLoraTargets(loraTargets) };
}

/** @param store holds the model's parameters */
export function trainAll(store: Store, model: ModelConfig, config: RunConfig): Trainee {
  const objective = languageModelling(model, batchShape(config));
  return {
    ...{ store, served: store, objective },
    state: optimizerState(objective.specs, config.optimizer),
    trainedParameters: countNumbers(objective.specs),
    refresh: async () => {},
    dispose: () => store.dispose(),
  };
}

/** @param store holds the model's parameters, which stay as they are, and those of the updates */
export async function trainUpdates(
  backend: Backend,
  store: Store,
  model: ModelConfig,
  config: RunConfig,
  lora: LoraOptions,
): Promise<Trainee> {
  const specs = loraSpecs(model, lora);
  const params = loraParameters(model, lora);
  const objective = { ...languageModelling(model, batchShape(config), params), specs };
  const served = await copyParameters(backend, store, model);
  const merge = await backend.compile(mergedGraph(model, lora), store);
  return {
    ...{ store, served, objective },
    state: [...specs, ...optimizerState(specs, config.optimizer)],
    trainedParameters: countNumbers(specs),
    async refresh() {
      const merged = await merge.run();
      for (const [name, weights] of Object.entries(merged))
        await served.write(name, weights as HostArray);
    },
    dispose() {
      for (const owned of [merge, served, store]) owned.dispose();
    },
  };
}

async function copyParameters(backend: Backend, from: Store, model: ModelConfig): Promise<Store> {
  const to = backend.createStore();
  for (const { name, shape } of parameterSpecs(model)) {
    to.define(name, { shape, dtype: "f32" });
    await to.write(name, await from.read(name));
  }
  return to;
}

function batchShape({ batchSize: B, sequenceLen: T, precision }: RunConfig): BatchShape {
  return { B, T, precision };
}

function countNumbers(specs: readonly ParameterSpec[]): number {
  return specs.reduce((sum, { shape }) => sum + sizeOf(shape), 0);
}
