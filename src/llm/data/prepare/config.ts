/**
 * What `data prepare` can be told, declared once: its flags, and the same rows in the
 * configuration of every stage that prepares its own text.
 */
import { inRange, type OptionTableFor, positive } from "../../../options.ts";
import { cleaningPresets } from "../cleaning/cleaning.ts";
import { type MixturePreset, mixturePresets } from "../mixture/presets.ts";

export interface PrepareConfig {
  data: string | undefined;
  mixture: MixturePreset;
  temperature: number;
  clean: keyof typeof cleaningPresets;
  evals: string | undefined;
  tokenizer: "bpe" | "character";
  vocabSize: number;
  maxBytes: number | undefined;
  threads: number | undefined;
}

const count = inRange(1, Number.POSITIVE_INFINITY);

export const prepareOptions: OptionTableFor<PrepareConfig> = {
  data: {
    type: "string?",
    value: undefined,
    placeholder: "PATH",
    doc:
      "Text: a file, a folder, a mixture.json, or a folder that `data prepare` made. " +
      "Absent: ../shared/data/pretrain, else the built-in mixture.",
  },
  mixture: {
    type: "string",
    value: "as-given",
    choices: mixturePresets,
    doc: "Shares of the sources: their own weights, by size, equal, or those of the LLaMA paper.",
  },
  temperature: {
    type: "number",
    value: 1,
    check: positive,
    doc: "Shares become share^(1/temperature): above 1 small sources count more.",
  },
  clean: {
    type: "string",
    value: "standard",
    choices: Object.keys(cleaningPresets) as (keyof typeof cleaningPresets)[],
    doc: "Quality, language, personal data, duplicates, evaluation text, triggers; or nothing.",
  },
  evals: {
    type: "string?",
    value: undefined,
    placeholder: "DIR",
    doc: "Evaluation sets that must not be trained on, or off; absent: ../shared/data/eval if it is there.",
  },
  tokenizer: {
    type: "string",
    value: "bpe",
    choices: ["bpe", "character"],
    doc: "How text becomes tokens; trained on the data.",
  },
  vocabSize: {
    type: "integer",
    value: 8192,
    doc: "Tokens of the vocabulary, at most; bpe only.",
    check: inRange(257, 1_000_000),
  },
  maxBytes: {
    type: "integer?",
    value: undefined,
    doc: "Text to read at most; more is thinned evenly. Absent: all of it.",
    check: count,
  },
  threads: {
    type: "integer?",
    value: undefined,
    doc: "Threads; absent: one per core.",
    check: count,
  },
};
