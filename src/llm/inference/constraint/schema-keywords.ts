/**
 * The keywords of JSON Schema (draft 2020-12) that are understood, each with the rule its value
 * obeys; annotations, which say nothing about validity; and everything else, which is refused by
 * name, so that no condition is ever left out in silence.
 */
import { NutshellError } from "../../../error.ts";

export type JsonType = "null" | "boolean" | "integer" | "number" | "string" | "array" | "object";

export interface SchemaObject {
  readonly $ref?: string;
  readonly allOf?: readonly unknown[];
  readonly anyOf?: readonly unknown[];
  readonly oneOf?: readonly unknown[];
  readonly type?: JsonType | readonly JsonType[];
  readonly nullable?: boolean;
  readonly enum?: readonly unknown[];
  readonly const?: unknown;
  readonly properties?: Readonly<Record<string, unknown>>;
  readonly required?: readonly string[];
  readonly additionalProperties?: unknown;
  readonly minProperties?: number;
  readonly maxProperties?: number;
  readonly items?: unknown;
  readonly prefixItems?: readonly unknown[];
  readonly minItems?: number;
  readonly maxItems?: number;
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly pattern?: string;
  readonly format?: string;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly exclusiveMinimum?: number;
  readonly exclusiveMaximum?: number;
  readonly multipleOf?: number;
}

export const jsonTypes: readonly JsonType[] = [
  ...(["object", "array", "string", "number", "integer", "boolean", "null"] as const),
];

interface Rule {
  readonly rule: string;
  readonly holds: (value: unknown) => boolean;
  /** Right, and not for us. */
  readonly supported?: (value: unknown) => boolean;
}

export const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null && !Array.isArray(value);
const isSchema = (value: unknown): boolean => typeof value === "boolean" || isObject(value);
const isText = (value: unknown): value is string => typeof value === "string";
const isType = (value: unknown): boolean => jsonTypes.includes(value as JsonType);
const listOf = (value: unknown, holds: (item: unknown) => boolean): boolean =>
  Array.isArray(value) && value.every(holds);

const schema: Rule = { rule: "must be an object or a boolean", holds: isSchema };
const schemas: Rule = {
  rule: "must be a list of one schema or more",
  holds: (value) => listOf(value, isSchema) && (value as unknown[]).length > 0,
};
const count: Rule = {
  rule: "must be a whole number, 0 or more",
  holds: (value) => Number.isSafeInteger(value) && (value as number) >= 0,
};
const number: Rule = { rule: "must be a number", holds: Number.isFinite };
const text: Rule = { rule: "must be a string", holds: isText };

const keywords: Readonly<Record<string, Rule>> = {
  $ref: {
    ...{ rule: "must be a string", holds: isText },
    supported: (value) => value === "#" || String(value).startsWith("#/"),
  },
  allOf: schemas,
  anyOf: schemas,
  oneOf: schemas,
  type: {
    rule: `must be one or more of ${jsonTypes.join(", ")}`,
    holds: (value) => isType(value) || (listOf(value, isType) && (value as unknown[]).length > 0),
  },
  nullable: { rule: "must be true or false", holds: (value) => typeof value === "boolean" },
  enum: {
    rule: "must be a list of one value or more",
    holds: (value) => Array.isArray(value) && value.length > 0,
  },
  const: { rule: "may be anything", holds: () => true },
  properties: {
    rule: "must be an object of schemas",
    holds: (value) => isObject(value) && Object.values(value).every(isSchema),
  },
  required: { rule: "must be a list of strings", holds: (value) => listOf(value, isText) },
  additionalProperties: schema,
  minProperties: count,
  maxProperties: count,
  items: { ...schema, rule: "must be one schema; a list of them is prefixItems" },
  prefixItems: schemas,
  minItems: count,
  maxItems: count,
  uniqueItems: {
    ...{ rule: "must be true or false", holds: (value) => typeof value === "boolean" },
    supported: (value) => value === false,
  },
  minLength: count,
  maxLength: count,
  pattern: text,
  format: text,
  minimum: number,
  maximum: number,
  exclusiveMinimum: number,
  exclusiveMaximum: number,
  multipleOf: {
    rule: "must be a number above 0",
    holds: (value) => Number.isFinite(value) && (value as number) > 0,
    supported: (value) => value === 1,
  },
};

const annotations: ReadonlySet<string> = new Set([
  ...["$schema", "$comment", "$defs", "definitions", "title", "description", "default"],
  ...["example", "examples", "deprecated", "readOnly", "writeOnly", "discriminator"],
  ...["externalDocs", "xml", "contentEncoding", "contentMediaType", "contentSchema"],
]);

export const isAnnotation = (keyword: string): boolean =>
  annotations.has(keyword) || keyword.startsWith("x-");

const pairs: readonly (readonly [least: keyof SchemaObject, most: keyof SchemaObject])[] = [
  ["minLength", "maxLength"],
  ["minItems", "maxItems"],
  ["minProperties", "maxProperties"],
  ["minimum", "maximum"],
];

/**
 * @param path JSON pointer, for messages
 * @throws CONFIG when a keyword breaks its rule; UNSUPPORTED when it is not understood
 */
export function checkSchema(value: unknown, path: string): boolean | SchemaObject {
  if (typeof value === "boolean") return value;
  if (!isObject(value)) throw wrong(path, "a schema must be an object or a boolean", value);
  for (const [keyword, setting] of Object.entries(value)) checkKeyword(path, keyword, setting);
  for (const [least, most] of pairs)
    if (Number(value[least]) > Number(value[most]))
      throw wrong(path, `${least} must be at most ${most}`, [value[least], value[most]]);
  if (value.nullable === true && !("type" in value)) throw unsupported(path, "nullable", true);
  return value as SchemaObject;
}

function checkKeyword(path: string, keyword: string, value: unknown): void {
  if (isAnnotation(keyword)) return;
  if (keyword === "$id" && path === "#") return;
  const rule = Object.hasOwn(keywords, keyword) ? keywords[keyword] : undefined;
  if (!rule) throw unsupported(path, keyword, value);
  if (!rule.holds(value)) throw wrong(`${path}/${keyword}`, rule.rule, value);
  if (rule.supported && !rule.supported(value)) throw unsupported(path, keyword, value);
}

export function wrong(path: string, rule: string, got: unknown): NutshellError {
  return new NutshellError("CONFIG", `schema ${path}: ${rule}, got ${short(got)}.`);
}

export function unsupported(path: string, keyword: string, got: unknown): NutshellError {
  const rule = `${keyword} cannot be compiled`;
  return new NutshellError(
    "UNSUPPORTED",
    `schema ${path}: ${rule}, got ${short(got)}. Leave it out and check the finished text.`,
  );
}

function short(value: unknown): string {
  const text = JSON.stringify(value) ?? String(value);
  return text.length > 60 ? `${text.slice(0, 57)}…` : text;
}
