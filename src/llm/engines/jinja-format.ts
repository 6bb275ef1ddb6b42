/**
 * The chat template that a model brings along, in Jinja. It renders whole conversations only: what
 * stands on the timeline is kept up to where both are the same.
 *
 * Names of control tokens in what users, tools and systems say are only text: they are hidden from
 * the template behind characters of private use, and cut apart from the rest. A reply is the
 * model's own and stays as it is, since templates look into it (`</think>`).
 * @see https://huggingface.co/docs/transformers/chat_templating
 */
import { Template } from "@huggingface/jinja";
import { NutshellError } from "../../error.ts";
import type { Message, ToolCall } from "../chat/conversation.ts";
import type { ToolDefinition } from "../inference/engine.ts";
import type { Tokenizer } from "../tokenizer/tokenizer.ts";
import type { ChatFormat, ChatStep, Extension } from "./chat-format.ts";
import { createJsonCallReader, findCallForm, jsonCalls } from "./json-calls.ts";
import { createTextReader } from "./text-reader.ts";

export interface JinjaSetting {
  /** Of the file, for errors. */
  readonly name: string;
  readonly template: string;
  readonly tokenizer: Tokenizer;
  /** Ids that end the assistant's turn. */
  readonly ends: ReadonlySet<number>;
  /** What the template puts where a conversation begins; absent: the tokenizer's own. */
  readonly bosToken?: string | undefined;
  /** @param named names of control tokens are these  @param isFirst nothing stands before it */
  encode(text: string, named: boolean, isFirst: boolean): readonly number[];
}

/** @throws CONFIG for a template that is not valid, and later for what it refuses */
export function jinjaFormat(setting: JinjaSetting): ChatFormat {
  const { tokenizer, ends } = setting;
  const template = parseTemplate(setting);
  const form = findCallForm(setting.template, tokenizer);
  return {
    ends,
    ...(form === undefined ? {} : { calls: jsonCalls(form, tokenizer) }),
    extend: (step) => extend(step, template, setting),
    createReader: () =>
      form === undefined ? createTextReader(tokenizer) : createJsonCallReader(form, tokenizer),
  };
}

function parseTemplate({ name, template }: JinjaSetting): Template {
  try {
    return new Template(template);
  } catch (cause) {
    throw refused(`engine: the chat template of ${name} must be Jinja`, cause);
  }
}

function extend(step: ChatStep, template: Template, setting: JinjaSetting): Extension {
  const { tokenizer, encode } = setting;
  const names = [...tokenizer.specialTokens.keys()];
  const text = render(step, template, setting, names);
  const pieces = text.split(HIDDEN).map((piece, i) => {
    const isHidden = i % 2 === 1;
    return encode(isHidden ? (names[Number(piece)] ?? "") : piece, !isHidden, i === 0);
  });
  const ids = pieces.flat();
  const { bos } = tokenizer;
  const all = bos === undefined || ids[0] === bos ? ids : [bos, ...ids];
  const differs = all.findIndex((id, at) => id !== step.ids[at]);
  const keep = differs < 0 ? all.length : differs;
  return { keep, ids: all.slice(keep) };
}

/** U+E000, the number of the name, U+E001. */
const HIDDEN = /\ue000(\d+)\ue001/;

function render(
  { messages, tools, speaks }: ChatStep,
  template: Template,
  { name, tokenizer, ends, bosToken }: JinjaSetting,
  names: readonly string[],
): string {
  const nameOf = (id: number | undefined): string =>
    [...tokenizer.specialTokens].find(([, known]) => known === id)?.[0] ?? "";
  try {
    return template.render({
      messages: messages.map((message, at) => toWire(message, at, messages, names)),
      ...(tools.length === 0 ? {} : { tools: tools.map(toWireTool) }),
      add_generation_prompt: speaks,
      bos_token: bosToken ?? nameOf(tokenizer.bos),
      eos_token: nameOf([...ends][0]),
    });
  } catch (cause) {
    throw refused(`append: the chat template of ${name} must take the conversation`, cause);
  }
}

/** As templates know messages: OpenAI's fields, arguments as an object. */
function toWire(
  message: Message,
  at: number,
  all: readonly Message[],
  names: readonly string[],
): object {
  if (message.role === "assistant") {
    const { content, toolCalls = [] } = message;
    const calls = toolCalls.length === 0 ? {} : { tool_calls: toolCalls.map(toWireCall) };
    return { role: "assistant", content, ...calls };
  }
  const content = hide(message.content, names);
  if (message.role !== "tool") return { role: message.role, content };
  const called = all.slice(0, at).findLast(({ role }) => role === "assistant");
  const first = all.slice(0, at).findLastIndex(({ role }) => role !== "tool") + 1;
  const call = called?.role === "assistant" ? called.toolCalls?.[at - first] : undefined;
  return { role: "tool", content, name: call?.name ?? "", tool_call_id: call?.id ?? "" };
}

function toWireCall({ id = "", name, arguments: json }: ToolCall): object {
  const parsed: unknown = JSON.parse(json === "" ? "{}" : json);
  return { id, type: "function", function: { name, arguments: parsed } };
}

function toWireTool({ name, description = "", parameters }: ToolDefinition): object {
  const schema = { type: "object", properties: {}, ...parameters };
  return { type: "function", function: { name, description, parameters: schema } };
}

function hide(text: string, names: readonly string[]): string {
  let hidden = text;
  for (const [i, name] of names.entries())
    if (hidden.includes(name)) hidden = hidden.replaceAll(name, `\ue000${i}\ue001`);
  return hidden;
}

function refused(rule: string, cause: unknown): NutshellError {
  const got = cause instanceof Error ? cause.message : String(cause);
  return new NutshellError("CONFIG", `${rule}, got: ${got.replaceAll(/\s+/g, " ")}`, { cause });
}
