/** What `nutshell rank` can be asked for. */
import type { BackendChoice } from "../../compute/backends/choose.node.ts";
import { stageOptions } from "../../llm/run/stage-options.ts";
import { inRange, type OptionTableFor } from "../../options.ts";

export interface RankValues {
  model: string | undefined;
  prompts: string | undefined;
  count: number;
  k: number;
  out: string;
  terminal: boolean;
  port: number;
  temperature: number;
  maxTokens: number;
  seed: number;
  backend: BackendChoice;
  threads: number | undefined;
}

const many = inRange(1, Number.POSITIVE_INFINITY);

export const rankOptions: OptionTableFor<RankValues> = {
  model: {
    ...stageOptions.model,
    doc: "Whose answers are ranked: a checkpoint or a run's folder.",
  },
  prompts: {
    type: "string?",
    value: undefined,
    placeholder: "FILE",
    doc: "Questions, one a line, or JSONL with prompt or messages; absent: built-in ones.",
  },
  count: { type: "integer", value: 20, doc: "Prompts at most.", check: many },
  // The page gives each answer a key from 1 to 9.
  k: { type: "integer", value: 4, doc: "Answers to each prompt.", check: inRange(2, 9) },
  out: {
    type: "string",
    value: "rankings.jsonl",
    placeholder: "FILE",
    doc: "Where rankings go, one a line; those that are there already are not asked again.",
  },
  terminal: { type: "boolean", value: false, doc: "Rank here, without the page." },
  port: {
    type: "integer",
    value: 0,
    doc: "Of the page, on this machine only; 0: any that is free.",
    check: inRange(0, 65535),
  },
  temperature: {
    type: "number",
    value: 1,
    doc: "Of the answers; more makes them differ more.",
    check: inRange(0.01, 100),
  },
  maxTokens: { type: "integer", value: 128, doc: "Tokens of an answer at most.", check: many },
  seed: { ...stageOptions.seed, doc: "Of the answers." },
  backend: stageOptions.backend,
  threads: stageOptions.threads,
};
