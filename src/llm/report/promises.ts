/**
 * The names in `report.json` that a program may count on, whatever the stages call them: each is
 * there, with null where the run did not measure it.
 */
import type { StageName } from "./record.ts";
import type { Json, JsonObject } from "./snake-case.ts";

/** A name and where it is found: the first of these paths that holds something. */
type Promises = Readonly<Record<string, readonly string[]>>;

export const stagePromises: Readonly<Record<StageName, Promises>> = {
  pretrain: { val_bpb: ["val_bpb"] },
  sft: { val_loss: ["val_loss"] },
  reward: {
    accuracy: ["accuracy", "held.accuracy"],
    low: ["low", "held.low"],
    high: ["high", "held.high"],
    n: ["n", "prompts", "held.prompts"],
  },
  rl: {
    pass1_before: ["pass1_before", "pass_before"],
    pass1_after: ["pass1_after", "pass_after"],
  },
};

/** Of a language model, besides every row under `suite.name`. */
export const evalPromises: Promises = {
  well_formed: ["assistant.well_formed_turns"],
  exact_tool_call: ["assistant.exact_call_calculator"],
  final_answer: ["assistant.solved_calculator"],
};

/** @param found a stage's result, or an evaluation's rows */
export function keepPromises(promises: Promises, found: JsonObject): JsonObject {
  const kept = Object.entries(promises).map(([name, paths]): [string, Json] => {
    const values = paths.map((path) => valueAt(found, path));
    return [name, values.find((value) => value !== undefined && value !== null) ?? null];
  });
  return Object.fromEntries(kept);
}

/** Under the whole path as one key, else step by step. */
function valueAt(found: JsonObject, path: string): Json | undefined {
  if (path in found) return found[path];
  let value: Json | undefined = found;
  for (const key of path.split(".")) {
    if (typeof value !== "object" || value === null || Array.isArray(value)) return undefined;
    value = (value as JsonObject)[key];
  }
  return value;
}
