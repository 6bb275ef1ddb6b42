/**
 * What the text may be: `response_format` of chat, `text.format` of responses, and `grammar`
 * (GBNF) beside them. A schema holds whether `strict` is said or not.
 */
import type { Engine, Format } from "../../llm/inference/engine.ts";
import { anObject, flag, objectOf, oneOf, optional, type Read, required, text } from "./field.ts";
import { badField, unsupported } from "./refusal.ts";

const kind = required(oneOf("text", "json_object", "json_schema"));

const schemaName: Read<string> = (value, param) => {
  const name = text(value, param);
  if (/^[\w-]{1,64}$/.test(name)) return name;
  throw badField(param, "must be 1 to 64 letters, digits, dashes or underscores.");
};

const schemaFields = {
  name: required(schemaName),
  description: optional(text),
  schema: optional(anObject),
  strict: optional(flag),
} as const;

const chatFormat = objectOf({ type: kind, json_schema: optional(objectOf(schemaFields)) });
const responsesFormat = objectOf({ ...schemaFields, type: kind, name: optional(schemaName) });

/** `{type: "json_schema", json_schema: {name, schema}}` */
export const responseFormat: Read<Format> = (value, param) => {
  const { type, json_schema } = chatFormat(value, param);
  if ((type === "json_schema") !== (json_schema !== undefined))
    throw badField(`${param}.json_schema`, 'belongs to type "json_schema", and it to that.');
  return toFormat(type, json_schema?.schema);
};

/** `{type: "json_schema", name, schema}` */
export const textFormat: Read<Format> = (value, param) => {
  const { type, name, schema } = responsesFormat(value, param);
  if ((type === "json_schema") !== (name !== undefined))
    throw badField(`${param}.name`, 'belongs to type "json_schema", and it to that.');
  return toFormat(type, schema);
};

function toFormat(type: "text" | "json_object" | "json_schema", schema: unknown): Format {
  if (type === "text") return { kind: "text" };
  return schema === undefined ? { kind: "json" } : { kind: "json-schema", schema };
}

/** The two ways to say it together. @throws Refusal for both, or for what the engine lacks */
export function chooseFormat(
  format: Format | undefined,
  grammar: string | undefined,
  { param, engine }: { readonly param: string; readonly engine: Engine },
): Format {
  if (grammar !== undefined && format !== undefined && format.kind !== "text")
    throw badField("grammar", `does not go together with ${param}.`);
  const chosen: Format =
    grammar === undefined ? (format ?? { kind: "text" }) : { kind: "grammar", grammar };
  if (chosen.kind === "text" || engine.can.formats.includes(chosen.kind)) return chosen;
  const where = chosen.kind === "grammar" ? "grammar" : param;
  throw unsupported(where, `this model cannot hold its text to ${chosen.kind}.`);
}
