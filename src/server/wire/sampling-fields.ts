/**
 * How the next token is chosen, as requests say it. The fields of OpenAI, and those that other
 * servers of local models have beside them: `top_k`, `min_p`, `repetition_penalty`.
 */
import type { Engine, Sampling } from "../../llm/inference/engine.ts";
import {
  anObject,
  type Field,
  integer,
  listOf,
  number,
  optional,
  type Read,
  text,
  type Values,
} from "./field.ts";
import { badField } from "./refusal.ts";

/** More new tokens than any context has. */
export const MOST_TOKENS: number = 2 ** 30;
const MOST_STOPS = 16;

type NumberFields<K extends string> = { readonly [P in K]: Field<number | undefined> };

export const penaltyFields: NumberFields<"frequency_penalty" | "presence_penalty" | "seed"> & {
  readonly logit_bias: Field<ReadonlyMap<number, number> | undefined>;
} = {
  frequency_penalty: optional(number(-2, 2)),
  presence_penalty: optional(number(-2, 2)),
  logit_bias: optional(readBias),
  seed: optional(integer(Number.MIN_SAFE_INTEGER, Number.MAX_SAFE_INTEGER)),
};

export const temperatureFields: NumberFields<
  "temperature" | "top_p" | "top_k" | "min_p" | "repetition_penalty"
> = {
  temperature: optional(number(0, 2)),
  top_p: optional(number(Number.MIN_VALUE, 1)),
  top_k: optional(integer(1, MOST_TOKENS)),
  min_p: optional(number(0, 1)),
  repetition_penalty: optional(number(0.01, 100)),
};

type SamplingValues = Values<typeof temperatureFields> & Partial<Values<typeof penaltyFields>>;

/** @throws Refusal when a biased id is none of the model's */
export function toSampling(values: SamplingValues, engine: Engine): Sampling {
  const { temperature, top_p, top_k, min_p, repetition_penalty, logit_bias, seed } = values;
  const { frequency_penalty, presence_penalty } = values;
  if (logit_bias !== undefined) checkBias(logit_bias, engine);
  return {
    ...(temperature === undefined ? {} : { temperature }),
    ...(top_k === undefined ? {} : { topK: top_k }),
    ...(top_p === undefined ? {} : { topP: top_p }),
    ...(min_p === undefined ? {} : { minP: min_p }),
    ...(repetition_penalty === undefined ? {} : { repetitionPenalty: repetition_penalty }),
    ...(frequency_penalty === undefined ? {} : { frequencyPenalty: frequency_penalty }),
    ...(presence_penalty === undefined ? {} : { presencePenalty: presence_penalty }),
    ...(logit_bias === undefined ? {} : { logitBias: logit_bias }),
    ...(seed === undefined ? {} : { seed: toSeed(seed, 0) }),
  };
}

/** Any whole number as 32 bits; the texts of one request count on from it. */
export function toSeed(seed: number, choice: number): number {
  return Number(BigInt.asUintN(32, BigInt(seed) + BigInt(choice)));
}

function readBias(value: unknown, param: string): ReadonlyMap<number, number> {
  const weight = number(-100, 100);
  const bias = new Map<number, number>();
  for (const [key, element] of Object.entries(anObject(value, param))) {
    if (!/^\d{1,9}$/.test(key)) throw badField(param, "keys must be token ids.");
    bias.set(Number(key), weight(element, `${param}.${key}`));
  }
  return bias;
}

function checkBias(bias: ReadonlyMap<number, number>, { codec }: Engine): void {
  if (codec === undefined) return;
  for (const id of bias.keys()) {
    if (id >= codec.vocabSize)
      throw badField("logit_bias", `ids must be below ${codec.vocabSize}, got ${id}.`);
  }
}

/** One text or several. */
export const stopTexts: Read<readonly string[]> = (value, param) => {
  const texts = typeof value === "string" ? [value] : listOf(text, MOST_STOPS)(value, param);
  if (texts.includes("")) throw badField(param, "must not be empty.");
  return texts;
};
