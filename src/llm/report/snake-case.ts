/** Names and values as `report.json` holds them: snake_case keys, finite numbers or null. */
import { finiteOrNull } from "./figures.ts";

export type Json =
  | string
  | number
  | boolean
  | null
  | readonly Json[]
  | { readonly [key: string]: Json };

export type JsonObject = { readonly [key: string]: Json };

/** "passBefore", "exact call: steps" → pass_before, exact_call_steps */
export function snakeCase(name: string): string {
  return name
    .replace(/(\p{Ll}|\d)(\p{Lu})/gu, "$1_$2")
    .toLowerCase()
    .replace(/[^\p{L}\p{N}]+/gu, "_")
    .replace(/^_|_$/g, "");
}

/** Plain data under snake_case keys, at every depth; keys without a value are left out. */
export function toJson(value: unknown): Json {
  if (typeof value === "number") return finiteOrNull(value);
  if (typeof value === "string" || typeof value === "boolean") return value;
  if (Array.isArray(value)) return value.map(toJson);
  return typeof value === "object" && value !== null ? toJsonObject(value) : null;
}

export function toJsonObject(value: object): JsonObject {
  const entries = Object.entries(value).filter(([, part]) => part !== undefined);
  return Object.fromEntries(entries.map(([key, part]) => [snakeCase(key), toJson(part)]));
}
