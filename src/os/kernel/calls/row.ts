/** What the kernel's own rows have in common: their results are the kernel's words, for the owner. */
import { type Label, labelOf } from "../../security/label.ts";
import type { Json } from "../../security/labelled.ts";
import type { CallContext, CallResult } from "../syscall.ts";

/** True by construction, so that it may decide things; what chose the call is joined by the gates. */
export function kernelLabel(context: CallContext): Label {
  return labelOf("config", new Set([context.owner]));
}

export function kernelResult(value: Json, context: CallContext): CallResult {
  return { value, labels: { label: kernelLabel(context) } };
}

type Schema = Readonly<Record<string, unknown>>;

export const pidSchema: Schema = { type: "integer", minimum: 1, maximum: 2 ** 31 - 1 };
/** Milliseconds, of a wait or since 1970. */
export const msSchema: Schema = { type: "integer", minimum: 0, maximum: 2 ** 45 };

/** A closed object of these properties. */
export function closed(properties: Schema, required: readonly string[] = []): Schema {
  return { type: "object", properties, required, additionalProperties: false };
}

/** None of the kernel's arguments leaves the system: labels and rights travel along. */
export function neutral(...names: readonly string[]): Readonly<Record<string, "neutral">> {
  return Object.fromEntries(names.map((name) => [name, "neutral" as const]));
}
