/**
 * Labels as JSON, for journals, files, pages and messages. What comes back is checked form by form:
 * a label that cannot be read is refused, never guessed, for a lost source would be a lie.
 *
 *     label  {"integrity": ["file:a.txt", "user"], "readers": "public" | ["ann"],
 *             "influence": [["question", bits | "unbounded"]]}
 *     tree   {"label": label, "items": [tree]} or {"label": label, "keys": [["key", tree]]}
 */
import { NutshellError } from "../../error.ts";
import type { Label, Source } from "./label.ts";
import type { Json, LabelTree } from "./labelled.ts";

const maxDepth = 256;
const sourcePattern = /^(?:user|config|(?:tool|origin|file|agent|model):[\s\S]+)$/;

export function toLabelJson({ integrity, readers, influence }: Label): Json {
  const questions = [...influence].sort(([a], [b]) => (a < b ? -1 : 1));
  return {
    integrity: [...integrity].sort(),
    readers: readers === "public" ? readers : [...readers].sort(),
    influence: questions.map(([question, bits]) => {
      return [question, Number.isFinite(bits) ? bits : "unbounded"];
    }),
  };
}

/** @throws NutshellError DENIED: it is not the form that `toLabelJson` gives */
export function fromLabelJson(json: unknown): Label {
  const { integrity, readers, influence } = fields(json, "integrity readers influence");
  return {
    integrity: new Set(list(integrity).map(toSource)),
    readers: readers === "public" ? readers : new Set(list(readers).map(toText)),
    influence: toMap(list(influence).map(toPair), toBits),
  };
}

export function toLabelTreeJson({ label, parts }: LabelTree): Json {
  const own = { label: toLabelJson(label) };
  if (parts === undefined) return own;
  if (!(parts instanceof Map)) return { ...own, items: [...parts.values()].map(toLabelTreeJson) };
  return { ...own, keys: [...parts].map(([key, part]) => [key, toLabelTreeJson(part)]) };
}

/** @throws NutshellError DENIED: it is not the form that `toLabelTreeJson` gives */
export function fromLabelTreeJson(json: unknown, depth: number = maxDepth): LabelTree {
  if (depth === 0) throw refused(`at most ${maxDepth} levels`);
  const below = (part: unknown): LabelTree => fromLabelTreeJson(part, depth - 1);
  const kind = Object.keys(Object(json)).find((key) => key === "items" || key === "keys");
  const { label: own, items, keys } = fields(json, `label ${kind ?? ""}`.trim());
  const label = fromLabelJson(own);
  if (kind === undefined) return { label };
  if (kind === "items") return { label, parts: list(items).map(below) };
  return { label, parts: toMap(list(keys).map(toPair), below) };
}

function toBits(json: unknown): number {
  if (json === "unbounded") return Number.POSITIVE_INFINITY;
  if (typeof json === "number" && json >= 0) return json;
  throw refused("bits of influence that are not negative");
}

/** A key that stands twice would hide what the first one says. */
function toMap<T>(pairs: [string, unknown][], from: (json: unknown) => T): Map<string, T> {
  const map = new Map(pairs.map(([key, json]) => [key, from(json)]));
  if (map.size === pairs.length) return map;
  throw refused("each key once");
}

function toSource(json: unknown): Source {
  if (sourcePattern.test(toText(json))) return json as Source;
  throw refused("sources: user, config, or tool:, origin:, file:, agent:, model: and a name");
}

/** The object's fields: these, and no other. */
function fields(json: unknown, names: string): Record<string, unknown> {
  const found = typeof json === "object" && json !== null ? Object.keys(json) : [];
  if (found.toSorted().join(" ") === names.split(" ").toSorted().join(" ")) {
    return json as Record<string, unknown>;
  }
  throw refused(`an object of ${names}`);
}

function list(json: unknown): readonly unknown[] {
  if (Array.isArray(json)) return json;
  throw refused("a list");
}

function toPair(json: unknown): [string, unknown] {
  const [first, second, ...more] = list(json);
  if (more.length > 0) throw refused("pairs");
  return [toText(first), second];
}

function toText(json: unknown): string {
  if (typeof json === "string") return json;
  throw refused("text");
}

function refused(rule: string): NutshellError {
  return new NutshellError("DENIED", `label: must have ${rule}, got another form.`);
}
