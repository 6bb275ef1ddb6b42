/**
 * The configuration of stage 2, declared once: flags, `--help`, validation and the stored config
 * derive from this table. A row without a value follows from the others (`complete-config.ts`).
 */
import { inRange, type OptionTableFor, positive } from "../../options.ts";
import { type StageConfig, stageFreeKeys, stageOptions } from "../run/stage-options.ts";

export interface SftConfig extends StageConfig {
  sequenceLen: number | undefined;
  mixture: string | undefined;
  conversations: number | undefined;
  exchanges: number;
  taskShare: number;
  textShare: number;
  text: string | undefined;
  epochs: number;
  evalConversations: number;
  sampleEvery: number;
  loraRank: number | undefined;
  loraAlpha: number | undefined;
  loraTargets: string;
}

/** Of an epoch, where tasks make them and nothing else says how many. */
export const DEFAULT_CONVERSATIONS = 20_000;

const count = inRange(1, Number.POSITIVE_INFINITY);

export const sftOptions: OptionTableFor<SftConfig> = {
  ...stageOptions,
  out: { ...stageOptions.out, value: "runs/out/sft" },
  warmdown: {
    ...stageOptions.warmdown,
    doc: "Steps of falling rate at the end, trapezoid only; absent: all after the warmup.",
  },
  sequenceLen: {
    type: "integer?",
    value: undefined,
    doc: "Tokens of a row; absent: the model's context.",
    check: inRange(2, Number.POSITIVE_INFINITY),
  },
  mixture: {
    type: "string?",
    value: undefined,
    placeholder: "NAME=WEIGHT,…",
    doc: "Which sources, and their shares of the conversations; absent: all, by their own weights.",
  },
  conversations: {
    type: "integer?",
    value: undefined,
    doc:
      "Conversations of an epoch; absent: all of the files, or " +
      `${DEFAULT_CONVERSATIONS.toLocaleString("en-US")} where a task makes them.`,
    check: count,
  },
  exchanges: {
    type: "integer",
    value: 1,
    doc: "Questions in a conversation that tasks make, at most; each number from 1 on is as likely.",
    check: inRange(1, 16),
  },
  taskShare: {
    type: "number",
    value: 0.5,
    doc: "Share of the conversations that tasks make, where --data is absent and sets are there.",
    check: inRange(0, 1),
  },
  textShare: {
    type: "number",
    value: 0,
    doc: "Share of the rows that are text of pretraining, learned in whole.",
    check: inRange(0, 0.9),
  },
  text: {
    type: "string?",
    value: undefined,
    placeholder: "DIR",
    doc: "The prepared data folder behind --text-share; absent: that of the base model's run.",
  },
  epochs: {
    type: "number",
    value: 1,
    doc: "How often each conversation is seen, where --steps is absent.",
    check: positive,
  },
  evalConversations: {
    type: "integer",
    value: 64,
    doc: "Held-out conversations of each source.",
    check: count,
  },
  sampleEvery: { type: "integer", value: 100, doc: "Steps between samples.", check: count },
  loraRank: {
    type: "integer?",
    value: undefined,
    doc: "Rank of low-rank updates beside frozen weights; absent: all weights are trained.",
    check: count,
  },
  loraAlpha: {
    type: "number?",
    value: undefined,
    doc: "The updates' scale, over the rank; absent: twice the rank.",
    check: positive,
  },
  loraTargets: {
    type: "string",
    value: "q,k,v,o,gate,up,down",
    placeholder: "NAMES",
    doc: "Matrices that get an update, of q, k, v, o, gate, up, down.",
  },
};

/** Keys that may change when a run is resumed: they shape no weight. */
export const sftFreeKeys: readonly (keyof SftConfig)[] = [
  ...stageFreeKeys,
  // Told apart by the hashes of their content, wherever they lie.
  ...(["model", "data", "text", "evalConversations", "sampleEvery"] as const),
];
