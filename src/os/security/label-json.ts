/**
 * Labels as JSON, for journals, files, pages and messages. What comes back is checked form by form:
 * a label that cannot be read is refused, never guessed, for a lost source would be a lie.
 *
 *     label  {"integrity": ["file:a.txt", "user"], "readers": "public" | ["ann"],
 *             "influence": [["question", bits | "unbounded"]]}
 *     tree   {"label": label, "items": [tree]} or {"label": label, "keys": [["key", tree]]}
 */
import { NutshellError } from "../../error.ts";
import type { Label, Readers, Source } from "./label.ts";
import type { Json, LabelTree } from "./labelled.ts";

const maxDepth = 256;
const sourcePattern = /^(?:user|config|(?:tool|origin|file|agent|model):[\s\S]+)$/;

export function toLabelJson(label: Label): Json {
  const { readers } = label;
  const influence = [...label.influence].sort(([a], [b]) => (a < b ? -1 : 1));
  return {
    integrity: [...label.integrity].sort(),
    readers: readers === "public" ? readers : [...readers].sort(),
    influence: influence.map(([question, bits]) => [question, bitsToJson(bits)]),
  };
}

/** @throws NutshellError DENIED: it is not the form that `toLabelJson` gives */
export function fromLabelJson(json: unknown): Label {
  const { integrity, readers, influence } = fields(json, ["integrity", "readers", "influence"]);
  return {
    integrity: new Set(list(integrity).map(fromSource)),
    readers: fromReaders(readers),
    influence: new Map(list(influence).map(fromInfluence)),
  };
}

export function toLabelTreeJson(tree: LabelTree): Json {
  const label = toLabelJson(tree.label);
  const { parts } = tree;
  if (parts === undefined) return { label };
  if (!(parts instanceof Map)) return { label, items: [...parts.values()].map(toLabelTreeJson) };
  return { label, keys: [...parts].map(([key, part]) => [key, toLabelTreeJson(part)]) };
}

/** @throws NutshellError DENIED: it is not the form that `toLabelTreeJson` gives */
export function fromLabelTreeJson(json: unknown, depth: number = maxDepth): LabelTree {
  if (depth === 0) throw refused(`at most ${maxDepth} levels`);
  const { label: own, items, keys } = fields(json, ["label"], ["items", "keys"]);
  const label = fromLabelJson(own);
  if (items !== undefined && keys !== undefined) throw refused("items or keys, not both");
  if (items !== undefined) {
    return { label, parts: list(items).map((item) => fromLabelTreeJson(item, depth - 1)) };
  }
  if (keys === undefined) return { label };
  const parts = list(keys).map((entry): [string, LabelTree] => {
    const [key, part] = pair(entry);
    return [key, fromLabelTreeJson(part, depth - 1)];
  });
  return { label, parts: new Map(parts) };
}

function bitsToJson(bits: number): Json {
  return Number.isFinite(bits) ? bits : "unbounded";
}

function fromInfluence(json: unknown): [string, number] {
  const [question, bits] = pair(json);
  if (bits === "unbounded") return [question, Number.POSITIVE_INFINITY];
  if (typeof bits === "number" && bits >= 0) return [question, bits];
  throw refused("bits of influence that are not negative");
}

function fromReaders(json: unknown): Readers {
  return json === "public" ? json : new Set(list(json).map(text));
}

function fromSource(json: unknown): Source {
  if (sourcePattern.test(text(json))) return json as Source;
  throw refused(
    "sources that are user, config, or tool:, origin:, file:, agent:, model: and a name",
  );
}

/** The object's fields: all of `required`, any of `optional`, no other. */
function fields(
  json: unknown,
  required: readonly string[],
  optional: readonly string[] = [],
): Record<string, unknown> {
  if (typeof json !== "object" || json === null) throw refused("an object");
  const keys = Object.keys(json);
  const known = keys.every((key) => required.includes(key) || optional.includes(key));
  if (!known || !required.every((key) => keys.includes(key))) {
    throw refused(`an object of ${required.join(", ")}`);
  }
  return json as Record<string, unknown>;
}

function list(json: unknown): readonly unknown[] {
  if (Array.isArray(json)) return json;
  throw refused("a list");
}

function pair(json: unknown): [string, unknown] {
  const [first, second, ...more] = list(json);
  if (more.length > 0) throw refused("pairs");
  return [text(first), second];
}

function text(json: unknown): string {
  if (typeof json === "string") return json;
  throw refused("text");
}

function refused(rule: string): NutshellError {
  return new NutshellError("DENIED", `label: must have ${rule}, got another form.`);
}
