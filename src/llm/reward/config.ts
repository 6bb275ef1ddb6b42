/**
 * The configuration of stage 3, declared once: flags, `--help`, checks and the stored config derive
 * from this table.
 */
import { inRange, type OptionTableFor } from "../../options.ts";
import { type StageConfig, stageFreeKeys, stageOptions } from "../run/stage-options.ts";

export interface RewardConfig extends StageConfig {
  epochs: number;
  sequenceLen: number | undefined;
  maxResponses: number;
  builtin: number;
  heldOut: number;
  margin: number;
  centring: number;
  labelSmoothing: number;
}

const count = inRange(1, Number.POSITIVE_INFINITY);
const none = inRange(0, Number.POSITIVE_INFINITY);

export const rewardOptions: OptionTableFor<RewardConfig> = {
  ...stageOptions,
  out: { ...stageOptions.out, value: "runs/out/reward" },
  batchSize: { ...stageOptions.batchSize, value: 32, doc: "Answers of a micro-batch." },
  lr: { ...stageOptions.lr, value: 1e-4 },
  epochs: {
    type: "integer",
    value: 1,
    doc: "Times that each ranking is seen; more than once overfits soon.",
    check: count,
  },
  sequenceLen: {
    type: "integer?",
    value: undefined,
    doc: "Tokens of a prompt with one answer; absent: the model's context.",
    check: inRange(16, Number.POSITIVE_INFINITY),
  },
  maxResponses: {
    type: "integer",
    value: 9,
    doc: "Answers of one prompt, at most.",
    check: inRange(2, 64),
  },
  builtin: {
    type: "integer",
    value: 1200,
    doc: "Built-in rankings to train on, where they are taken.",
    check: count,
  },
  heldOut: {
    type: "integer",
    value: 200,
    doc: "Rankings of each source kept to measure with, at most.",
    check: count,
  },
  margin: {
    type: "number",
    value: 0,
    doc: "Times the margins that rankings state, by which rewards are to differ; 0: none.",
    check: none,
  },
  centring: {
    type: "number",
    value: 0.01,
    doc: "Weight of (chosen + rejected)^2, which keeps rewards around 0; 0: off.",
    check: none,
  },
  labelSmoothing: {
    type: "number",
    value: 0,
    doc: "Share of pairs taken to be the wrong way round.",
    check: inRange(0, 0.49),
  },
};

/** Keys that may change when a run is resumed. */
export const freeKeys: readonly (keyof RewardConfig)[] = [...stageFreeKeys, "model", "data"];
