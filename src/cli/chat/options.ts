/** What a chat can be asked for; rows that mean the same as in `complete` are its own. */
import type { OptionTableFor, OptionValues } from "../../options.ts";
import { command as complete } from "../commands/complete.ts";

type CompleteValues = OptionValues<typeof complete.options>;

export interface ChatValues
  extends Pick<
    CompleteValues,
    | "model"
    | "prompt"
    | "maxTokens"
    | "temperature"
    | "topK"
    | "topP"
    | "seed"
    | "context"
    | "precision"
    | "backend"
    | "threads"
  > {
  system: string | undefined;
  file: string | undefined;
}

const { model, maxTokens, temperature, topK, topP, seed, context, precision, backend, threads } =
  complete.options;

export const chatOptions: OptionTableFor<ChatValues> = {
  model,
  prompt: {
    type: "string?",
    value: undefined,
    doc: "One question; absent = a chat on a terminal, else a question per line of stdin.",
  },
  system: {
    type: "string?",
    value: undefined,
    placeholder: "TEXT",
    doc: "What the assistant reads before the chat.",
  },
  file: {
    type: "string?",
    value: undefined,
    placeholder: "NAME=PATH,…",
    doc: "Text files for the tool read_file; NAME= may be left out.",
  },
  maxTokens: { ...maxTokens, value: 256, doc: "Tokens of one reply at most." },
  temperature: { ...temperature, value: 0.3 },
  topK,
  topP,
  seed: {
    ...seed,
    doc: "Of the random numbers; reply i has this seed plus i.",
  },
  context,
  precision,
  backend,
  threads,
};
