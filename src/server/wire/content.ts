/**
 * Text of a message: a string, or parts that each hold some. Parts are joined as they are; a part
 * that is no text (an image, a sound, a file) is refused, since no model here could see it.
 */
import { isObject, objectOf, type Read, required, shown, text } from "./field.ts";
import { badField, unsupported } from "./refusal.ts";

const MOST_PARTS = 10_000;

/** @param kinds the words that a part of text is called by: "text", "input_text", … */
export function contentOf(...kinds: readonly string[]): Read<string> {
  const readPart = objectOf({ type: required(text), text: required(text) }, partFields);
  return (value, param) => {
    if (typeof value === "string") return value;
    if (!Array.isArray(value))
      throw badField(param, `must be a string or an array of parts, got ${shown(value)}.`);
    if (value.length > MOST_PARTS) throw badField(param, `must have at most ${MOST_PARTS} parts.`);
    const texts = value.map((part, i) => {
      checkKind(part, kinds, `${param}[${i}]`);
      return readPart(part, `${param}[${i}]`).text;
    });
    return texts.join("");
  };
}

/** What clients send back from replies that they got. */
const partFields = { harmless: ["annotations", "logprobs"] } as const;

function checkKind(part: unknown, kinds: readonly string[], param: string): void {
  const kind = isObject(part) ? part.type : undefined;
  if (!isObject(part) || typeof kind !== "string" || kinds.includes(kind)) return;
  throw unsupported(`${param}.type`, `only parts of text are served, got ${shown(kind)}.`);
}
