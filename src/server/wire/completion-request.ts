/**
 * `POST /v1/completions`: raw text in, what follows out.
 * @see https://platform.openai.com/docs/api-reference/completions/create
 */
import type { Engine, Input } from "../../llm/inference/engine.ts";
import type { GenerationRequest } from "../generate.ts";
import { MOST_CHOICES } from "./chat-request.ts";
import {
  byDefault,
  flag,
  integer,
  objectOf,
  optional,
  type Read,
  readRequest,
  shown,
  text,
} from "./field.ts";
import { chooseFormat, responseFormat } from "./format-field.ts";
import { harmlessFields, modelField } from "./model-field.ts";
import { badField, unsupported } from "./refusal.ts";
import {
  MOST_TOKENS,
  penaltyFields,
  stopTexts,
  temperatureFields,
  toSampling,
} from "./sampling-fields.ts";

/** OpenAI's own default. */
const DEFAULT_TOKENS = 16;
const MOST_PROMPTS = 128;
/** Prompts times texts of each. */
const MOST_TEXTS = 128;

const prompts: Read<readonly Input[]> = (value, param) => {
  const inputs =
    Array.isArray(value) && !isIds(value) ? value.map(toInput(param)) : [toInput(param)(value)];
  if (inputs.length > MOST_PROMPTS)
    throw badField(param, `must hold at most ${MOST_PROMPTS} prompts.`);
  if (inputs.length === 0) throw badField(param, "must hold a prompt, got none.");
  return inputs;
};

function toInput(param: string): (value: unknown) => Input {
  return (value) => {
    if (typeof value === "string") return { kind: "text", text: value };
    if (isIds(value)) return { kind: "tokens", ids: value };
    const rule = "must be a string, an array of strings, of token ids, or of arrays of these";
    throw badField(param, `${rule}, got ${shown(value)} in it.`, "invalid_type");
  };
}

function isIds(value: unknown): value is number[] {
  return Array.isArray(value) && value.length > 0 && value.every((id) => typeof id === "number");
}

const completionFields = {
  model: modelField,
  prompt: byDefault(prompts, [{ kind: "text", text: "" }]),
  stream: byDefault(flag, false),
  stream_options: optional(
    objectOf({ include_usage: byDefault(flag, false) }, { harmless: ["include_obfuscation"] }),
  ),
  n: byDefault(integer(1, MOST_CHOICES), 1),
  best_of: optional(integer(1, MOST_CHOICES)),
  max_tokens: byDefault(integer(0, MOST_TOKENS), DEFAULT_TOKENS),
  echo: byDefault(flag, false),
  logprobs: optional(integer(0, 20)),
  stop: optional(stopTexts),
  ...temperatureFields,
  ...penaltyFields,
  response_format: optional(responseFormat),
  grammar: optional(text),
} as const;

const completionOthers = {
  harmless: harmlessFields,
  refused: { suffix: "Models here write forward only." },
} as const;

export interface CompletionRequest extends GenerationRequest {
  readonly model: string | undefined;
  readonly stream: boolean;
  readonly includeUsage: boolean;
  readonly echo: boolean;
  /** Texts a prompt that are shown; `n` of these are made and the likeliest kept. */
  readonly kept: number;
  readonly logprobs: boolean;
}

/** @throws Refusal naming the field that is wrong or that the engine lacks */
export function readCompletionRequest(body: unknown, engine: Engine): CompletionRequest {
  const values = readRequest(body, completionFields, completionOthers);
  const { prompt, n, best_of = n, logprobs, echo, stream } = values;
  checkIds(prompt, engine);
  checkCounts(values, best_of);
  // Which text is likeliest only their log-probabilities tell.
  const alternatives = best_of > n ? (logprobs ?? 0) : logprobs;
  if (alternatives !== undefined && !engine.can.logprobs)
    throw unsupported(logprobs === undefined ? "best_of" : "logprobs", "this model tells none.");
  const format = chooseFormat(values.response_format, values.grammar, {
    param: "response_format",
    engine,
  });
  return {
    model: values.model,
    stream,
    includeUsage: values.stream_options?.include_usage ?? false,
    echo,
    kept: n,
    logprobs: logprobs !== undefined,
    prompts: prompt,
    n: best_of,
    singleCall: false,
    ...(echo && logprobs !== undefined ? { scorePrompt: logprobs } : {}),
    options: {
      maxTokens: values.max_tokens,
      ...(values.stop ? { stop: values.stop } : {}),
      ...(alternatives === undefined ? {} : { logprobs: alternatives }),
      sampling: toSampling(values, engine),
      format,
    },
  };
}

type CompletionValues = ReturnType<typeof readRequest<typeof completionFields>>;

function checkCounts(
  { prompt, n, stream, stream_options }: CompletionValues,
  bestOf: number,
): void {
  if (bestOf < n) throw badField("best_of", `must be at least n = ${n}, got ${bestOf}.`);
  if (stream && bestOf > n) throw badField("best_of", "does not go together with stream: true.");
  if (prompt.length * bestOf > MOST_TEXTS)
    throw badField("prompt", `prompts times texts of each must be at most ${MOST_TEXTS}.`);
  if (stream_options !== undefined && !stream)
    throw badField("stream_options", "belongs to stream: true.");
}

function checkIds(inputs: readonly Input[], { can, codec }: Engine): void {
  if (!can.tokens) throw unsupported("prompt", "this model takes messages only; use chat.");
  for (const input of inputs)
    if (input.kind === "tokens") checkTokenIds(input.ids, "prompt", codec);
}

/** @throws Refusal for an id that is none of the model's */
export function checkTokenIds(ids: readonly number[], param: string, codec: Engine["codec"]): void {
  const vocabSize = codec?.vocabSize ?? MOST_TOKENS;
  const bad = ids.find((id) => !Number.isInteger(id) || id < 0 || id >= vocabSize);
  if (bad !== undefined)
    throw badField(param, `token ids must be whole numbers below ${vocabSize}, got ${bad}.`);
}
