/**
 * An app's `app.json`, read as foreign text: every key is known, every value has its form and size,
 * no name is a prototype's, no path leads out of the folder, every right names a call that exists.
 * A manifest only asks; what an app gets is what its person hands over (`grant.ts`).
 *
 *     {
 *       "name": "researcher", "description": "Answers from files, with sources.",
 *       "instructions": "instructions.md", "knowledge": ["glossary.md"],
 *       "devices": ["calculator.*", {"call": "files.read", "where": {"path": {"under": "docs"}}}],
 *       "mode": "handles", "model": "openai/gpt-5", "budget": {"tokens": 200000, "calls": 100}
 *     }
 */
import { NutshellError } from "../../error.ts";
import { suggestName } from "../../nearest-name.ts";
import type { Budget } from "../kernel/process.ts";
import type { Capability } from "../security/capability.ts";

export type PlannerMode = "open" | "handles" | "sealed" | "endorsed";

export interface Manifest {
  readonly name: string;
  readonly description: string;
  /** Path of a text within the folder. */
  readonly instructions: string;
  /** Paths of texts within the folder. */
  readonly knowledge: readonly string[];
  /** Rights that it asks for. */
  readonly devices: readonly Capability[];
  readonly mode: PlannerMode;
  readonly budget: Budget;
  /** Name of an engine; absent: the daemon's default. */
  readonly model?: string;
}

export const MAX_MANIFEST_BYTES: number = 64 << 10;
const NAME = /^[a-z0-9](?:[a-z0-9-]{0,62}[a-z0-9])?$/;
export const plannerModes: readonly PlannerMode[] = ["open", "handles", "sealed", "endorsed"];
const BUDGET_KEYS = ["tokens", "microUsd", "calls", "ms", "influenceBits"];
const CONSTRAINTS: Readonly<Record<string, (value: unknown) => boolean>> = {
  oneOf: (value) => Array.isArray(value) && value.length <= 100 && value.every(isPlain),
  under: (value) => isText(value, 4096),
  host: (value) => isText(value, 255),
  methods: (value) => Array.isArray(value) && value.every((one) => isText(one, 20)),
  path: (value) => isText(value, 4096),
  atMost: (value) => typeof value === "number" && Number.isFinite(value),
};
const poison: ReadonlySet<string> = new Set(["__proto__", "constructor", "prototype"]);

type Fail = (rule: string) => NutshellError;
type Record_ = Readonly<Record<string, unknown>>;
type Reader<T> = (value: unknown, fail: Fail) => T;

const readers: { readonly [K in keyof Manifest]-?: Reader<NonNullable<Manifest[K]>> } = {
  name: (value, fail) => {
    if (typeof value === "string" && NAME.test(value)) return value;
    throw fail('"name" must be 1 to 64 of a-z, 0-9 and -. Name it as its folder');
  },
  description: (value, fail) => {
    if (isText(value, 1024)) return value;
    throw fail('"description" must be a text of 1 to 1024 characters');
  },
  instructions: (value, fail) => {
    if (typeof value === "string" && isInnerPath(value)) return value;
    throw fail('"instructions" must be a path within the folder, as in instructions.md');
  },
  knowledge: (value, fail) => {
    const list = Array.isArray(value) && value.length <= 100 ? value : [0];
    if (list.every((one) => typeof one === "string" && isInnerPath(one))) return list as string[];
    throw fail('"knowledge" must be up to 100 paths within the folder');
  },
  devices: (value, fail) => {
    if (Array.isArray(value) && value.length <= 100) return value.map((one) => toRight(one, fail));
    throw fail('"devices" must be a list of up to 100 rights, as in "files.read"');
  },
  mode: (value, fail) => {
    const mode = plannerModes.find((one) => one === value);
    if (mode !== undefined) return mode;
    const hint = typeof value === "string" ? suggestName(value.slice(0, 64), plannerModes) : "";
    throw fail(`"mode" must be one of ${plannerModes.join(", ")}. ${hint}`);
  },
  budget: (value, fail) => {
    if (!isRecord(value)) throw fail('"budget" must be an object');
    refuseUnknown(value, BUDGET_KEYS, fail);
    const isLimit = (one: unknown) => Number.isSafeInteger(one) && (one as number) >= 0;
    if (Object.values(value).every(isLimit)) return value as Budget;
    throw fail('"budget" must hold whole numbers that are not negative');
  },
  model: (value, fail) => {
    if (isText(value, 200)) return value;
    throw fail('"model" must be the name of an engine');
  },
};

const defaults = { instructions: "instructions.md", knowledge: [], devices: [], budget: {} };

/**
 * @param where for messages: the file's path
 * @param calls names of all system calls
 * @throws NutshellError MANIFEST
 */
export function parseManifest(text: string, where: string, calls: readonly string[]): Manifest {
  const fail: Fail = (rule) => new NutshellError("MANIFEST", `${where}: ${rule}.`);
  if (Buffer.byteLength(text) > MAX_MANIFEST_BYTES)
    throw fail(`must have ${MAX_MANIFEST_BYTES} bytes at most`);
  const json = parseJson(text, fail);
  if (!isRecord(json)) throw fail("must be an object");
  refusePoison(json, fail, 0);
  const keys = Object.keys(readers);
  refuseUnknown(json, keys, fail);
  const given = { ...defaults, mode: "open", ...json };
  const missing = ["name", "description"].find((key) => !Object.hasOwn(given, key));
  if (missing !== undefined) throw fail(`must have "${missing}"`);
  const read = Object.entries(given).map(([key, value]) => {
    return [key, readers[key as keyof Manifest](value, fail)];
  });
  const manifest = Object.fromEntries(read) as Manifest;
  for (const { call } of manifest.devices) checkCall(call, calls, fail);
  return manifest;
}

function parseJson(text: string, fail: Fail): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw fail(`must be JSON, got a fault (${(cause as Error).message.slice(0, 80)})`);
  }
}

function toRight(value: unknown, fail: Fail): Capability {
  const right = typeof value === "string" ? { call: value } : value;
  if (!isRecord(right)) throw fail("a right must be a call's name or an object");
  refuseUnknown(right, ["call", "where", "expires"], fail);
  const { call, where, expires } = right;
  if (!isText(call, 200)) throw fail("a right must name its call");
  if (expires !== undefined && !Number.isSafeInteger(expires))
    throw fail("a right must end at a number of milliseconds");
  if (where !== undefined && !isRecord(where)) throw fail("a right's where must be an object");
  for (const constraint of Object.values(where ?? {})) checkConstraint(constraint, fail);
  return right as unknown as Capability;
}

function checkConstraint(constraint: unknown, fail: Fail): void {
  if (!isRecord(constraint)) throw fail("a constraint must be an object");
  refuseUnknown(constraint, Object.keys(CONSTRAINTS), fail);
  const kinds = ["oneOf", "under", "host", "atMost"].filter((kind) => kind in constraint);
  if (kinds.length !== 1) throw fail("a constraint must be one of oneOf, under, host, atMost");
  for (const [key, value] of Object.entries(constraint))
    if (CONSTRAINTS[key]?.(value) !== true) throw fail(`a constraint's ${key} has a wrong value`);
}

/** `files.*` and `*` are patterns; the rest must be a call that there is. */
function checkCall(call: string, calls: readonly string[], fail: Fail): void {
  const devices = new Set(calls.map((name) => `${name.slice(0, name.indexOf("."))}.*`));
  if (call === "*" || devices.has(call) || calls.includes(call)) return;
  const hint = suggestName(call, [...devices, ...calls]);
  throw fail(`"devices" must name calls that there are, got ${JSON.stringify(call)}. ${hint}`);
}

function refuseUnknown(value: Record_, known: readonly string[], fail: Fail): void {
  const unknown = Object.keys(value).find((key) => !known.includes(key));
  if (unknown === undefined) return;
  const shown = unknown.slice(0, 64);
  throw fail(`unknown key ${JSON.stringify(shown)}. ${suggestName(shown, known)}`);
}

function refusePoison(value: unknown, fail: Fail, depth: number): void {
  if (depth > 16) throw fail("must have 16 levels at most");
  if (typeof value !== "object" || value === null) return;
  for (const [key, part] of Object.entries(value)) {
    if (poison.has(key)) throw fail(`must not have a key ${JSON.stringify(key)}`);
    refusePoison(part, fail, depth + 1);
  }
}

/** Relative, downward, and of visible names that begin with no dot. */
export function isInnerPath(path: string): boolean {
  if (path.length === 0 || path.length > 1024 || /[\\:\p{Cc}\p{Cf}]/u.test(path)) return false;
  return path.split("/").every((name) => name !== "" && !name.startsWith("."));
}

function isRecord(value: unknown): value is Record_ {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function isText(value: unknown, most: number): value is string {
  return typeof value === "string" && value.length > 0 && value.length <= most;
}

function isPlain(value: unknown): boolean {
  return value === null || ["boolean", "number", "string"].includes(typeof value);
}
