/**
 * What several schemas say about one value at once. `expand` follows references and alternatives
 * and merges what is left into `Conditions`, one an alternative: keyword by keyword the stricter
 * of two, so that compiling needs to know neither references nor allOf. The schemas of members
 * and items stay unread until they are asked for, which is what makes recursion finite.
 */

import type { Bound } from "./number-text.ts";
import type { SchemaObject } from "./schema-keywords.ts";
import {
  checkSchema,
  isAnnotation,
  isObject,
  type JsonType,
  jsonTypes,
  unsupported,
  wrong,
} from "./schema-keywords.ts";

export interface Located {
  readonly schema: unknown;
  /** JSON pointer. */
  readonly path: string;
}

/** All of these hold; none: anything does. */
export type Node = readonly Located[];

/** One way to be valid. */
export interface Conditions {
  readonly path: string;
  readonly types: ReadonlySet<JsonType>;
  /** Absent: any. */
  readonly values: readonly unknown[] | undefined;
  readonly properties: ReadonlyMap<string, Node>;
  readonly required: ReadonlySet<string>;
  /** Absent: nothing is said. */
  readonly additional: Node | undefined;
  readonly prefix: readonly Node[];
  readonly items: Node | undefined;
  /** By type: members, items, characters. */
  readonly size: Readonly<Record<"object" | "array" | "string", Span>>;
  readonly patterns: ReadonlyMap<string, string>;
  readonly formats: ReadonlyMap<string, string>;
  readonly low: Bound | undefined;
  readonly high: Bound | undefined;
}

export type Span = readonly [min: number, max: number];

const anyTypes: ReadonlySet<JsonType> = new Set(jsonTypes);
const anySize: Span = [0, Infinity];

function unconditional(path: string): Conditions {
  return {
    ...{ path, types: anyTypes, values: undefined, properties: new Map(), required: new Set() },
    ...{ additional: undefined, prefix: [], items: undefined },
    ...{ size: { object: anySize, array: anySize, string: anySize } },
    ...{ patterns: new Map(), formats: new Map(), low: undefined, high: undefined },
  };
}

/** Alternatives of one schema at most, all combinations counted. */
const MOST_WAYS = 256;

export interface Expansion {
  /** @throws CONFIG, UNSUPPORTED */
  expand(node: Node): readonly Conditions[];
  /** What a schema that is nothing but a reference leads to; others stand for themselves. */
  follow(located: Located): Located;
}

/** @param root what references are resolved in */
export function createExpansion(root: unknown): Expansion {
  const one = (located: Located, behind: readonly string[]): readonly Conditions[] => {
    const { path } = located;
    const schema = checkSchema(located.schema, path);
    if (typeof schema === "boolean") return schema ? [unconditional(path)] : [];
    if (behind.includes(path)) throw wrong(path, "a reference must not lead to itself", behind);
    const inner = (where: string, value: unknown) =>
      one({ schema: value, path: `${path}/${where}` }, [...behind, path]);
    let ways: readonly Conditions[] = [ownConditions(schema, path)];
    if (schema.$ref !== undefined)
      ways = cross(ways, one(resolve(root, schema.$ref, path), [...behind, path]));
    for (const [i, part] of (schema.allOf ?? []).entries())
      ways = cross(ways, inner(`allOf/${i}`, part));
    if (schema.anyOf)
      ways = cross(
        ways,
        schema.anyOf.flatMap((part, i) => inner(`anyOf/${i}`, part)),
      );
    if (schema.oneOf)
      ways = oneOf(
        ways,
        schema.oneOf.map((part, i) => inner(`oneOf/${i}`, part)),
      );
    if (ways.length > MOST_WAYS)
      throw unsupported(path, `more than ${MOST_WAYS} ways`, ways.length);
    return ways;
  };
  const expand = (node: Node): readonly Conditions[] =>
    node.reduce<readonly Conditions[]>(
      (ways, located) => cross(ways, one(located, [])),
      [unconditional(node[0]?.path ?? "#")],
    );
  /** Alternatives of which no text can satisfy two. */
  const oneOf = (ways: readonly Conditions[], branches: readonly (readonly Conditions[])[]) => {
    const merged = branches.map((branch) => cross(ways, branch));
    for (const [i, branch] of merged.entries())
      for (const [k, other] of merged.entries())
        if (i !== k && !branch.every((a) => other.every((b) => areApart(expand, a, b))))
          throw unsupported(branch[0]?.path ?? "#", "oneOf with branches that may overlap", [i, k]);
    return merged.flat();
  };
  const follow = (located: Located): Located => {
    const { schema, path } = located;
    if (!isObject(schema) || !isPlainReference(schema)) return located;
    checkSchema(schema, path);
    return resolve(root, String(schema.$ref), path);
  };
  return { expand, follow };
}

function isPlainReference(schema: Readonly<Record<string, unknown>>): boolean {
  const says = Object.keys(schema).filter((keyword) => !isAnnotation(keyword));
  return says.length === 1 && says[0] === "$ref";
}

function cross(a: readonly Conditions[], b: readonly Conditions[]): readonly Conditions[] {
  return a.flatMap((x) => b.map((y) => merge(x, y)));
}

/** @throws CONFIG when it leads nowhere */
function resolve(root: unknown, reference: string, path: string): Located {
  const names = reference.split("/").slice(1).map(decodePointer);
  let schema = root;
  for (const name of names) {
    const inside = (isObject(schema) || Array.isArray(schema)) && Object.hasOwn(schema, name);
    if (!inside) throw wrong(`${path}/$ref`, "a reference must lead to a schema", reference);
    schema = (schema as Readonly<Record<string, unknown>>)[name];
  }
  return { schema, path: reference };
}

function decodePointer(name: string): string {
  return decodeURIComponent(name).replaceAll("~1", "/").replaceAll("~0", "~");
}

function ownConditions(schema: SchemaObject, path: string): Conditions {
  const at = (where: string, value: unknown): Node => [{ schema: value, path: `${path}/${where}` }];
  const node = (where: "items" | "additionalProperties"): Node | undefined =>
    schema[where] === undefined ? undefined : at(where, schema[where]);
  const properties = Object.entries(schema.properties ?? {}).map(
    ([name, value]) => [name, at(`properties/${encodePointer(name)}`, value)] as const,
  );
  return {
    path,
    types: typesOf(schema),
    values: valuesOf(schema),
    properties: new Map(properties),
    required: new Set(schema.required),
    additional: node("additionalProperties"),
    prefix: (schema.prefixItems ?? []).map((value, i) => at(`prefixItems/${i}`, value)),
    items: node("items"),
    size: {
      object: [schema.minProperties ?? 0, schema.maxProperties ?? Infinity],
      array: [schema.minItems ?? 0, schema.maxItems ?? Infinity],
      string: [schema.minLength ?? 0, schema.maxLength ?? Infinity],
    },
    patterns: new Map(schema.pattern === undefined ? [] : [[schema.pattern, path]]),
    formats: new Map(schema.format === undefined ? [] : [[schema.format, path]]),
    low: stricter(bound(schema.minimum, true), bound(schema.exclusiveMinimum, false), 1),
    high: stricter(bound(schema.maximum, true), bound(schema.exclusiveMaximum, false), -1),
  };
}

function encodePointer(name: string): string {
  return encodeURIComponent(name.replaceAll("~", "~0").replaceAll("/", "~1"));
}

function typesOf({ type, nullable, multipleOf }: SchemaObject): ReadonlySet<JsonType> {
  const named = new Set(type === undefined ? jsonTypes : ([type].flat() as JsonType[]));
  if (nullable) named.add("null");
  if (named.has("number")) named.add("integer");
  if (multipleOf !== undefined) named.delete("number");
  return named;
}

function valuesOf(schema: SchemaObject): readonly unknown[] | undefined {
  const constant = "const" in schema ? [schema.const] : undefined;
  return constant && schema.enum ? both(constant, schema.enum) : (constant ?? schema.enum);
}

const bound = (value: number | undefined, inclusive: boolean): Bound | undefined =>
  value === undefined ? undefined : { value, inclusive };

/** @param sign 1: the higher one, -1: the lower one */
function stricter(a: Bound | undefined, b: Bound | undefined, sign: 1 | -1): Bound | undefined {
  if (!a || !b) return a ?? b;
  if (a.value === b.value) return a.inclusive ? b : a;
  return (a.value - b.value) * sign > 0 ? a : b;
}

function merge(a: Conditions, b: Conditions): Conditions {
  const names = new Set([...a.properties.keys(), ...b.properties.keys()]);
  const length = Math.max(a.prefix.length, b.prefix.length);
  const span = (type: "object" | "array" | "string"): Span => [
    Math.max(a.size[type][0], b.size[type][0]),
    Math.min(a.size[type][1], b.size[type][1]),
  ];
  return {
    path: b.path,
    types: a.types.intersection(b.types),
    values: a.values && b.values ? both(a.values, b.values) : (a.values ?? b.values),
    properties: new Map(
      Array.from(names, (name) => [name, and(memberNode(a, name), memberNode(b, name)) ?? []]),
    ),
    required: a.required.union(b.required),
    additional: and(a.additional, b.additional),
    prefix: Array.from({ length }, (_, i) => and(itemNode(a, i), itemNode(b, i)) ?? []),
    items: and(a.items, b.items),
    size: { object: span("object"), array: span("array"), string: span("string") },
    patterns: new Map([...a.patterns, ...b.patterns]),
    formats: new Map([...a.formats, ...b.formats]),
    low: stricter(a.low, b.low, 1),
    high: stricter(a.high, b.high, -1),
  };
}

const memberNode = ({ properties, additional }: Conditions, name: string): Node | undefined =>
  properties.get(name) ?? additional;
const itemNode = ({ prefix, items }: Conditions, i: number): Node | undefined => prefix[i] ?? items;

/** Absent: nothing is said. */
export function and(a: Node | undefined, b: Node | undefined): Node | undefined {
  if (!a || !b) return a ?? b;
  const known = new Set(a.map(({ path }) => path));
  return [...a, ...b.filter(({ path }) => !known.has(path))];
}

function both(a: readonly unknown[], b: readonly unknown[]): readonly unknown[] {
  const known = new Set(b.map(canonical));
  return a.filter((value) => known.has(canonical(value)));
}

/** Equal for equal values, whatever the order of their keys. */
export function canonical(value: unknown): string {
  return JSON.stringify(value, (_, inner: unknown) =>
    isObject(inner) ? Object.fromEntries(Object.entries(inner).sort()) : inner,
  );
}

/** Whether a text that is written under `a` can never satisfy `b`. */
function areApart(expand: Expansion["expand"], a: Conditions, b: Conditions): boolean {
  // What is written under `a` has no members but those it names: see `schema-object.ts`.
  const closed =
    a.additional ?? (a.properties.size > 0 ? [{ schema: false, path: "#" }] : undefined);
  return isEmpty(expand, merge({ ...a, additional: closed }, b), 3);
}

/** Whether it is evident that nothing satisfies it. @param depth of members looked into */
function isEmpty(expand: Expansion["expand"], ways: Conditions, depth: number): boolean {
  const { types, values, required, low, high } = ways;
  if (types.size === 0 || values?.some((value) => hasType(types, value)) === false) return true;
  const numeric = types.has("number") || types.has("integer");
  if (numeric && types.isSubsetOf(new Set(["number", "integer"])) && low && high)
    return low.value > high.value;
  if (!types.isSubsetOf(new Set(["object"])) || depth === 0) return false;
  return [...required].some((name) => {
    const member = memberNode(ways, name);
    return member && expand(member).every((inner) => isEmpty(expand, inner, depth - 1));
  });
}

export function hasType(types: ReadonlySet<JsonType>, value: unknown): boolean {
  if (typeof value === "number") return types.has(Number.isInteger(value) ? "integer" : "number");
  if (value === null) return types.has("null");
  return types.has(Array.isArray(value) ? "array" : (typeof value as JsonType));
}
