/** What may be asked of a model: schemas of the arguments, and arguments as an engine takes them. */
import type { Message } from "../../llm/chat/conversation.ts";
import type { Format, GenerateOptions, ToolDefinition } from "../../llm/inference/engine.ts";
import type { Json } from "../security/labelled.ts";

type Schema = Readonly<Record<string, unknown>>;

const object = (properties: Schema, ...required: readonly string[]): Schema => ({
  ...{ type: "object", properties, required, additionalProperties: false },
});
const text: Schema = { type: "string" };
const count = (minimum: number): Schema => ({ type: "integer", minimum });
const list = (items: Schema, maxItems: number): Schema => ({ type: "array", items, maxItems });
const model: Schema = { type: "string", maxLength: 200 };

const call = object({ id: text, name: text, arguments: text }, "name", "arguments");
const message = object(
  {
    role: { enum: ["system", "user", "assistant", "tool"] },
    content: text,
    toolCalls: list(call, 64),
    callId: text,
  },
  "role",
  "content",
);
const tool = object({ name: text, description: text, parameters: { type: "object" } }, "name");
const format: Schema = {
  oneOf: [
    object({ kind: { enum: ["text", "json"] } }, "kind"),
    object(
      { kind: { const: "json-schema" }, schema: { type: ["object", "boolean"] } },
      "kind",
      "schema",
    ),
    object({ kind: { const: "grammar" }, grammar: text }, "kind", "grammar"),
  ],
};

/** Tokens of a reply where nothing else is said. */
const MAX_TOKENS = 1024;

export const generateSchema: Schema = object(
  {
    model,
    messages: { ...list(message, 10_000), minItems: 1 },
    tools: list(tool, 256),
    toolChoice: { oneOf: [{ enum: ["auto", "none", "required"] }, object({ name: text }, "name")] },
    maxTokens: count(1),
    format,
    stop: list({ ...text, minLength: 1 }, 16),
    temperature: { type: "number", minimum: 0, maximum: 2 },
    topP: { type: "number", exclusiveMinimum: 0, maximum: 1 },
    seed: count(0),
  },
  "messages",
);

const answerType: Schema = {
  oneOf: [
    object({ kind: { enum: ["bool", "date"] } }, "kind"),
    object(
      { kind: { const: "int" }, least: { type: "integer" }, most: { type: "integer" } },
      "kind",
      "least",
      "most",
    ),
    object(
      { kind: { const: "enum" }, names: { ...list(text, 1000), minItems: 1 } },
      "kind",
      "names",
    ),
    object({ kind: { const: "ref" }, count: count(1) }, "kind", "count"),
    object({ kind: { const: "str" }, most: count(0) }, "kind", "most"),
  ],
};

export const askSchema: Schema = object(
  { id: text, type: answerType, text, about: { type: "array" }, choices: { type: "array" }, model },
  "type",
  "text",
  "about",
);
export const embedSchema: Schema = object({ model, texts: list(text, 2048) }, "texts");
export const modelsSchema: Schema = object({});

export interface GenerateArguments {
  readonly model?: string;
  readonly messages: readonly Message[];
  readonly tools?: readonly ToolDefinition[];
  readonly toolChoice?: GenerateOptions["toolChoice"];
  readonly maxTokens?: number;
  readonly format?: Format;
  readonly stop?: readonly string[];
  readonly temperature?: number;
  readonly topP?: number;
  readonly seed?: number;
}

export const maxTokensOf = (args: Json): number =>
  (args as unknown as GenerateArguments).maxTokens ?? MAX_TOKENS;

export function toOptions(args: GenerateArguments): Omit<GenerateOptions, "maxTokens" | "signal"> {
  const { toolChoice, format, stop, temperature, topP, seed } = args;
  const sampling = given({ temperature, topP, seed });
  return { sampling, ...given({ toolChoice, format, stop }) };
}

/** The same without what is absent. */
function given<T extends object>(options: T): { [K in keyof T]: NonNullable<T[K]> } {
  const entries = Object.entries(options).filter(([, value]) => value !== undefined);
  return Object.fromEntries(entries) as { [K in keyof T]: NonNullable<T[K]> };
}
