/**
 * The mixture file: sources with their places, licences and weights, and how they are mixed.
 *
 *     {
 *       "sources": [
 *         {"name": "laws", "path": "laws/", "licence": "public domain", "language": "en",
 *          "card": "…", "domain": "books", "weight": 2, "maxEpochs": 4},
 *         {"name": "mine", "code": "../src", "licence": "MIT"},
 *         {"name": "stories", "builtin": "stories"}
 *       ],
 *       "preset": "as-given", "temperature": 1,
 *       "schedule": [{"at": 0.9, "weights": {"laws": 5}}]
 *     }
 *
 * Paths are relative to the file. Either all sources have a weight or none has; then it is by size.
 */

import { NutshellError } from "../../../error.ts";
import { suggestName } from "../../../nearest-name.ts";
import { type MixturePreset, mixturePresets } from "../mixture/presets.ts";
import { requireNames, type SchedulePoint } from "../mixture/schedule.ts";
import { type Domain, domains } from "./source.ts";

/** How the sources are mixed; absent: not said. */
export interface MixtureSettings {
  readonly preset?: MixturePreset;
  readonly temperature?: number;
  readonly schedule?: readonly SchedulePoint[];
}

/** One row of `sources`; exactly one of `paths`, `code` and `builtin` is there. */
export interface SourceRow {
  readonly name: string;
  readonly paths?: readonly string[];
  readonly code?: string;
  readonly builtin?: string;
  readonly licence?: string;
  readonly language?: string;
  readonly card?: string;
  readonly domain?: Domain;
  readonly weight?: number;
  readonly maxEpochs?: number;
}

export interface MixtureFile extends MixtureSettings {
  readonly sources: readonly SourceRow[];
}

type Row = Readonly<Record<string, unknown>>;

/** A rule for one key: what a value must be, and whether it is. */
type Rule = readonly [must: string, fits: (value: unknown) => boolean];

const isText = (value: unknown): boolean => typeof value === "string" && value.trim() !== "";
const isPositive = (value: unknown): boolean => Number.isFinite(value) && (value as number) > 0;
const isRow = (value: unknown): boolean =>
  typeof value === "object" && value !== null && !Array.isArray(value);
const isFilled = (value: unknown): boolean => Array.isArray(value) && value.length > 0;
const isWeight = (value: unknown): boolean => Number.isFinite(value) && (value as number) >= 0;

const text: Rule = ["must be text", isText];

const sourceKeys: Readonly<Record<string, Rule>> = {
  name: [
    "must be text of letters, digits, -, _ and .",
    (value) => isText(value) && /^[\p{L}\p{N}][\p{L}\p{N}_.-]*$/u.test(value as string),
  ],
  path: text,
  paths: [
    "must be a list of paths",
    (value) => isFilled(value) && (value as unknown[]).every(isText),
  ],
  code: text,
  builtin: text,
  licence: text,
  language: [
    "must be a code of two letters such as en",
    (value) => /^[a-z]{2}$/.test(String(value)),
  ],
  card: text,
  domain: [`must be one of ${domains.join(", ")}`, (value) => domains.includes(value as Domain)],
  weight: ["must be a number of at least 0", isWeight],
  maxEpochs: ["must be a number above 0", isPositive],
};

const places = ["path", "paths", "code", "builtin"];

const mixtureKeys: Readonly<Record<string, Rule>> = {
  sources: ["must be a list of sources", isFilled],
  preset: [
    `must be one of ${mixturePresets.join(", ")}`,
    (value) => mixturePresets.includes(value as MixturePreset),
  ],
  temperature: ["must be a number above 0", isPositive],
  schedule: ["must be a list of points", isFilled],
};

const pointKeys: Readonly<Record<string, Rule>> = {
  at: [
    "must be a share of the run (0 … 1) or a step",
    (value) => isWeight(value) && ((value as number) <= 1 || Number.isSafeInteger(value)),
  ],
  weights: ["must give at least one source a weight of at least 0", isWeights],
};

function isWeights(value: unknown): boolean {
  if (!isRow(value)) return false;
  const weights = Object.values(value as Row);
  return weights.length > 0 && weights.every(isWeight);
}

/**
 * @param path names the file in errors
 * @throws CONFIG in one line for text that is not JSON, unknown keys, values that break a rule, two
 *   sources with one name, weights for some sources only
 */
export function parseMixtureFile(json: string, path: string): MixtureFile {
  const file = parseJson(json, path);
  checkKeys(file, mixtureKeys, path);
  if (file.sources === undefined) throw badFile(path, 'must have a list "sources"', "none");
  const sources = (file.sources as unknown[]).map((row, i) => parseSource(row, i, path));
  requireDistinct(sources, path);
  requireWeights(sources, path);
  for (const [i, point] of ((file.schedule as unknown[]) ?? []).entries()) {
    const where = `${path}: schedule[${i}]`;
    if (!isRow(point)) throw badFile(where, "must be an object", show(point));
    checkKeys(point as Row, pointKeys, where);
    requireKeys(point as Row, ["at", "weights"], where);
  }
  const { schedule = [] } = file as MixtureSettings;
  requireNames(
    path,
    schedule,
    sources.map(({ name }) => name),
  );
  return { ...file, sources } as MixtureFile;
}

function parseJson(json: string, path: string): Row {
  let value: unknown;
  try {
    value = JSON.parse(json);
  } catch (cause) {
    throw badFile(path, "must be JSON", (cause as Error).message);
  }
  if (!isRow(value)) throw badFile(path, 'must be an object with "sources"', show(value));
  return value as Row;
}

function parseSource(row: unknown, index: number, path: string): SourceRow {
  if (!isRow(row)) throw badFile(`${path}: sources[${index}]`, "must be an object", show(row));
  const fields = row as Row;
  const name = isText(fields.name) ? `"${fields.name}"` : `sources[${index}]`;
  const where = `${path}: source ${name.replace(/\s+/g, " ")}`;
  checkKeys(fields, sourceKeys, where);
  requireKeys(fields, ["name"], where);
  const given = places.filter((key) => fields[key] !== undefined);
  if (given.length !== 1) {
    const rule = "must have exactly one of path, paths, code and builtin";
    throw badFile(where, rule, given.join(" and ") || "none");
  }
  const { path: onePath, ...rest } = fields;
  return (onePath === undefined ? rest : { ...rest, paths: [onePath] }) as unknown as SourceRow;
}

function checkKeys(row: Row, keys: Readonly<Record<string, Rule>>, where: string): void {
  for (const [key, value] of Object.entries(row)) {
    const rule = Object.hasOwn(keys, key) ? keys[key] : undefined;
    if (rule === undefined) {
      const hint = suggestName(key, Object.keys(keys));
      throw new NutshellError("CONFIG", `${where}: unknown key "${oneLine(key)}". ${hint}`);
    }
    if (!rule[1](value)) throw badFile(`${where}: ${key}`, rule[0], show(value));
  }
}

function requireKeys(row: Row, keys: readonly string[], where: string): void {
  const missing = keys.find((key) => row[key] === undefined);
  if (missing !== undefined) throw badFile(where, `must have "${missing}"`, "none");
}

/** A name is a folder of the prepared data: two that differ only in case would meet there. */
function requireDistinct(sources: readonly SourceRow[], path: string): void {
  const seen = new Map<string, SourceRow>();
  for (const source of sources) {
    const first = seen.get(source.name.toLowerCase());
    if (first !== undefined) {
      const got = `"${first.name}" (${placeOf(first)}) and "${source.name}" (${placeOf(source)})`;
      throw badFile(path, "two sources must not have one name", got, "Rename one of them.");
    }
    seen.set(source.name.toLowerCase(), source);
  }
}

function placeOf({ paths, code, builtin }: SourceRow): string {
  return paths?.join(", ") ?? code ?? `builtin ${builtin}`;
}

function requireWeights(sources: readonly SourceRow[], path: string): void {
  const without = sources.filter(({ weight }) => weight === undefined);
  if (without.length > 0 && without.length < sources.length) {
    const got = `none for ${without.map(({ name }) => name).join(", ")}`;
    throw badFile(path, "all sources must have a weight, or none", got);
  }
  if (sources.every(({ weight }) => weight === 0)) {
    throw badFile(path, "some source must weigh more than 0", "0 for all");
  }
}

function badFile(where: string, rule: string, got: string, fix = "Correct it."): NutshellError {
  return new NutshellError("CONFIG", `${where}: ${rule}, got ${oneLine(got)}. ${fix}`);
}

function show(value: unknown): string {
  return JSON.stringify(value) ?? String(value);
}

function oneLine(value: string): string {
  return value.replace(/\s+/g, " ").slice(0, 160);
}
