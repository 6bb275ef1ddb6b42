/**
 * Fills in what a configuration left open and checks what no single row can. The result is what a
 * run prints, stores in its checkpoints and compares when it is resumed.
 */
import { NutshellError } from "../../error.ts";
import type { ModelConfig } from "../model/config.ts";
import type { Precision } from "../model/transformer.ts";
import { lrmAt, type ResolvedStage, resolveStage } from "../run/stage-rates.ts";
import { algorithms } from "./algorithms.ts";
import type { RlConfig } from "./config.ts";

/** A configuration in which nothing is left open that shapes the weights. */
export type RunConfig = Omit<ResolvedStage<RlConfig>, "sequenceLen"> & {
  readonly sequenceLen: number;
};

const DEFAULT_STEPS = 30;

/** @param auto what precision "auto" means on this backend  @throws CONFIG */
export function completeConfig(config: RlConfig, model: ModelConfig, auto: Precision): RunConfig {
  const sequenceLen = Math.min(config.sequenceLen ?? model.sequenceLen, model.sequenceLen);
  for (const [isBroken, message] of rules(config))
    if (isBroken) throw new NutshellError("CONFIG", `rl: ${message}`);
  const resolved = resolveStage(config, config.steps ?? DEFAULT_STEPS, auto);
  lrmAt(resolved, 0); // Refuses parts of the schedule that do not fit into the run.
  return { ...resolved, sequenceLen };
}

function rules(config: RlConfig): (readonly [isBroken: boolean, message: string])[] {
  const { algorithm, samplesPerPrompt, reward, rewardModel, klTarget, kl } = config;
  const { fewestSamples } = algorithms[algorithm];
  return [
    [
      samplesPerPrompt < fewestSamples,
      `${algorithm} must have ${fewestSamples} samples of a prompt to compare, got ` +
        `${samplesPerPrompt}. Raise --samples-per-prompt.`,
    ],
    [
      reward !== "program" && rewardModel === undefined,
      `--reward ${reward} must have a --reward-model, got none.`,
    ],
    [
      klTarget !== undefined && kl === 0,
      "a KL target must have a weight above 0 to start from, got --kl 0. Raise --kl.",
    ],
  ];
}
