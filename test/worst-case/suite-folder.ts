/**
 * Opens a folder of suites: every `.json`, `.json.gz`, `.jsonl` and `.jsonl.gz` below it is read
 * and known by what stands in it, not by its name. What is none of our kinds, torn or broken is
 * skipped and said, with the rest of its file kept: no attack is lost in silence, and none for its
 * neighbour's fault.
 */
import { readdirSync, readFileSync } from "node:fs";
import { basename, dirname, join, relative } from "node:path";
import { gunzipSync } from "node:zlib";
import { NutshellError } from "../../src/error.ts";
import { type AttackerCase, type InjectedCase, toAttacker, toInjected } from "./injecagent.ts";
import { readOverrides, type SinkOverrides } from "./sinks.ts";
import { parseSuite, parseTool, type Suite, type ToolSpec } from "./suite-format.ts";
import { parseTrace, type Trace } from "./trace-format.ts";

/** Unpacked; a suite has about one megabyte. */
const MOST_BYTES = 256 * 2 ** 20;
const KINDS = [".json", ".json.gz", ".jsonl", ".jsonl.gz"] as const;

export interface SuiteFolder {
  readonly suites: readonly Suite[];
  readonly traces: readonly Trace[];
  readonly cases: readonly InjectedCase[];
  readonly attackers: ReadonlyMap<string, AttackerCase>;
  /** Of cases that come as a list of their own. */
  readonly tools: readonly ToolSpec[];
  /** By suite: from `NAME.sinks.json`. */
  readonly overrides: ReadonlyMap<string, SinkOverrides>;
  /** Files, and parts of files, each with what is wrong with it. */
  readonly skipped: readonly string[];
}

type Found = { -readonly [K in keyof SuiteFolder]: SuiteFolder[K] } & {
  suites: Suite[];
  traces: Trace[];
  cases: InjectedCase[];
  attackers: Map<string, AttackerCase>;
  tools: ToolSpec[];
  overrides: Map<string, SinkOverrides>;
  skipped: string[];
};

export function openSuiteFolder(dir: string): SuiteFolder {
  const found: Found = {
    ...{ suites: [], traces: [], cases: [], attackers: new Map() },
    ...{ tools: [], overrides: new Map(), skipped: [] },
  };
  for (const path of listFiles(dir)) addFile(found, path, relative(dir, path));
  return found;
}

function listFiles(dir: string): string[] {
  const entries = readdirSync(dir, { withFileTypes: true, recursive: true });
  return entries
    .filter((entry) => entry.isFile() && KINDS.some((kind) => entry.name.endsWith(kind)))
    .map((entry) => join(entry.parentPath, entry.name))
    .sort();
}

function addFile(found: Found, path: string, name: string): void {
  const faults: string[] = [];
  const rows = collectFaults(faults, () => readRows(path, name)) ?? [];
  for (const [text, where] of rows) collectFaults(faults, () => addRow(found, text, where, faults));
  const [first, ...more] = faults;
  if (first !== undefined)
    found.skipped.push(more.length === 0 ? first : `${first} +${more.length}`);
  else if (rows.length === 0) found.skipped.push(name);
}

type RowText = readonly [text: string, where: string];

/** Lines, or the whole file. */
function readRows(path: string, name: string): readonly RowText[] {
  const text = readText(path);
  if (!/\.jsonl(\.gz)?$/.test(path)) return [[text, name]];
  const lines = text.split("\n").map((line, i): RowText => [line, `${name}:${i + 1}`]);
  return lines.filter(([line]) => line.trim() !== "");
}

/** A list of rows is its rows. */
function addRow(found: Found, text: string, where: string, faults: string[]): void {
  const value = parseJson(text, where);
  if (where.endsWith(".sinks.json")) {
    found.overrides.set(basename(where, ".sinks.json"), readOverrides(value, where));
    return;
  }
  for (const row of Array.isArray(value) ? value : [value]) {
    const kind = rowKinds.find(({ is }) => is(row));
    if (kind === undefined) faults.push(where);
    else collectFaults(faults, () => kind.add(found, row, where, faults));
  }
}

/** @returns undefined where it failed; the fault is said in one line */
function collectFaults<T>(faults: string[], run: () => T): T | undefined {
  try {
    return run();
  } catch (error) {
    if (!(error instanceof NutshellError)) throw error;
    faults.push(error.message);
    return undefined;
  }
}

interface RowKind {
  is(row: unknown): boolean;
  add(found: Found, row: unknown, where: string, faults: string[]): void;
}

const rowKinds: readonly RowKind[] = [
  {
    is: (row) => has(row, "user_tasks", "tools"),
    add: (found, row, where, faults) => found.suites.push(parseSuite(row, where, faults)),
  },
  {
    is: (row) => has(row, "messages", "user_task"),
    add: (found, row, where) => found.traces.push(parseTrace(row, where)),
  },
  {
    is: (row) => has(row, "user_tool", "attacker_tools"),
    add: (found, row, where) => found.cases.push(toInjected(row, where)),
  },
  {
    is: (row) => has(row, "expected_achievement", "tools"),
    add: (found, row, where) => {
      const attacker = toAttacker(row, where);
      found.attackers.set(attacker.id, attacker);
    },
  },
  {
    is: (row) => has(row, "name", "parameters", "toolkit"),
    add: (found, row, where) => found.tools.push(parseTool(row, where)),
  },
];

function has(row: unknown, ...keys: readonly string[]): boolean {
  return typeof row === "object" && row !== null && keys.every((key) => Object.hasOwn(row, key));
}

function readText(path: string): string {
  try {
    const bytes = readFileSync(path);
    const plain = path.endsWith(".gz") ? gunzipSync(bytes, { maxOutputLength: MOST_BYTES }) : bytes;
    return new TextDecoder("utf-8", { fatal: true }).decode(plain);
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    const rule = `a suite's file must be whole, UTF-8, under ${MOST_BYTES / 2 ** 20} MiB`;
    const where = join(basename(dirname(path)), basename(path));
    throw new NutshellError("DATA", `${where}: ${rule}, got: ${why}.`, { cause });
  }
}

function parseJson(text: string, where: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new NutshellError("DATA", `${where}: JSON is needed, got a torn or foreign file.`, {
      cause,
    });
  }
}
