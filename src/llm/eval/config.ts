/** The configuration of an evaluation, declared once: flags, `--help` and checks derive from it. */
import type { BackendChoice } from "../../compute/backends/choose.node.ts";
import { inRange, type OptionTableFor } from "../../options.ts";
import { stageOptions } from "../run/stage-options.ts";

export interface EvalConfig {
  model: string;
  reward: string | undefined;
  suite: string;
  data: string | undefined;
  text: string | undefined;
  form: "auto" | "chat" | "plain";
  maxRows: number;
  samples: number;
  shots: number | undefined;
  seed: number;
  temperature: number;
  maxTokens: number;
  examples: number;
  slots: number;
  precision: "auto" | "bf16" | "f32";
  backend: BackendChoice;
  threads: number | undefined;
  out: string | undefined;
}

const count = inRange(1, Number.POSITIVE_INFINITY);

export const evalOptions: OptionTableFor<EvalConfig> = {
  model: {
    type: "string",
    value: "runs/out/tiny/4-rl",
    placeholder: "DIR",
    doc: "A checkpoint or model folder, or a run's folder for its newest checkpoint.",
  },
  reward: {
    type: "string?",
    value: undefined,
    placeholder: "DIR",
    doc: "A reward model: its accuracy on preferences, and the mean reward of replies.",
  },
  suite: {
    type: "string",
    value: "assistant,arithmetic,talk",
    placeholder: "NAMES",
    doc: "Suites, joined by commas: assistant, arithmetic, core, text, math, preferences, talk.",
  },
  data: {
    type: "string?",
    value: undefined,
    placeholder: "DIR",
    doc: "Where evaluation sets lie; absent: ../shared/data, where it is.",
  },
  text: {
    type: "string?",
    value: undefined,
    placeholder: "DIR",
    doc: "A prepared data folder, for bits per byte of its held-out side.",
  },
  form: {
    type: "string",
    value: "auto",
    choices: ["auto", "chat", "plain"],
    doc: "How questions of data sets are put; auto: as a chat when the model has a template.",
  },
  maxRows: {
    type: "integer",
    value: 100,
    doc: "Rows of a set, or problems of a task, at most; a seeded sample of them.",
    check: count,
  },
  samples: {
    type: "integer",
    value: 1,
    doc: "Replies to each problem; above 1 gives pass@k and needs a temperature.",
    check: count,
  },
  shots: {
    type: "integer?",
    value: undefined,
    doc: "Solved examples before each question, as far as they fit; absent: each set's own.",
    check: inRange(0, 100),
  },
  seed: {
    type: "integer",
    value: 42,
    doc: "Of the samples drawn and of the replies.",
    check: inRange(0, 2 ** 32 - 1),
  },
  temperature: {
    type: "number",
    value: 0,
    doc: "Of replies; 0 takes the likeliest token each time.",
    check: inRange(0, 100),
  },
  maxTokens: { type: "integer", value: 192, doc: "Tokens of a reply at most.", check: count },
  examples: {
    type: "integer",
    value: 3,
    doc: "Answers shown behind each number: the first ones.",
    check: inRange(0, 1000),
  },
  slots: { type: "integer", value: 32, doc: "Replies written at a time.", check: count },
  precision: stageOptions.precision,
  backend: stageOptions.backend,
  threads: stageOptions.threads,
  out: {
    type: "string?",
    value: undefined,
    placeholder: "FILE",
    doc: "Also write the report there, as JSON.",
  },
};
