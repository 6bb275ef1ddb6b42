/**
 * One request to a remote model, read while it comes in: the SDK's stream becomes deltas. Whatever
 * ends it, `Made` holds what came until then. Reasoning that a provider shows is not part of a text.
 */
import {
  jsonSchema,
  type LanguageModelMiddleware,
  type ModelMessage,
  streamText,
  type TextStreamPart,
  type ToolSet,
  tool,
  wrapLanguageModel,
} from "ai";
import { NutshellError } from "../../error.ts";
import type { ToolCall } from "../chat/conversation.ts";
import type { Delta, FinishReason, GenerateOptions, ToolDefinition } from "../inference/engine.ts";
import { given } from "./extend-timeline.ts";
import { toFailure } from "./remote-failure.ts";
import type { CallNotes } from "./remote-messages.ts";
import type { RemoteModel } from "./remote-provider.ts";

/** How long and how often is waited for a provider. */
export interface Patience {
  /** After 429, 5xx and a broken connection; as `Retry-After` says, else 2 s, 4 s, … */
  readonly maxRetries: number;
  /** From the request to the first piece of the reply, then between two pieces. */
  readonly firstPieceMs: number;
  readonly pieceMs: number;
}

export interface RemoteRequest {
  readonly provider: string;
  readonly model: RemoteModel;
  readonly messages: ModelMessage[];
  readonly tools: readonly ToolDefinition[];
  readonly options: GenerateOptions;
  readonly patience: Patience;
  readonly secret: string | undefined;
}

/** What came of a reply so far. */
export interface Made {
  content: string;
  readonly calls: ToolCall[];
  notes: CallNotes;
  /** As the provider counted; absent: it did not say. */
  promptTokens?: number | undefined;
  cachedTokens?: number | undefined;
  completionTokens?: number | undefined;
}

export function emptyMade(): Made {
  return { content: "", calls: [], notes: {} };
}

/** @throws PROVIDER, CONTEXT, UNSUPPORTED; what came before stands in `made` */
export async function* readRemote(
  request: RemoteRequest,
  made: Made,
): AsyncGenerator<Delta, FinishReason> {
  const { signal } = request.options;
  const broken = new AbortController();
  const reader = createPartReader(made);
  try {
    const heard = signal ? AbortSignal.any([signal, broken.signal]) : broken.signal;
    for await (const part of send(request, heard)) {
      if (part.type === "abort") return abortedOrLate(request, signal);
      if (part.type === "error") throw part.error;
      yield* reader.read(part);
      if (part.type === "finish") return endOf(part, made);
    }
    throw new NutshellError("PROVIDER", `${request.provider}: a reply must end, got no end of it.`);
  } catch (error) {
    if (signal?.aborted) return "aborted";
    throw toFailure(request.provider, error, request.secret);
  } finally {
    broken.abort();
  }
}

function send(request: RemoteRequest, abortSignal: AbortSignal): AsyncIterable<Part> {
  const { options, tools, messages, patience } = request;
  const { maxTokens, sampling = {}, stop, toolChoice = "auto" } = options;
  const { temperature, topK, topP, presencePenalty, frequencyPenalty, seed } = sampling;
  const offered = toolChoice === "none" ? [] : tools;
  const choice =
    typeof toolChoice === "object"
      ? { type: "tool" as const, toolName: toolChoice.name }
      : toolChoice;
  const { stream } = streamText({
    model: wrapLanguageModel({ model: request.model, middleware: createMiddleware(request) }),
    ...{ messages, allowSystemInMessages: true, abortSignal, onError: () => undefined },
    ...{ maxRetries: patience.maxRetries },
    timeout: { firstChunkMs: patience.firstPieceMs, chunkMs: patience.pieceMs },
    ...given({ maxOutputTokens: maxTokens, temperature, topK, topP, seed }),
    ...given({ presencePenalty, frequencyPenalty }),
    ...(stop === undefined || stop.length === 0 ? {} : { stopSequences: [...stop] }),
    ...(offered.length === 0 ? {} : { tools: toToolSet(offered), toolChoice: choice }),
    ...biasOf(request),
  });
  return stream;
}

type Part = TextStreamPart<ToolSet>;

function toToolSet(tools: readonly ToolDefinition[]): ToolSet {
  const entries = tools.map(({ name, description, parameters }) => {
    const inputSchema = jsonSchema({ type: "object", ...parameters });
    return [name, tool({ inputSchema, ...given({ description }) })] as const;
  });
  return Object.fromEntries(entries) as ToolSet;
}

/** The SDK has no such option: the field goes as it is into the body. */
function biasOf({ provider, options }: RemoteRequest): object {
  const bias = options.sampling?.logitBias;
  if (bias === undefined || bias.size === 0) return {};
  const name = provider.replaceAll(/-(\w)/g, (_, letter: string) => letter.toUpperCase());
  return { providerOptions: { [name]: { logit_bias: Object.fromEntries(bias) } } };
}

/** Asks for the format; what the SDK says it left out is an error, not a line in a log. */
function createMiddleware({ provider, options }: RemoteRequest): LanguageModelMiddleware {
  const { format } = options;
  const wantsJson = format?.kind === "json" || format?.kind === "json-schema";
  const schema = format?.kind === "json-schema" ? { schema: format.schema as object } : {};
  return {
    specificationVersion: "v4",
    transformParams: async ({ params }) =>
      wantsJson
        ? { ...params, responseFormat: { type: "json", name: "reply", ...schema } }
        : params,
    async wrapStream({ doStream }) {
      const { stream, ...rest } = await doStream();
      const checked = stream.pipeThrough(
        new TransformStream({
          transform(part, controller) {
            if (part.type === "stream-start" && part.warnings.length > 0)
              throw leftOut(provider, part.warnings);
            controller.enqueue(part);
          },
        }),
      );
      return { stream: checked, ...rest };
    },
  };
}

function leftOut(provider: string, warnings: readonly object[]): NutshellError {
  const what = warnings.map((warning) => JSON.stringify(warning)).join(" ");
  return new NutshellError(
    "UNSUPPORTED",
    `generate: a request must be one that ${provider} takes as it is, got ${what}`,
  );
}

/** From parts of the stream to deltas; calls count from 0 in the order in which they begin. */
function createPartReader(made: Made): { read(part: Part): Delta[] } {
  const begun = new Map<string, { readonly index: number; text: string }>();

  function begin(id: string, name: string): Delta[] {
    const index = begun.size;
    begun.set(id, { index, text: "" });
    return [{ type: "tool-call-start", index, id, name }];
  }

  function goOn(id: string, text: string): Delta[] {
    const call = begun.get(id);
    if (call === undefined || text === "") return [];
    call.text += text;
    return [{ type: "tool-call-delta", index: call.index, text }];
  }

  function finish(part: Extract<Part, { type: "tool-call" }>): Delta[] {
    const { toolCallId: id, toolName: name, input, providerMetadata } = part;
    const opening = begun.has(id) ? [] : begin(id, name);
    const said = begun.get(id)?.text ?? "";
    const rest = said === "" ? goOn(id, JSON.stringify(input ?? {})) : [];
    made.calls.push({ id, name, arguments: begun.get(id)?.text ?? "" });
    if (providerMetadata !== undefined) made.notes = { ...made.notes, [id]: providerMetadata };
    return [...opening, ...rest];
  }

  function say(text: string): Delta[] {
    made.content += text;
    return text === "" ? [] : [{ type: "text-delta", text }];
  }

  return {
    read(part) {
      if (part.type === "text-delta") return say(part.text);
      if (part.type === "tool-input-start") return begin(part.id, part.toolName);
      if (part.type === "tool-input-delta") return goOn(part.id, part.delta);
      return part.type === "tool-call" ? finish(part) : [];
    },
  };
}

function abortedOrLate(
  { provider, patience }: RemoteRequest,
  signal: AbortSignal | undefined,
): FinishReason {
  if (signal?.aborted) return "aborted";
  const { firstPieceMs, pieceMs } = patience;
  throw new NutshellError(
    "PROVIDER",
    `${provider}: a reply must begin within ${firstPieceMs} ms and pause for ${pieceMs} ms at ` +
      "most, got a longer wait.",
  );
}

const reasons: Readonly<Record<string, FinishReason>> = {
  stop: "stop",
  length: "length",
  "content-filter": "content-filter",
  "tool-calls": "tool-calls",
};

function endOf(part: Extract<Part, { type: "finish" }>, made: Made): FinishReason {
  const { inputTokens, inputTokenDetails, outputTokens } = part.totalUsage;
  made.promptTokens = inputTokens;
  made.cachedTokens = inputTokenDetails.cacheReadTokens;
  made.completionTokens = outputTokens;
  const reason = reasons[part.finishReason];
  if (reason === "stop" && made.calls.length > 0) return "tool-calls";
  if (reason !== undefined) return reason;
  const got = part.rawFinishReason ?? "none";
  throw new Error(`a reply that ends without a reason to, ${got}`);
}
