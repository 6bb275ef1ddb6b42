/**
 * What each argument of a tool is to the world outside, read off the tool's schema by one
 * conservative table: the first row whose pattern fits the argument's name decides, and an argument
 * that fits none is a target wherever the tool writes or sends. Effects are as strict: what nobody
 * declared harmless writes, and what nobody declared undoable is irreversible. A suite may say
 * better in `NAME.sinks.json`: { TOOL: { ARGUMENT: KIND } }.
 *
 * The table never reads a description: those are the tool server's words.
 */
import { NutshellError } from "../../src/error.ts";
import type { Capability } from "../../src/os/security/capability.ts";
import type { Source } from "../../src/os/security/label.ts";
import type { SinkKind } from "../../src/os/security/policy.ts";
import { type JsonObject, type ToolSpec, toObject } from "./suite-format.ts";

export type SinkOverrides = Readonly<Record<string, Readonly<Record<string, SinkKind>>>>;

export interface ToolRow {
  readonly name: string;
  readonly access: "read" | "write" | "egress";
  readonly irreversible: boolean;
  readonly sinks: Readonly<Record<string, SinkKind>>;
  readonly parameters: JsonObject;
  readonly source?: Source;
  /** Of a read that fetches from elsewhere: the argument that says where. */
  readonly fetches?: string;
}

const kinds: readonly SinkKind[] = [
  ...(["recipient", "target", "url", "path", "content", "code", "neutral"] as const),
];

/** Names as words: "new_owner_email" and "newOwnerEmail" are "new owner email". */
const patterns: readonly (readonly [RegExp, SinkKind])[] = [
  [/\b(id|ids)$/, "target"],
  [/\b(url|uri|link|links|href|website|webpage|endpoint|domain|domains)\b/, "url"],
  [/\b(path|paths|dir|directory|folder|file ?name|filenames?)\b/, "path"],
  [/\b(command|commands|code|script|sql|program|expression)\b/, "code"],
  [/\b(recipients?|to|cc|bcc|e?mails?|participants?|payees?|iban|invitees?)\b/, "recipient"],
  [/\b(addressees?|collaborators?|guests?|owner|attendees?|receivers?|channel)\b/, "recipient"],
  [/\b(body|subject|message|content|contents|text|title|description|comment)\b/, "content"],
  [/\b(comments|note|notes|summary|caption|review|reason|location)\b/, "content"],
];

export function toRow(tool: ToolSpec, override: SinkOverrides = {}): ToolRow {
  const access = tool.egress ? "egress" : tool.effect;
  const properties = Object.keys(toObject(tool.parameters.properties ?? {}, tool.name));
  const given = override[tool.name] ?? {};
  const sinks = properties.map((name) => [name, given[name] ?? kindOf(name, access)] as const);
  const fetches =
    tool.effect === "read" ? sinks.find(([, kind]) => kind === "url")?.[0] : undefined;
  return {
    ...{ name: tool.name, access, sinks: Object.fromEntries(sinks) },
    ...(fetches !== undefined && { fetches }),
    irreversible: tool.effect !== "read" && tool.undoable !== true,
    parameters: tool.parameters,
    ...(tool.source !== undefined && { source: tool.source }),
  };
}

/** Every call, and the whole tree of files that the tools know: what a suite grants its user. */
export function everyRight(rows: Iterable<ToolRow>): Capability[] {
  const places = [...rows].flatMap(({ name, sinks }): Capability[] => {
    const paths = Object.entries(sinks).filter(([, kind]) => kind === "path");
    const where = Object.fromEntries(paths.map(([argument]) => [argument, { under: "/" }]));
    return paths.length === 0 ? [] : [{ call: name, where }];
  });
  return [{ call: "*" }, ...places];
}

function kindOf(argument: string, access: ToolRow["access"]): SinkKind {
  const words = toWords(argument);
  const kind = patterns.find(([pattern]) => pattern.test(words))?.[1];
  if (access === "read") return "neutral";
  return kind ?? "target";
}

function toWords(name: string): string {
  const spaced = name.replaceAll(/([a-z0-9])([A-Z])/g, "$1 $2").replaceAll(/[_.-]+/g, " ");
  return spaced.toLowerCase();
}

/** @throws NutshellError DATA for an unknown kind of sink */
export function readOverrides(value: unknown, where: string): SinkOverrides {
  const tools = Object.entries(toObject(value, where));
  return Object.fromEntries(
    tools.map(([tool, args]) => {
      const rows = Object.entries(toObject(args, `${where}/${tool}`));
      return [tool, Object.fromEntries(rows.map((row) => [row[0], toKind(row[1], where)]))];
    }),
  );
}

function toKind(value: unknown, where: string): SinkKind {
  const kind = kinds.find((one) => one === value);
  if (kind !== undefined) return kind;
  const got = JSON.stringify(value);
  throw new NutshellError("DATA", `${where}: a sink is ${kinds.join(", ")}, got ${got}.`);
}
