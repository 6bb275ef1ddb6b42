/**
 * One text for one value, as RFC 8785 orders it: keys by UTF-16 code units, numbers as ECMAScript
 * writes them (-0 is 0), no spaces. What is hashed, sealed or journaled is this text. Beyond the
 * RFC, a lone surrogate keeps its `\ud800` escape, so that every string has a text of its own.
 *
 * Takes plain data alone: a hostile value is refused by name, never followed into a hang.
 */
import { sha256 } from "@noble/hashes/sha2.js";
import { bytesToHex, utf8ToBytes } from "@noble/hashes/utils.js";
import { NutshellError } from "../../error.ts";
import type { Json } from "./labelled.ts";

export interface CanonicalLimits {
  /** Arrays and objects within each other. */
  readonly depth: number;
  /** Of the whole text, in UTF-16 code units. */
  readonly chars: number;
}

const defaultLimits: CanonicalLimits = { depth: 256, chars: 64 * 2 ** 20 };

/**
 * A property whose value is undefined is left out, as JSON does.
 * @throws NutshellError DENIED: no JSON, or beyond the limits
 */
export function canonicalJson(value: Json, limits: CanonicalLimits = defaultLimits): string {
  let left = limits.chars;
  const spend = (chars: number): void => {
    left -= chars;
    if (left < 0) throw refused(`at most ${limits.chars} characters`, "more");
  };
  const write = (part: unknown, depth: number): string => {
    if (part === null || typeof part !== "object") return writeScalar(part);
    if (depth === 0) throw refused(`at most ${limits.depth} levels`, "more");
    return Array.isArray(part) ? writeArray(part, depth - 1) : writeObject(part, depth - 1);
  };
  const writeScalar = (part: unknown): string => {
    const text = scalar(part);
    spend(text.length);
    return text;
  };
  const writeArray = (items: readonly unknown[], depth: number): string => {
    spend(items.length + 1); // brackets and commas, before a hostile length is walked
    return `[${Array.from(items, (item) => write(item, depth)).join(",")}]`;
  };
  const writeObject = (object: object, depth: number): string => {
    const fields = ownFields(object);
    spend(2 * fields.length + 1);
    return `{${fields.map(([key, field]) => `${writeScalar(key)}:${write(field, depth)}`).join(",")}}`;
  };
  return write(value, limits.depth);
}

/** SHA-256 of the canonical text in UTF-8, in hex. */
export function digest(value: Json): string {
  return bytesToHex(sha256(utf8ToBytes(canonicalJson(value))));
}

function scalar(value: unknown): string {
  if (value === null || typeof value === "boolean") return String(value);
  if (typeof value === "string") return JSON.stringify(value);
  if (typeof value !== "number") throw refused("plain JSON", typeof value);
  if (!Number.isFinite(value)) throw refused("finite numbers", String(value));
  return String(value);
}

/** In order of their keys. Getters, symbols and objects of a class are not data. */
function ownFields(object: object): [string, unknown][] {
  const prototype: unknown = Object.getPrototypeOf(object);
  if (prototype !== Object.prototype && prototype !== null)
    throw refused("plain objects", "a class");
  const fields: [string, unknown][] = [];
  for (const key of Object.keys(object).sort()) {
    const property = Object.getOwnPropertyDescriptor(object, key);
    if (property === undefined || property.get !== undefined) throw refused("data", "a getter");
    if (property.value !== undefined) fields.push([key, property.value]);
  }
  return fields;
}

function refused(rule: string, got: string): NutshellError {
  return new NutshellError("DENIED", `canonical JSON: a value must have ${rule}, got ${got}.`);
}
