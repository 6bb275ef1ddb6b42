/**
 * Reading JSON by tables. A `Read` turns one value into ours or throws the refusal that names it;
 * an object is a table of them. `null` is the same as absent. A name that is in no table is refused
 * with the nearest that is: what is not understood is never left out in silence.
 */
import { nearestName } from "../../nearest-name.ts";
import { badField, Refusal, unsupported } from "./refusal.ts";

/** @param param where the value stands: "messages[2].content" */
export type Read<T> = (value: unknown, param: string) => T;

/** One row. `absent` makes the value where none is given. */
export interface Field<T> {
  readonly read: Read<T>;
  readonly absent: (param: string) => T;
}

/** Comparing longer ones with what is known would cost more than they are worth. */
const LONGEST_NAME = 60;

export type Fields = Readonly<Record<string, Field<unknown>>>;
export type Values<F extends Fields> = {
  readonly [K in keyof F]: F[K] extends Field<infer T> ? T : never;
};

/** Names that are read besides a table's own. */
export interface OtherFields {
  /** Taken and without effect; each is documented. */
  readonly harmless?: readonly string[];
  /** Known and not served; the text says what to do instead. */
  readonly refused?: Readonly<Record<string, string>>;
}

export function required<T>(read: Read<T>): Field<T> {
  const absent = (param: string): never => {
    throw badField(param, "is required, got none.", "missing_required_parameter");
  };
  return { read, absent };
}

export function optional<T>(read: Read<T>): Field<T | undefined> {
  return { read, absent: () => undefined };
}

export function byDefault<T>(read: Read<T>, value: T): Field<T> {
  return { read, absent: () => value };
}

/** Text as an error may repeat it. */
export function shown(value: unknown): string {
  if (value === null || typeof value === "number" || typeof value === "boolean")
    return String(value);
  if (typeof value === "string") return value.length > 40 ? "a long string" : JSON.stringify(value);
  return Array.isArray(value) ? "an array" : value === undefined ? "none" : "an object";
}

export function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

export const anObject: Read<Readonly<Record<string, unknown>>> = (value, param) => {
  if (isObject(value)) return value;
  throw badField(param, `must be an object, got ${shown(value)}.`, "invalid_type");
};

export const text: Read<string> = (value, param) => {
  if (typeof value === "string") return value;
  throw badField(param, `must be a string, got ${shown(value)}.`, "invalid_type");
};

export const flag: Read<boolean> = (value, param) => {
  if (typeof value === "boolean") return value;
  throw badField(param, `must be true or false, got ${shown(value)}.`, "invalid_type");
};

/** A finite number in [min, max]. */
export function number(min: number, max: number): Read<number> {
  return (value, param) => {
    if (typeof value === "number" && value >= min && value <= max) return value;
    const rule = `must be a number between ${min} and ${max}, got ${shown(value)}.`;
    throw badField(param, rule, typeof value === "number" ? "invalid_value" : "invalid_type");
  };
}

/** A whole number in [min, max]. */
export function integer(min: number, max: number): Read<number> {
  return (value, param) => {
    if (Number.isSafeInteger(value) && (value as number) >= min && (value as number) <= max)
      return value as number;
    const rule = `must be a whole number between ${min} and ${max}, got ${shown(value)}.`;
    throw badField(param, rule, typeof value === "number" ? "invalid_value" : "invalid_type");
  };
}

export function oneOf<const T extends string>(...words: readonly T[]): Read<T> {
  return (value, param) => {
    if (words.includes(value as T)) return value as T;
    throw badField(param, `must be one of ${words.join(", ")}, got ${shown(value)}.`);
  };
}

export function listOf<T>(read: Read<T>, most: number): Read<readonly T[]> {
  return (value, param) => {
    if (!Array.isArray(value))
      throw badField(param, `must be an array, got ${shown(value)}.`, "invalid_type");
    if (value.length > most)
      throw badField(param, `must have at most ${most} elements, got ${value.length}.`);
    return value.map((element, i) => read(element, `${param}[${i}]`));
  };
}

/** An object by its table, as a value within another. */
export function objectOf<F extends Fields>(fields: F, others: OtherFields = {}): Read<Values<F>> {
  return (value, param) => readFields(anObject(value, param), fields, others, `${param}.`);
}

/** A whole request. */
export function readRequest<F extends Fields>(
  body: unknown,
  fields: F,
  others: OtherFields = {},
): Values<F> {
  if (isObject(body)) return readFields(body, fields, others, "");
  throw new Refusal(400, `The body must be a JSON object, got ${shown(body)}.`, {
    code: "invalid_type",
  });
}

function readFields<F extends Fields>(
  object: Readonly<Record<string, unknown>>,
  fields: F,
  others: OtherFields,
  prefix: string,
): Values<F> {
  for (const name of Object.keys(object)) refuseUnknown(name, object[name], fields, others, prefix);
  const values: Record<string, unknown> = {};
  for (const [name, field] of Object.entries(fields)) {
    const value = Object.hasOwn(object, name) ? object[name] : undefined;
    const param = prefix + name;
    const absent = value === undefined || value === null;
    values[name] = absent ? field.absent(param) : field.read(value, param);
  }
  return values as Values<F>;
}

function refuseUnknown(
  name: string,
  value: unknown,
  fields: Fields,
  { harmless = [], refused = {} }: OtherFields,
  prefix: string,
): void {
  if (Object.hasOwn(fields, name) || harmless.includes(name)) return;
  if (Object.hasOwn(refused, name)) {
    if (value === null) return;
    throw unsupported(prefix + name, `is not supported. ${refused[name]}`);
  }
  const known = [...Object.keys(fields), ...harmless];
  const nearest = name.length > LONGEST_NAME ? undefined : nearestName(name, known);
  const hint = nearest === undefined ? "See docs/server.md." : `Did you mean "${nearest}"?`;
  const param = prefix + name.slice(0, LONGEST_NAME);
  throw badField(param, `unknown field. ${hint}`, "unknown_parameter");
}
