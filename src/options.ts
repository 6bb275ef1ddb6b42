/**
 * Option tables: a stage's configuration or a command's flags, declared once. Types, defaults,
 * command-line flags, `--help`, validation and the stored config all derive from the table.
 *
 * Order of precedence: default < preset < file < flag. A row whose type ends in `?` may be absent
 * ("let the program choose"); the word `auto` sets a numeric one back to absent. A value that
 * breaks a rule throws CONFIG when it came from a file or preset, USAGE from the command line.
 */
import { type ErrorCode, NutshellError } from "./error.ts";
import { suggestName } from "./nearest-name.ts";

/** One row. `flag` defaults to the key in kebab-case; `check` returns what is wrong, if anything. */
export interface Option<T> {
  readonly value: T;
  readonly doc: string;
  readonly flag?: string;
  readonly placeholder?: string;
  readonly choices?: readonly T[];
  check?(value: NonNullable<T>): string | undefined;
}

/** `undefined` in T means "may be absent"; the row then names its `type` as the default cannot. */
export type OptionRow =
  | (Option<number> & { readonly type: "number" | "integer" })
  | (Option<number | undefined> & { readonly type: "number?" | "integer?" })
  | (Option<string> & { readonly type: "string" })
  | (Option<string | undefined> & { readonly type: "string?" })
  | (Option<boolean> & { readonly type: "boolean" });

export type OptionTable = Readonly<Record<string, OptionRow>>;

interface TypeOf {
  number: number;
  integer: number;
  string: string;
  boolean: boolean;
  "number?": number | undefined;
  "integer?": number | undefined;
  "string?": string | undefined;
}

type ValueOf<R extends OptionRow> = R extends {
  readonly type: "string";
  readonly choices: readonly (infer Choice)[];
}
  ? Choice
  : TypeOf[R["type"]];

/** The plain object that a table describes; a string row with `choices` is their union. */
export type OptionValues<T extends OptionTable> = { -readonly [K in keyof T]: ValueOf<T[K]> };

type RowFor<V> = [V] extends [boolean]
  ? Option<boolean> & { readonly type: "boolean" }
  : [V] extends [number]
    ? Option<number> & { readonly type: "number" | "integer" }
    : [V] extends [number | undefined]
      ? Option<number | undefined> & { readonly type: "number?" | "integer?" }
      : [V] extends [string]
        ? RowForString<V>
        : Option<string | undefined> & { readonly type: "string?" };

type RowForString<V extends string> = string extends V
  ? Option<string> & { readonly type: "string" }
  : Option<V> & { readonly type: "string"; readonly choices: readonly V[] };

/** The table of a config that has a name: `const rows: OptionTableFor<PretrainConfig> = {…}`. */
export type OptionTableFor<V> = { readonly [K in keyof V]-?: RowFor<V[K]> };

/** Values from one place: a preset, a config file, the flags. `from` names it in errors. */
export interface OptionLayer {
  readonly from: string;
  readonly values: Readonly<Record<string, unknown>>;
}

/** What a command line gave: only the options that were written, and the words between them. */
export interface ParsedOptions<T extends OptionTable> {
  readonly given: Partial<OptionValues<T>>;
  readonly positionals: readonly string[];
}

type Value = number | string | boolean | undefined;

/** @returns the flag of a row without dashes: its own, or the key in kebab-case. */
export function flagOf(key: string, row: OptionRow): string {
  return row.flag ?? key.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
}

/** A `check` for numbers in [min, max], both included. */
export function inRange(min: number, max: number): (value: number) => string | undefined {
  const rule = max === Number.POSITIVE_INFINITY ? `${min} or more` : `between ${min} and ${max}`;
  return (value) => (value >= min && value <= max ? undefined : `must be ${rule}`);
}

/** A `check` for numbers greater than zero. */
export function positive(value: number): string | undefined {
  return value > 0 ? undefined : "must be greater than 0";
}

/**
 * Reads a command line: `--flag value`, `--flag=value`, `--switch`, `--no-switch`, and `--` before
 * words that start with a dash.
 * @throws NutshellError USAGE for an unknown flag, a missing value or one that breaks its rule
 */
export function parseOptions<T extends OptionTable>(
  table: T,
  argv: readonly string[],
): ParsedOptions<T> {
  const flags = flagIndex(table);
  const given: Record<string, Value> = {};
  const positionals: string[] = [];
  for (let i = 0; i < argv.length; i++) {
    const word = argv[i] ?? "";
    if (word === "--") {
      positionals.push(...argv.slice(i + 1));
      break;
    }
    if (!word.startsWith("--")) {
      positionals.push(word);
      continue;
    }
    const flag = readFlag(flags, word, argv[i + 1]);
    given[flag.key] = flag.value;
    if (flag.tookNext) i++;
  }
  return { given: given as Partial<OptionValues<T>>, positionals };
}

/**
 * Defaults, then each layer in turn over the ones before it.
 * @throws NutshellError CONFIG for an unknown key or a value that breaks its row's rule
 */
export function resolveOptions<T extends OptionTable>(
  table: T,
  ...layers: readonly OptionLayer[]
): OptionValues<T> {
  const values: Record<string, Value> = {};
  for (const [key, row] of Object.entries(table)) values[key] = row.value;
  for (const { from, values: layer } of layers) {
    for (const [key, value] of Object.entries(layer)) {
      const row = Object.hasOwn(table, key) ? table[key] : undefined;
      if (row === undefined) throw unknownKey(from, key, Object.keys(table));
      values[key] = checkValue(row, value, "CONFIG", `${from}: ${key}`);
    }
  }
  return values as OptionValues<T>;
}

interface FlagTarget {
  readonly key: string;
  readonly row: OptionRow;
  readonly negated: boolean;
}

function flagIndex(table: OptionTable): ReadonlyMap<string, FlagTarget> {
  const index = new Map<string, FlagTarget>();
  for (const [key, row] of Object.entries(table)) {
    const flag = flagOf(key, row);
    index.set(`--${flag}`, { key, row, negated: false });
    if (row.type === "boolean") index.set(`--no-${flag}`, { key, row, negated: true });
  }
  return index;
}

function readFlag(
  flags: ReadonlyMap<string, FlagTarget>,
  word: string,
  next: string | undefined,
): { key: string; value: Value; tookNext: boolean } {
  const equals = word.indexOf("=");
  const flag = equals < 0 ? word : word.slice(0, equals);
  const inline = equals < 0 ? undefined : word.slice(equals + 1);
  const target = flags.get(flag);
  if (target === undefined) throw unknownFlag(flag, [...flags.keys()]);
  const { key, row, negated } = target;
  if (row.type === "boolean")
    return { key, value: readSwitch(flag, inline, negated), tookNext: false };
  const text = inline ?? next;
  if (text === undefined || (inline === undefined && flags.has(text))) {
    throw new NutshellError(
      "USAGE",
      `${flag}: needs a value, got none. Write ${flag} ${hint(row)}.`,
    );
  }
  const value = checkValue(row, toValue(row, text), "USAGE", flag);
  return { key, value, tookNext: inline === undefined };
}

function readSwitch(flag: string, inline: string | undefined, negated: boolean): boolean {
  if (inline === undefined) return !negated;
  if (!negated && (inline === "true" || inline === "false")) return inline === "true";
  throw new NutshellError(
    "USAGE",
    `${flag}: takes no value, got "${inline}". Write ${flag} alone.`,
  );
}

/** Text of a flag as the row's type; text that is not a number stays text, for `checkValue`. */
function toValue(row: OptionRow, text: string): Value {
  if (row.type === "string" || row.type === "string?") return text;
  const digits = text.replaceAll("_", "");
  const value = digits.trim() === "" ? Number.NaN : Number(digits);
  return Number.isNaN(value) ? text : value;
}

/** @returns the value that the row will hold, with `auto` and `null` read as absent. */
function checkValue(row: OptionRow, value: unknown, code: ErrorCode, where: string): Value {
  const numeric = row.type.startsWith("number") || row.type.startsWith("integer");
  if (row.type.endsWith("?")) {
    if (value === undefined || value === null || (numeric && value === "auto")) return undefined;
  }
  const broken = brokenRule(row, value);
  if (broken === undefined) return value as Value;
  throw new NutshellError(code, `${where} ${broken}, got ${JSON.stringify(value)}. ${row.doc}`);
}

function brokenRule(row: OptionRow, value: unknown): string | undefined {
  const type = row.type.replace("?", "");
  const base = type === "integer" ? "number" : type;
  if (typeof value !== base) return `must be ${type === "integer" ? "an" : "a"} ${type}`;
  if (base === "number" && !Number.isFinite(value)) return "must be finite";
  if (type === "integer" && !Number.isSafeInteger(value)) return "must be a whole number";
  const choices: readonly unknown[] | undefined = row.choices;
  if (choices !== undefined && !choices.includes(value)) {
    return `must be one of ${choices.join(", ")}`;
  }
  const check = row.check as ((value: unknown) => string | undefined) | undefined;
  return check?.(value);
}

function hint(row: OptionRow): string {
  return row.placeholder ?? row.choices?.join("|") ?? row.type.replace("?", "").toUpperCase();
}

function unknownFlag(flag: string, known: readonly string[]): NutshellError {
  return new NutshellError("USAGE", `${flag}: unknown flag. ${suggestName(flag, known)}`);
}

function unknownKey(from: string, key: string, known: readonly string[]): NutshellError {
  return new NutshellError("CONFIG", `${from}: unknown key "${key}". ${suggestName(key, known)}`);
}
