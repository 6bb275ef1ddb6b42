/**
 * `POST /v1/chat/completions`: what is asked, as our options.
 * @see https://platform.openai.com/docs/api-reference/chat/create
 */
import type { Engine } from "../../llm/inference/engine.ts";
import type { GenerationRequest } from "../generate.ts";
import { chatMessages } from "./chat-messages.ts";
import {
  byDefault,
  flag,
  integer,
  objectOf,
  optional,
  readRequest,
  required,
  text,
} from "./field.ts";
import { chooseFormat, responseFormat } from "./format-field.ts";
import { harmlessFields, modelField } from "./model-field.ts";
import { badField, unsupported } from "./refusal.ts";
import {
  MOST_TOKENS,
  penaltyFields,
  stopTexts,
  temperatureFields,
  toSampling,
} from "./sampling-fields.ts";
import { chatToolChoice, chatTools, checkTools } from "./tool-fields.ts";

/** Timelines that one request may open. */
export const MOST_CHOICES = 16;

const chatFields = {
  model: modelField,
  messages: required(chatMessages),
  stream: byDefault(flag, false),
  stream_options: optional(
    objectOf({ include_usage: byDefault(flag, false) }, { harmless: ["include_obfuscation"] }),
  ),
  n: byDefault(integer(1, MOST_CHOICES), 1),
  max_tokens: optional(integer(1, MOST_TOKENS)),
  max_completion_tokens: optional(integer(1, MOST_TOKENS)),
  stop: optional(stopTexts),
  ...temperatureFields,
  ...penaltyFields,
  logprobs: byDefault(flag, false),
  top_logprobs: optional(integer(0, 20)),
  response_format: optional(responseFormat),
  grammar: optional(text),
  tools: optional(chatTools),
  tool_choice: optional(chatToolChoice),
  parallel_tool_calls: byDefault(flag, true),
} as const;

const chatOthers = {
  harmless: [...harmlessFields, "store"],
  refused: {
    functions: "Use tools.",
    function_call: "Use tool_choice.",
    modalities: "Replies are text.",
    audio: "Replies are text.",
    prediction: "Leave it out.",
    reasoning_effort: "Leave it out.",
    verbosity: "Say it in the messages.",
    web_search_options: "Offer a tool that searches.",
  },
} as const;

export interface ChatRequest extends GenerationRequest {
  readonly model: string | undefined;
  readonly stream: boolean;
  readonly includeUsage: boolean;
  readonly logprobs: boolean;
}

/** @throws Refusal naming the field that is wrong or that the engine lacks */
export function readChatRequest(body: unknown, engine: Engine): ChatRequest {
  const values = readRequest(body, chatFields, chatOthers);
  const { tools, tool_choice, stream, stream_options } = values;
  checkTools(tools, tool_choice, engine);
  if (stream_options !== undefined && !stream)
    throw badField("stream_options", "belongs to stream: true.");
  const format = chooseFormat(values.response_format, values.grammar, {
    param: "response_format",
    engine,
  });
  return {
    model: values.model,
    stream,
    includeUsage: stream_options?.include_usage ?? false,
    logprobs: values.logprobs,
    prompts: [{ kind: "messages", messages: values.messages, ...(tools ? { tools } : {}) }],
    n: values.n,
    singleCall: !values.parallel_tool_calls,
    options: {
      ...maxTokens(values),
      ...(values.stop ? { stop: values.stop } : {}),
      ...(tool_choice ? { toolChoice: tool_choice } : {}),
      ...alternatives(values, engine),
      sampling: toSampling(values, engine),
      format,
    },
  };
}

type ChatValues = ReturnType<typeof readRequest<typeof chatFields>>;

function maxTokens({ max_tokens, max_completion_tokens }: ChatValues): { maxTokens?: number } {
  if (max_tokens !== undefined && max_completion_tokens !== undefined)
    throw badField("max_tokens", "is max_completion_tokens by its older name; give one of them.");
  const most = max_completion_tokens ?? max_tokens;
  return most === undefined ? {} : { maxTokens: most };
}

function alternatives(
  { logprobs, top_logprobs }: ChatValues,
  { can }: Engine,
): { logprobs?: number } {
  if (top_logprobs !== undefined && !logprobs)
    throw badField("top_logprobs", "belongs to logprobs: true.");
  if (!logprobs) return {};
  if (!can.logprobs) throw unsupported("logprobs", "this model does not tell probabilities.");
  return { logprobs: top_logprobs ?? 0 };
}
