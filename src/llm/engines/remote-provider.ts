/**
 * The providers of other machines' models: how a model of each is reached through the AI SDK, and
 * what each cannot be asked for. What a provider lacks is refused before anything is sent; what
 * the SDK leaves out of a request all the same comes back as a warning and is refused then.
 * @see https://ai-sdk.dev/providers, each provider's API reference
 */
import { createAnthropic } from "@ai-sdk/anthropic";
import { createGoogle } from "@ai-sdk/google";
import { createOpenAICompatible } from "@ai-sdk/openai-compatible";
import type { EmbeddingModel, LanguageModelMiddleware } from "ai";

export type ProviderName = "openai" | "anthropic" | "google" | "ollama" | "openai-compatible";

/** Everything a `generate` may ask for that not every provider knows. */
export type RemoteOption =
  | "topK"
  | "topP"
  | "minP"
  | "repetitionPenalty"
  | "presencePenalty"
  | "frequencyPenalty"
  | "logitBias"
  | "seed"
  | "logprobs"
  | "toolChoice"
  | "json"
  | "json-schema"
  | "grammar"
  /** Goes on in a reply that was cut: the request ends with what there is of it. */
  | "resume";

/** Where a model is and what opens it. */
export interface RemoteAddress {
  /** Without a slash at its end; absent: the provider's own. */
  readonly baseUrl?: string | undefined;
  readonly apiKey?: string | undefined;
}

/** A model object of the SDK, as its middleware takes it. */
export type RemoteModel = Parameters<
  NonNullable<LanguageModelMiddleware["overrideModelId"]>
>[0]["model"];

export interface Provider {
  readonly lacks: ReadonlySet<RemoteOption>;
  model(name: string, address: RemoteAddress): RemoteModel;
  /** Absent: it has no embeddings. */
  embedding?(name: string, address: RemoteAddress): Exclude<EmbeddingModel, string>;
}

/** No provider here shows log-probabilities through the SDK, or takes these. */
const NOBODY_HAS = ["minP", "repetitionPenalty", "logprobs", "grammar"] as const;

export const providers: Readonly<Record<ProviderName, Provider>> = {
  openai: {
    lacks: new Set([...NOBODY_HAS, "topK", "resume"]),
    ...openAiKind("openai", "https://api.openai.com/v1", renameLimit),
  },
  "openai-compatible": {
    lacks: new Set([...NOBODY_HAS, "topK", "resume"]),
    ...openAiKind("openai-compatible", "https://api.openai.com/v1"),
  },
  ollama: {
    lacks: new Set([...NOBODY_HAS, "topK", "logitBias", "toolChoice", "resume"]),
    ...openAiKind("ollama", "http://127.0.0.1:11434/v1"),
  },
  anthropic: {
    lacks: new Set([
      ...NOBODY_HAS,
      ...(["presencePenalty", "frequencyPenalty", "logitBias", "seed", "json"] as const),
    ]),
    model: (name, address) => createAnthropic(toSettings(address))(name),
  },
  google: {
    lacks: new Set([...NOBODY_HAS, "logitBias", "resume"]),
    model: (name, address) => createGoogle(toSettings(address))(name),
    embedding: (name, address) => createGoogle(toSettings(address)).embeddingModel(name),
  },
};

type Body = Record<string, unknown>;

function openAiKind(
  name: string,
  defaultUrl: string,
  transformRequestBody: (body: Body) => Body = (body) => body,
): Pick<Provider, "model" | "embedding"> {
  const open = ({ baseUrl = defaultUrl, apiKey }: RemoteAddress) =>
    createOpenAICompatible({
      ...{ name, baseURL: baseUrl, includeUsage: true, supportsStructuredOutputs: true },
      ...(apiKey === undefined ? {} : { apiKey }),
      transformRequestBody,
    });
  return {
    model: (model, address) => open(address).chatModel(model),
    embedding: (model, address) => open(address).embeddingModel(model),
  };
}

/** OpenAI's newer models refuse the older name of the limit. */
function renameLimit({ max_tokens, ...body }: Body): Body {
  return max_tokens === undefined ? body : { ...body, max_completion_tokens: max_tokens };
}

function toSettings({ baseUrl, apiKey }: RemoteAddress): { baseURL?: string; apiKey?: string } {
  return {
    ...(baseUrl === undefined ? {} : { baseURL: baseUrl }),
    ...(apiKey === undefined ? {} : { apiKey }),
  };
}
