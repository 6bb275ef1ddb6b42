/**
 * `POST /v1/responses`: what is asked, as our options, and what of it the reply repeats.
 * @see https://platform.openai.com/docs/api-reference/responses/create
 */
import type { Message } from "../../llm/chat/conversation.ts";
import type { Engine } from "../../llm/inference/engine.ts";
import type { GenerationRequest } from "../generate.ts";
import { checkAnswers } from "./chat-messages.ts";
import {
  anObject,
  byDefault,
  flag,
  integer,
  listOf,
  objectOf,
  oneOf,
  optional,
  readRequest,
  required,
  text,
} from "./field.ts";
import { chooseFormat, textFormat } from "./format-field.ts";
import { harmlessFields, modelField } from "./model-field.ts";
import { badField, Refusal, unsupported } from "./refusal.ts";
import { joinTurns, responsesInput } from "./response-items.ts";
import { MOST_TOKENS, temperatureFields, toSampling } from "./sampling-fields.ts";
import { checkTools, responsesToolChoice, responsesTools } from "./tool-fields.ts";

const LOGPROBS = "message.output_text.logprobs";

const responseFields = {
  model: modelField,
  input: required(responsesInput),
  instructions: optional(text),
  previous_response_id: optional(text),
  store: byDefault(flag, true),
  stream: byDefault(flag, false),
  max_output_tokens: optional(integer(1, MOST_TOKENS)),
  text: optional(objectOf({ format: optional(textFormat) }, { refused: { verbosity: "Say it." } })),
  grammar: optional(text),
  tools: optional(responsesTools),
  tool_choice: optional(responsesToolChoice),
  parallel_tool_calls: byDefault(flag, true),
  ...temperatureFields,
  seed: optional(integer(Number.MIN_SAFE_INTEGER, Number.MAX_SAFE_INTEGER)),
  top_logprobs: optional(integer(0, 20)),
  include: optional(listOf(oneOf(LOGPROBS), 1)),
  truncation: byDefault(oneOf("disabled"), "disabled"),
  background: byDefault(flag, false),
  metadata: optional(anObject),
} as const;

const responseOthers = {
  harmless: [...harmlessFields, "stream_options"],
  refused: {
    conversation: "Use previous_response_id.",
    context_management: "Leave it out.",
    max_tool_calls: "Use parallel_tool_calls.",
    prompt: "Send input.",
    reasoning: "Leave it out.",
  },
} as const;

export interface ResponseRequest extends GenerationRequest {
  readonly model: string | undefined;
  readonly stream: boolean;
  readonly store: boolean;
  /** All that was said before the reply, without instructions. */
  readonly messages: readonly Message[];
  /** Fields of the request that the reply repeats. */
  readonly echo: object;
  readonly logprobs: boolean;
}

/**
 * @param find the messages of an earlier response
 * @throws Refusal naming the field that is wrong or that the engine lacks
 */
export function readResponseRequest(
  body: unknown,
  engine: Engine,
  find: (id: string) => readonly Message[] | undefined,
): ResponseRequest {
  const values = readRequest(body, responseFields, responseOthers);
  const { tools, tool_choice, instructions, model, stream, store } = values;
  if (values.background) throw unsupported("background", "replies come at once or as a stream.");
  checkTools(tools, tool_choice, engine);
  const messages = joinTurns([...earlier(values, find), ...values.input]);
  checkAnswers(messages, () => "input");
  const logprobs = alternatives(values, engine);
  const format = chooseFormat(values.text?.format, values.grammar, {
    param: "text.format",
    engine,
  });
  const prompt = instructions === undefined ? messages : withInstructions(instructions, messages);
  return {
    model,
    stream,
    store,
    messages,
    echo: toEcho(values, body as Readonly<Record<string, unknown>>),
    logprobs: logprobs !== undefined,
    prompts: [{ kind: "messages", messages: prompt, ...(tools ? { tools } : {}) }],
    n: 1,
    singleCall: !values.parallel_tool_calls,
    options: {
      ...(values.max_output_tokens ? { maxTokens: values.max_output_tokens } : {}),
      ...(tool_choice ? { toolChoice: tool_choice } : {}),
      ...(logprobs === undefined ? {} : { logprobs }),
      sampling: toSampling(values, engine),
      format,
    },
  };
}

type ResponseValues = ReturnType<typeof readRequest<typeof responseFields>>;

function earlier(
  { previous_response_id: id }: ResponseValues,
  find: (id: string) => readonly Message[] | undefined,
): readonly Message[] {
  if (id === undefined) return [];
  const messages = find(id);
  if (messages !== undefined) return messages;
  throw new Refusal(400, "previous_response_id: there is no such response, or not any more.", {
    param: "previous_response_id",
    code: "previous_response_not_found",
  });
}

/** Instructions stand before everything; a system message that was there first follows in them. */
function withInstructions(content: string, [first, ...rest]: readonly Message[]): Message[] {
  if (first?.role === "system")
    return [{ role: "system", content: `${content}\n\n${first.content}` }, ...rest];
  return [{ role: "system", content }, ...(first === undefined ? [] : [first]), ...rest];
}

function alternatives(values: ResponseValues, { can }: Engine): number | undefined {
  const asked = values.include?.includes(LOGPROBS) === true;
  if (values.top_logprobs !== undefined && !asked)
    throw badField("top_logprobs", `belongs to include: ["${LOGPROBS}"].`);
  if (!asked) return undefined;
  if (!can.logprobs) throw unsupported("include", "this model does not tell probabilities.");
  return values.top_logprobs ?? 0;
}

function toEcho(values: ResponseValues, body: Readonly<Record<string, unknown>>): object {
  return {
    instructions: values.instructions ?? null,
    max_output_tokens: values.max_output_tokens ?? null,
    previous_response_id: values.previous_response_id ?? null,
    parallel_tool_calls: values.parallel_tool_calls,
    temperature: values.temperature ?? 1,
    top_p: values.top_p ?? 1,
    top_logprobs: values.top_logprobs ?? 0,
    text: values.text?.format === undefined ? { format: { type: "text" } } : body.text,
    tool_choice: body.tool_choice ?? "auto",
    tools: body.tools ?? [],
    metadata: values.metadata ?? {},
    reasoning: { effort: null, summary: null },
    truncation: "disabled",
    background: false,
    store: values.store,
    service_tier: "default",
    user: null,
  };
}
