/**
 * First gate: arguments are plain JSON of bounded size that fits the row's schema. Schemas are
 * compiled once; one that is open, or that does not compile, is a fault of the device, and the
 * kernel does not boot with it.
 */
import { Ajv2020, type ValidateFunction } from "ajv/dist/2020.js";
import { NutshellError } from "../../../error.ts";
import { canonicalJson } from "../../security/canonical.ts";
import type { Json } from "../../security/labelled.ts";
import type { Syscall } from "../syscall.ts";

/** @returns what is wrong with them in one line, or nothing; never throws */
export type CheckArguments = (row: Syscall, args: unknown) => string | undefined;

const MAX_CHARS = 2 ** 20;
const MAX_DEPTH = 128;
const prototypeNames: ReadonlySet<string> = new Set(["__proto__", "constructor", "prototype"]);

/** @throws NutshellError CONFIG */
export function createArgumentCheck(rows: Iterable<Syscall>): CheckArguments {
  const ajv = new Ajv2020({ strict: false, ownProperties: true });
  const checks = new Map<string, ValidateFunction>();
  for (const row of rows) checks.set(row.name, compile(ajv, row));
  return (row, args) => unusable(args) ?? unfit(checks.get(row.name) as ValidateFunction, args);
}

function compile(ajv: Ajv2020, row: Syscall): ValidateFunction {
  const { type, additionalProperties: open } = row.args;
  if (type === "object" && open === false) return ajv.compile(row.args);
  const got = `type ${String(type)}, additionalProperties ${String(open)}`;
  throw new NutshellError(
    "CONFIG",
    `${row.name}: a call's arguments must be a closed object, got ${got}. Close the schema.`,
  );
}

function unusable(args: unknown): string | undefined {
  try {
    canonicalJson(args as Json, { depth: MAX_DEPTH, chars: MAX_CHARS });
  } catch {
    return `must be plain JSON of at most ${MAX_CHARS} characters and ${MAX_DEPTH} levels`;
  }
  return hasPrototypeName(args) ? "must have no prototype's name as a key" : undefined;
}

function hasPrototypeName(value: unknown): boolean {
  if (typeof value !== "object" || value === null) return false;
  if (Array.isArray(value)) return value.some(hasPrototypeName);
  return Object.entries(value).some(
    ([key, part]) => prototypeNames.has(key) || hasPrototypeName(part),
  );
}

/** Told in the schema's own words: a path within the arguments may be anybody's text. */
function unfit(check: ValidateFunction, args: unknown): string | undefined {
  try {
    if (check(args)) return undefined;
  } catch {
    return "must fit a schema that comes to an end; a server's may refer to itself";
  }
  const [error] = check.errors ?? [];
  return `${error?.message ?? "must fit the schema"} (${error?.schemaPath ?? "#"})`;
}
