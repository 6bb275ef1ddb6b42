/**
 * Which model a request means. There is one; leaving the name out means it too.
 */
import { type Field, optional, text } from "./field.ts";
import { Refusal } from "./refusal.ts";

export const modelField: Field<string | undefined> = optional(text);

/** Taken from every request and without effect: they are for accounting at the provider. */
export const harmlessFields: readonly string[] = [
  "user",
  "metadata",
  "service_tier",
  "safety_identifier",
  "prompt_cache_key",
  "prompt_cache_retention",
];

/** @throws Refusal 404 */
export function checkModel(asked: string | undefined, served: string): void {
  if (asked === undefined || asked === served) return;
  const shown = asked.length > 100 ? `${asked.slice(0, 100)}…` : asked;
  const message = `The model "${shown}" does not exist here; this server has "${served}".`;
  throw new Refusal(404, message, { param: "model", code: "model_not_found" });
}
