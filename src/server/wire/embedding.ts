/**
 * `POST /v1/embeddings`: texts in, one vector each out, as numbers or as base64 of little-endian
 * f32.
 * @see https://platform.openai.com/docs/api-reference/embeddings
 */
import type { Engine } from "../../llm/inference/engine.ts";
import { checkTokenIds } from "./completion-request.ts";
import {
  byDefault,
  integer,
  oneOf,
  optional,
  type Read,
  readRequest,
  required,
  shown,
  type Values,
} from "./field.ts";
import { harmlessFields, modelField } from "./model-field.ts";
import { badField, unsupported } from "./refusal.ts";
import { MOST_TOKENS } from "./sampling-fields.ts";

const MOST_INPUTS = 2048;

type TextOrIds = string | readonly number[];

const inputs: Read<readonly TextOrIds[]> = (value, param) => {
  const single = typeof value === "string" || isIds(value);
  const list: unknown = single ? [value] : value;
  if (!Array.isArray(list) || list.length === 0 || list.length > MOST_INPUTS)
    throw badField(param, `must be a text, token ids, or 1 to ${MOST_INPUTS} of these.`);
  for (const [i, input] of list.entries()) {
    if (typeof input !== "string" && !isIds(input))
      throw badField(`${param}[${i}]`, `must be a string or token ids, got ${shown(input)}.`);
    if (input.length === 0) throw badField(`${param}[${i}]`, "must not be empty.");
  }
  return list as TextOrIds[];
};

function isIds(value: unknown): value is number[] {
  return Array.isArray(value) && value.length > 0 && value.every((id) => typeof id === "number");
}

const embeddingFields = {
  model: modelField,
  input: required(inputs),
  encoding_format: byDefault(oneOf("float", "base64"), "float"),
  dimensions: optional(integer(1, MOST_TOKENS)),
} as const;

export interface EmbeddingRequest {
  readonly model: string | undefined;
  readonly texts: readonly string[];
  readonly base64: boolean;
}

/** @throws Refusal naming the field that is wrong or that the engine lacks */
export function readEmbeddingRequest(body: unknown, engine: Engine): EmbeddingRequest {
  const values: Values<typeof embeddingFields> = readRequest(body, embeddingFields, {
    harmless: harmlessFields,
  });
  const { model, input, encoding_format, dimensions } = values;
  if (!engine.can.embed) throw unsupported("model", "this model makes no embeddings.");
  const { embeddingSize } = engine.model;
  if (dimensions !== undefined && dimensions !== embeddingSize)
    throw unsupported("dimensions", `this model's embeddings have ${embeddingSize}, no other.`);
  const texts = input.map((one) => (typeof one === "string" ? one : toText(one, engine)));
  return { model, texts, base64: encoding_format === "base64" };
}

/** Ids that no text has would be embedded as other ones. */
function toText(ids: readonly number[], { codec }: Engine): string {
  if (codec === undefined) throw unsupported("input", "this model takes texts only.");
  checkTokenIds(ids, "input", codec);
  const text = codec.decode(ids);
  const again = codec.encode(text);
  if (again.length === ids.length && again.every((id, i) => id === ids[i])) return text;
  throw unsupported("input", "these ids are not how the tokenizer writes their text; send text.");
}

export function renderEmbeddings(
  vectors: readonly Float32Array[],
  { base64 }: EmbeddingRequest,
  model: string,
  promptTokens: number,
): object {
  const data = vectors.map((vector, index) => ({
    object: "embedding",
    index,
    embedding: base64 ? toBase64(vector) : [...vector],
  }));
  const usage = { prompt_tokens: promptTokens, total_tokens: promptTokens };
  return { object: "list", data, model, usage };
}

function toBase64(vector: Float32Array): string {
  const bytes = Buffer.alloc(vector.length * 4);
  for (const [i, value] of vector.entries()) bytes.writeFloatLE(value, i * 4);
  return bytes.toString("base64");
}
