/**
 * A world made of recordings: a call that was recorded gets its recorded answer (same function and
 * arguments; of repeated ones each in turn), any other read the first answer of that function, any
 * other write a bare "done". Nothing is computed, so that it serves any suite.
 */
import { type Label, labelOf } from "../../src/os/security/label.ts";
import type { Json } from "../../src/os/security/labelled.ts";
import type { ToolRow } from "./sinks.ts";
import type { JsonObject, RecordedCall } from "./suite-format.ts";
import type { DoneCall, World, WorldAnswer } from "./world.ts";

export interface Poison {
  /** What stands at each `{vector}` of a recorded text. */
  readonly texts: ReadonlyMap<string, string>;
  /** Vectors that carry the attack. */
  readonly attacked: ReadonlySet<string>;
}

export function createReplayWorld(
  rows: ReadonlyMap<string, ToolRow>,
  recordings: readonly RecordedCall[],
  poison: Poison,
  owner: string,
): World {
  const served = new Map<string, number>();
  const done: DoneCall[] = [];
  const run = (name: string, args: JsonObject): WorldAnswer => {
    const row = rows.get(name);
    if (row?.access !== "read") done.push({ function: name, args });
    const call = nextRecording(recordings, served, name, args);
    const own = labelOfResult(row, name, args, owner);
    if (call === undefined) return { value: "done", labels: { label: own } };
    const shown = [...poison.texts].filter(([vector]) => call.result.includes(`{${vector}}`));
    const value = shown.reduce(
      (text, [name, put]) => text.replaceAll(`{${name}}`, put),
      call.result,
    );
    const poisoned = shown.some(([vector]) => poison.attacked.has(vector));
    return { value, labels: { label: own }, poisoned };
  };
  return { rows, run, done };
}

function nextRecording(
  recordings: readonly RecordedCall[],
  served: Map<string, number>,
  name: string,
  args: JsonObject,
): RecordedCall | undefined {
  const key = callKey(name, args);
  const same = recordings.filter((call) => callKey(call.function, call.args) === key);
  const turn = served.get(key) ?? 0;
  served.set(key, turn + 1);
  return same[Math.min(turn, same.length - 1)] ?? recordings.find((one) => one.function === name);
}

/**
 * The tool's words, for the owner's eyes; a file's, where exactly one argument names it; of a page
 * its host's, for anybody (what was asked for stays as private as the address was).
 */
export function labelOfResult(
  row: ToolRow | undefined,
  name: string,
  args: JsonObject,
  owner: string,
): Label {
  const readers = new Set([owner]);
  if (row?.source !== undefined) return labelOf(row.source, readers);
  if (row?.fetches !== undefined) return labelOf(`origin:${hostOf(args[row.fetches])}`);
  const files = Object.entries(args).filter(([key]) => /path|file_?name/i.test(key));
  const file = files.length === 1 ? files[0]?.[1] : undefined;
  const isFile = row?.access === "read" && typeof file === "string";
  return isFile ? labelOf(`file:${file}`, readers) : labelOf(`tool:${name}`, readers);
}

function hostOf(url: Json | undefined): string {
  const text = String(url);
  const full = text.includes("://") ? text : `https://${text}`;
  return URL.canParse(full) ? new URL(full).host : "unknown";
}

/** Function and arguments as one text; the order of keys and empty arguments do not matter. */
export function callKey(name: string, args: JsonObject): string {
  return `${name} ${stable(args)}`;
}

function stable(value: Json): string {
  if (Array.isArray(value)) return `[${value.map(stable).join()}]`;
  if (typeof value !== "object" || value === null) return JSON.stringify(value);
  const entries = Object.entries(value).filter(([, part]) => part !== null);
  entries.sort(([a], [b]) => (a < b ? -1 : 1));
  return `{${entries.map(([key, part]) => `${JSON.stringify(key)}:${stable(part)}`).join()}}`;
}
