/**
 * The configuration of stage 4, declared once: flags, `--help`, validation and the stored config
 * derive from this table.
 */
import { inRange, type OptionTableFor, positive } from "../../options.ts";
import { type StageConfig, stageFreeKeys, stageOptions } from "../run/stage-options.ts";
import { tasks } from "../tasks/table.ts";
import { type AlgorithmName, algorithmNames } from "./algorithm-names.ts";

export interface RlConfig extends StageConfig {
  algorithm: AlgorithmName;
  task: string;
  digits: string | undefined;
  reward: "program" | "model" | "both";
  rewardModel: string | undefined;
  rewardModelWeight: number;
  promptsPerStep: number;
  samplesPerPrompt: number;
  sequenceLen: number | undefined;
  maxTokens: number;
  temperature: number;
  epochs: number;
  minibatches: number;
  kl: number;
  klTarget: number | undefined;
  clipRatio: number;
  clipRatioHigh: number | undefined;
  lossType: "grpo" | "dr_grpo" | "dapo";
  gamma: number;
  lambda: number;
  vf: number;
  clipValue: number;
  beta: number;
  labelSmoothing: number;
  accept: number;
  lengthPenalty: number;
  missingEndPenalty: number;
  maskTruncated: boolean;
  evalProblems: number;
  slots: number;
}

const count = inRange(1, Number.POSITIVE_INFINITY);
const share = inRange(0, 1);
const notNegative = inRange(0, Number.POSITIVE_INFINITY);

export const rlOptions: OptionTableFor<RlConfig> = {
  ...stageOptions,
  out: { ...stageOptions.out, value: "runs/out/rl" },
  data: {
    ...stageOptions.data,
    doc: "dpo: a rankings file (JSONL) in place of the model's own samples; else where the files of tasks such as gsm8k lie; absent: ../shared/data.",
  },
  steps: {
    type: "integer?",
    value: 30,
    doc: "Rounds of rollouts and updates; absent: 30.",
    check: count,
  },
  lr: { ...stageOptions.lr, value: 1e-4 },
  batchSize: { ...stageOptions.batchSize, value: 16, doc: "Longest rows of a micro-batch." },
  spikeFactor: { ...stageOptions.spikeFactor, value: 100 },
  evalEvery: { ...stageOptions.evalEvery, value: 10, doc: "Steps between held-out pass@1." },
  logEvery: { ...stageOptions.logEvery, value: 1 },
  algorithm: {
    type: "string",
    value: "grpo",
    choices: algorithmNames,
    doc: "ppo, grpo, rloo, reinforce: by advantages; dpo: by pairs; best-of-n, star: by selection.",
  },
  task: {
    type: "string",
    value: "steps",
    placeholder: "NAMES",
    doc: `Tasks whose problems are asked, joined by commas: ${[...tasks.keys()].join(", ")}.`,
  },
  digits: {
    type: "string?",
    value: undefined,
    placeholder: "N-M",
    doc: "Digits of the numbers in steps, calculator and direct, e.g. 1-2; absent: each task's own.",
    check: (digits) => (parseDigits(digits) ? undefined : "must be two digits, as in 1-2"),
  },
  reward: {
    type: "string",
    value: "program",
    choices: ["program", "model", "both"],
    doc: "Who rewards: the task's checker, a reward model, or their weighted sum.",
  },
  rewardModel: {
    type: "string?",
    value: undefined,
    placeholder: "DIR",
    doc: "The reward model, for --reward model or both.",
  },
  rewardModelWeight: {
    type: "number",
    value: 0.1,
    doc: "With --reward both: what the reward model's number is multiplied by.",
    check: notNegative,
  },
  promptsPerStep: { type: "integer", value: 16, doc: "Prompts of a step.", check: count },
  samplesPerPrompt: { type: "integer", value: 8, doc: "Replies to each prompt.", check: count },
  sequenceLen: {
    type: "integer?",
    value: undefined,
    doc: "Tokens of prompt and reply together, at most; absent: the model's context.",
    check: count,
  },
  maxTokens: { type: "integer", value: 128, doc: "Sampled tokens of a reply.", check: count },
  temperature: {
    type: "number",
    value: 1,
    doc: "Of the rollouts; log-probabilities and KL are those of temperature 1 all the same.",
    check: inRange(0.01, 100),
  },
  epochs: { type: "integer", value: 1, doc: "Passes over a step's rollouts.", check: count },
  minibatches: { type: "integer", value: 1, doc: "Updates in one pass.", check: count },
  kl: {
    type: "number",
    value: 0.02,
    doc: "Weight of the KL to the start model: grpo in the loss, ppo and rloo in the reward.",
    check: notNegative,
  },
  klTarget: {
    type: "number?",
    value: undefined,
    doc: "Nats a reply: --kl is adapted to keep it there; auto: --kl stays.",
    check: positive,
  },
  clipRatio: { type: "number", value: 0.2, doc: "Clipping of the ratio.", check: share },
  clipRatioHigh: {
    type: "number?",
    value: undefined,
    doc: "Its bound above; absent: the same as below.",
    check: notNegative,
  },
  lossType: {
    type: "string",
    value: "dapo",
    choices: ["grpo", "dr_grpo", "dapo"],
    doc: "grpo: mean over replies of token means; dr_grpo: no length and no std; dapo: over tokens.",
  },
  gamma: { type: "number", value: 1, doc: "ppo: discount per token.", check: share },
  lambda: { type: "number", value: 0.95, doc: "ppo: of the advantage estimate.", check: share },
  vf: { type: "number", value: 0.1, doc: "ppo: weight of the value loss.", check: notNegative },
  clipValue: { type: "number", value: 0.2, doc: "ppo: clipping of values.", check: notNegative },
  beta: { type: "number", value: 0.1, doc: "dpo: how firmly pairs bind.", check: positive },
  labelSmoothing: {
    type: "number",
    value: 0,
    doc: "dpo: how likely a label is wrong.",
    check: inRange(0, 0.5),
  },
  accept: {
    type: "number",
    value: 1,
    doc: "star: replies of this reward or more are learned from.",
  },
  lengthPenalty: {
    type: "number",
    value: 0,
    doc: "Taken off the reward of a reply of --max-tokens, and of shorter ones in proportion.",
    check: notNegative,
  },
  missingEndPenalty: {
    type: "number",
    value: 0,
    doc: "Taken off the reward of a reply that did not come to an end.",
    check: notNegative,
  },
  maskTruncated: {
    type: "boolean",
    value: false,
    doc: "Learn nothing from replies that did not come to an end.",
  },
  evalProblems: {
    type: "integer",
    value: 200,
    doc: "Held-out problems behind pass@1.",
    check: count,
  },
  slots: { type: "integer", value: 32, doc: "Replies written at a time.", check: count },
};

/** @returns fewest and most, or undefined when the text is not of the form `1-2` */
export function parseDigits(text: string): readonly [number, number] | undefined {
  const [, least, most] = /^([1-9])-([1-9])$/.exec(text) ?? [];
  return least !== undefined && most !== undefined && least <= most
    ? [Number(least), Number(most)]
    : undefined;
}

/** Keys that may change when a run is resumed: they shape no weight. */
export const rlFreeKeys: readonly (keyof RlConfig)[] = [...stageFreeKeys, "evalProblems"];
