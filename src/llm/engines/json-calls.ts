/**
 * Calls that a model writes as JSON, `{"name": …, "arguments": {…}}` between two tokens, as Hermes
 * and Qwen do, or as the whole of a reply with `parameters`, as Llama 3 does. What stands between
 * the tokens and is no such thing stays text, tokens included.
 * @see the models' chat templates; Llama 3.1 model card, "JSON based tool calling"
 */
import type { Constraint } from "../inference/constraint/constraint.ts";
import type { ToolDefinition } from "../inference/engine.ts";
import { createStreamDecoder } from "../tokenizer/stream-decoder.ts";
import type { Tokenizer } from "../tokenizer/tokenizer.ts";
import type { CallFormat, ReplyEvent, ReplyReader } from "./chat-format.ts";
import { textEvent } from "./text-reader.ts";

export interface JsonCallForm {
  /** Names of the tokens around a call. */
  readonly start: string;
  readonly end: string;
  /** The key of the arguments. */
  readonly key: "arguments" | "parameters";
  /** A reply that is such JSON from its beginning is a call, without the tokens. */
  readonly bare: boolean;
  /** The JSON stands on a line of its own. */
  readonly line: boolean;
}

/** Tokens that begin and end a call; in many vocabularies they are ordinary ones. */
export const CALL_TAGS = ["<tool_call>", "</tool_call>"] as const;
const [CALL_START, CALL_END] = CALL_TAGS;

const hermes: JsonCallForm = {
  ...{ start: CALL_START, end: CALL_END, key: "arguments", bare: false, line: true },
};
const llama3: JsonCallForm = {
  ...{ start: "<|python_tag|>", end: "<|eom_id|>", key: "parameters", bare: true, line: false },
};

/** @returns the form that a template teaches, where the vocabulary has its tokens */
export function findCallForm(template: string, tokenizer: Tokenizer): JsonCallForm | undefined {
  if (!/\btools\b/.test(template)) return undefined;
  const form = template.includes(hermes.start) ? hermes : llama3;
  const isTaught = form === hermes || /["']parameters["']/.test(template);
  const has = (name: string): boolean => tokenizer.specialTokens.has(name);
  return isTaught && has(form.start) && has(form.end) ? form : undefined;
}

export function jsonCalls(form: JsonCallForm, tokenizer: Tokenizer): CallFormat {
  const [newline, ...more] = form.line ? tokenizer.encode("\n") : [];
  const lineEnd = more.length === 0 ? newline : undefined;
  return {
    start: tokenizer.special(form.start),
    end: tokenizer.special(form.end),
    constrain(tools, compiler) {
      const begin = compiler.jsonSchema({ anyOf: tools.map((tool) => toSchema(tool, form)) });
      return lineEnd === undefined
        ? begin
        : () => onLine({ begin, newline: lineEnd, vocabSize: tokenizer.vocabSize });
    },
  };
}

function toSchema({ name, parameters }: ToolDefinition, { key }: JsonCallForm): object {
  const properties = { name: { const: name }, [key]: { type: "object", ...parameters } };
  return { type: "object", properties, required: ["name", key], additionalProperties: false };
}

interface Line {
  readonly begin: () => Constraint;
  readonly newline: number;
  readonly vocabSize: number;
}

/** A line end, what the constraint allows, and another line end if it likes. */
function onLine(line: Line, inner?: Constraint, isDone = false): Constraint {
  const { newline, vocabSize } = line;
  let [json, done] = [inner, isDone];
  const withNewline = (mask?: Uint32Array): Uint32Array => {
    const copy = mask === undefined ? nothing(vocabSize) : Uint32Array.from(mask);
    copy[newline >> 5] = (copy[newline >> 5] as number) | (1 << (newline & 31));
    return copy;
  };
  return {
    allowed() {
      if (done) return nothing(vocabSize);
      if (json === undefined) return withNewline();
      return json.canEnd ? withNewline(json.allowed()) : json.allowed();
    },
    accept(id) {
      if (json === undefined) json = line.begin();
      else if (json.canEnd && id === newline) done = true;
      else json.accept(id);
    },
    get canEnd() {
      return json?.canEnd ?? false;
    },
    get mustEnd() {
      return done;
    },
    fork: () => onLine(line, json?.fork(), done),
  };
}

const nothing = (vocabSize: number): Uint32Array => new Uint32Array(Math.ceil(vocabSize / 32));

export function createJsonCallReader(form: JsonCallForm, tokenizer: Tokenizer): ReplyReader {
  const [start, end] = [tokenizer.special(form.start), tokenizer.special(form.end)];
  const decoder = createStreamDecoder(tokenizer);
  let inCall = false;
  /** Text that may turn out to be a call; absent: what comes is text. */
  let held: string | undefined = form.bare ? "" : undefined;

  function read(text: string): ReplyEvent[] {
    if (held === undefined) return [textEvent(text)];
    held += text;
    return inCall || mayBeCall(held) ? [textEvent("")] : release();
  }

  function release(): ReplyEvent[] {
    const text = held ?? "";
    held = undefined;
    return [textEvent(text)];
  }

  function endCall(): ReplyEvent[] {
    const text = held ?? "";
    const call = tryParseCall(text, form);
    [held, inCall] = [undefined, false];
    if (call !== undefined) return toEvents(call);
    return [textEvent(`${form.start}${text}${form.end}`)];
  }

  function endText(): ReplyEvent[] {
    const call = held === undefined ? undefined : tryParseCall(held, form);
    if (call === undefined) return held === undefined ? [] : release();
    held = undefined;
    return toEvents(call);
  }

  return {
    push(id) {
      if (id === start) {
        const before = [...read(decoder.end()), ...endText()];
        [held, inCall] = ["", true];
        return before;
      }
      if (id === end && inCall) return [...read(decoder.end()), ...endCall()];
      return read(decoder.push(id));
    },
    end: () => (inCall ? [textEvent("")] : [...read(decoder.end()), ...endText()]),
  };
}

interface JsonCall {
  readonly name: string;
  readonly arguments: string;
}

function toEvents(call: JsonCall): ReplyEvent[] {
  return [
    { kind: "call", name: call.name },
    { kind: "arguments", text: call.arguments },
    { kind: "call-end" },
  ];
}

/** The beginning of a call is the beginning of this, as far as it goes. */
const OPENING = ["{", '"', "name", '"', ":"];

function mayBeCall(text: string): boolean {
  let rest = text.trimStart();
  for (const piece of OPENING) {
    if (rest.length < piece.length) return piece.startsWith(rest);
    if (!rest.startsWith(piece)) return false;
    rest = rest.slice(piece.length).replace(piece === "{" || piece === '"' ? /^\s+/ : /^/, "");
  }
  return true;
}

function tryParseCall(text: string, { key }: JsonCallForm): JsonCall | undefined {
  try {
    const call = JSON.parse(text) as Record<string, unknown>;
    const { name, [key]: given, ...others } = call;
    const isCall = typeof name === "string" && typeof given === "object" && given !== null;
    if (!isCall || Object.keys(others).length > 0) return undefined;
    return { name, arguments: JSON.stringify(given) };
  } catch {
    return undefined;
  }
}
