/**
 * Functions that the model may call. Chat nests a function's fields under `function`, responses has
 * them flat; both become the engine's tools. `parallel_tool_calls: false` ends a reply after its
 * first call.
 */
import type { Engine, ToolChoice, ToolDefinition } from "../../llm/inference/engine.ts";
import {
  anObject,
  flag,
  isObject,
  listOf,
  objectOf,
  oneOf,
  optional,
  type Read,
  required,
  shown,
  text,
} from "./field.ts";
import { badField, unsupported } from "./refusal.ts";

const MOST_TOOLS = 128;

const functionName: Read<string> = (value, param) => {
  const name = text(value, param);
  if (/^[\w-]{1,64}$/.test(name)) return name;
  throw badField(param, "must be 1 to 64 letters, digits, dashes or underscores.");
};

const functionFields = {
  name: required(functionName),
  description: optional(text),
  parameters: optional(anObject),
  strict: optional(flag),
} as const;

const functionType = { type: required(functionKind) } as const;
const nestedFunction = objectOf({ ...functionType, function: required(objectOf(functionFields)) });
const flatFunction = objectOf({ ...functionType, ...functionFields });
const nestedChoice = objectOf({
  ...functionType,
  function: required(objectOf({ name: required(text) })),
});
const flatChoice = objectOf({ ...functionType, name: required(text) });

function functionKind(value: unknown, param: string): "function" {
  if (value === "function") return value;
  throw unsupported(param, `only "function" is served, got ${shown(value)}.`);
}

type FunctionValues = ReturnType<typeof flatFunction>;

/** `[{type: "function", function: {name, description, parameters}}]` */
export const chatTools: Read<readonly ToolDefinition[]> = (value, param) =>
  toTools(listOf((tool, at) => nestedFunction(tool, at).function, MOST_TOOLS)(value, param), param);

/** `[{type: "function", name, description, parameters}]` */
export const responsesTools: Read<readonly ToolDefinition[]> = (value, param) =>
  toTools(listOf(flatFunction, MOST_TOOLS)(value, param), param);

function toTools(
  functions: readonly Omit<FunctionValues, "type">[],
  param: string,
): readonly ToolDefinition[] {
  const names = new Set(functions.map(({ name }) => name));
  if (names.size < functions.length) throw badField(param, "two functions have the same name.");
  return functions.map(({ name, description, parameters }) => ({
    name,
    ...(description === undefined ? {} : { description }),
    ...(parameters === undefined ? {} : { parameters }),
  }));
}

const word = oneOf("none", "auto", "required");

export const chatToolChoice: Read<ToolChoice> = (value, param) =>
  isObject(value) ? { name: nestedChoice(value, param).function.name } : word(value, param);

export const responsesToolChoice: Read<ToolChoice> = (value, param) =>
  isObject(value) ? { name: flatChoice(value, param).name } : word(value, param);

/** @throws Refusal for a choice without its tool, or an engine that calls none */
export function checkTools(
  tools: readonly ToolDefinition[] | undefined,
  choice: ToolChoice | undefined,
  engine: Engine,
): void {
  const names = (tools ?? []).map(({ name }) => name);
  if (names.length > 0 && !engine.can.tools)
    throw unsupported("tools", "this model cannot call functions.");
  if (choice === "required" && names.length === 0)
    throw badField("tool_choice", '"required" needs tools, got none.');
  if (typeof choice === "object" && !names.includes(choice.name))
    throw badField("tool_choice", "names a function that is not among the tools.");
}
