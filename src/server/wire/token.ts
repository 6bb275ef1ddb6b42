/**
 * `POST /tokenize` and `/detokenize`: text to ids and back, with the fields that servers of local
 * models have agreed on (`prompt` at vLLM, `content` at llama.cpp).
 */
import type { Engine, TextCodec } from "../../llm/inference/engine.ts";
import { checkTokenIds } from "./completion-request.ts";
import {
  byDefault,
  flag,
  listOf,
  optional,
  type Read,
  readRequest,
  required,
  shown,
  text,
} from "./field.ts";
import { modelField } from "./model-field.ts";
import { badField, unsupported } from "./refusal.ts";

const id: Read<number> = (value, param) => {
  if (typeof value === "number") return value;
  throw badField(param, `must be a token id, got ${shown(value)}.`, "invalid_type");
};

const tokenizeFields = {
  model: modelField,
  prompt: optional(text),
  content: optional(text),
  return_token_strs: byDefault(flag, false),
} as const;

const tokenizeOthers = {
  refused: {
    add_special: "A text stands for itself.",
    add_special_tokens: "A text stands for itself.",
    messages: "Send the text.",
    with_pieces: "Use return_token_strs.",
  },
} as const;

const detokenizeFields = {
  model: modelField,
  tokens: required(listOf(id, 1_000_000)),
} as const;

/** @throws Refusal */
export function tokenize(
  body: unknown,
  engine: Engine,
): { model: string | undefined; reply: object } {
  const values = readRequest(body, tokenizeFields, tokenizeOthers);
  const given = [values.prompt, values.content].filter((one) => one !== undefined);
  if (given.length !== 1) throw badField("prompt", "give either prompt or content, as a string.");
  const codec = codecOf(engine);
  const tokens = codec.encode(given[0] as string);
  const reply = { count: tokens.length, max_model_len: engine.model.contextLen, tokens };
  if (!values.return_token_strs) return { model: values.model, reply };
  const decoder = new TextDecoder();
  const token_strs = tokens.map((token) => decoder.decode(codec.tokenBytes(token)));
  return { model: values.model, reply: { ...reply, token_strs } };
}

/** @throws Refusal */
export function detokenize(
  body: unknown,
  engine: Engine,
): { model: string | undefined; reply: object } {
  const { model, tokens } = readRequest(body, detokenizeFields);
  const codec = codecOf(engine);
  checkTokenIds(tokens, "tokens", codec);
  const decoded = codec.decode(tokens);
  return { model, reply: { prompt: decoded, content: decoded } };
}

function codecOf({ codec }: Engine): TextCodec {
  if (codec === undefined) throw unsupported("model", "this model's tokenizer is not known here.");
  return codec;
}
