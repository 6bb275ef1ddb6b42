/**
 * The names in `report.json` that a program may count on, whatever the stages call them: each is
 * there, with null where the run did not measure it.
 */
import { isNumber } from "./figures.ts";
import type { StageName } from "./record.ts";
import type { Json, JsonObject } from "./snake-case.ts";

/** A name and the key under which it is found. */
type Promises = Readonly<Record<string, string>>;

export const stagePromises: Readonly<Record<StageName, Promises>> = {
  pretrain: { val_bpb: "val_bpb" },
  sft: { val_loss: "val_loss" },
  reward: {
    accuracy: "accuracy",
    low: "accuracy_low",
    high: "accuracy_high",
    n: "held_prompts",
  },
  rl: {
    pass1_before: "pass_before",
    pass1_after: "pass_after",
  },
};

/** Of a language model, besides every row under `suite.name`. */
export const evalPromises: Promises = {
  well_formed: "assistant.well_formed_turns",
  exact_tool_call: "assistant.exact_call_calculator",
  final_answer: "assistant.solved_calculator",
};

/** @param found a stage's result, or an evaluation's rows */
export function keepPromises(promises: Promises, found: JsonObject): JsonObject {
  const kept = Object.entries(promises).map(([name, key]) => [name, found[key] ?? null] as const);
  return Object.fromEntries(kept);
}

/** A share with its interval. */
export interface Rate {
  readonly value: number;
  readonly low: number;
  readonly high: number;
}

/** @returns undefined when a part is missing */
export function rateOf(found: Json | undefined): Rate | undefined {
  if (typeof found !== "object" || found === null) return undefined;
  const { value, low, high } = found as JsonObject;
  return isNumber(value) && isNumber(low) && isNumber(high) ? { value, low, high } : undefined;
}
