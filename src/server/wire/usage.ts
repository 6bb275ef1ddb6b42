/**
 * Tokens of a request, added up over its prompts and texts: a prompt counts once however many texts
 * follow from it.
 */
import type { GenerationEvent } from "../generate.ts";

export interface TokenCounts {
  promptTokens: number;
  cachedTokens: number;
  completionTokens: number;
}

export function noTokens(): TokenCounts {
  return { promptTokens: 0, cachedTokens: 0, completionTokens: 0 };
}

/** Adds what one event tells. */
export function countTokens(counts: TokenCounts, event: GenerationEvent): void {
  if (event.type === "prompt") {
    counts.promptTokens += event.usage.promptTokens;
    counts.cachedTokens += event.usage.cachedTokens;
  } else if (event.type === "ended") counts.completionTokens += event.ended.usage.completionTokens;
}

export interface WireUsage {
  readonly prompt_tokens: number;
  readonly completion_tokens: number;
  readonly total_tokens: number;
  readonly prompt_tokens_details: { readonly cached_tokens: number };
}

/** As chat and completions say it. */
export function toWireUsage({
  promptTokens,
  cachedTokens,
  completionTokens,
}: TokenCounts): WireUsage {
  return {
    prompt_tokens: promptTokens,
    completion_tokens: completionTokens,
    total_tokens: promptTokens + completionTokens,
    prompt_tokens_details: { cached_tokens: cachedTokens },
  };
}

export interface ResponsesUsage {
  readonly input_tokens: number;
  readonly input_tokens_details: { readonly cached_tokens: number };
  readonly output_tokens: number;
  readonly output_tokens_details: { readonly reasoning_tokens: number };
  readonly total_tokens: number;
}

/** As responses say it. */
export function toResponsesUsage(counts: TokenCounts): ResponsesUsage {
  const { promptTokens, cachedTokens, completionTokens } = counts;
  return {
    input_tokens: promptTokens,
    input_tokens_details: { cached_tokens: cachedTokens },
    output_tokens: completionTokens,
    output_tokens_details: { reasoning_tokens: 0 },
    total_tokens: promptTokens + completionTokens,
  };
}
