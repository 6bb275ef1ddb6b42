/**
 * Tokens and their log-probabilities: chat's list of objects, and the parallel arrays of the older
 * completions. A token is bytes; as text, bytes that are no whole character read U+FFFD in chat
 * and `bytes:\xe2` in completions, as at OpenAI.
 */
import type { Candidate, TokenLogprob } from "../../llm/inference/engine.ts";

/** JSON has no -Infinity. @see OpenAI, chat completions: "-9999.0 means very unlikely" */
const NEVER = -9999;

const lenient = new TextDecoder();
const strict = new TextDecoder("utf-8", { fatal: true });

export interface WireCandidate {
  readonly token: string;
  readonly logprob: number;
  readonly bytes: readonly number[];
}

export interface WireToken extends WireCandidate {
  readonly top_logprobs: readonly WireCandidate[];
}

export interface WireLogprobs {
  readonly content: readonly WireToken[];
  readonly refusal: null;
}

export function toWireLogprobs(tokens: readonly TokenLogprob[]): WireLogprobs {
  return { content: tokens.map(toWireToken), refusal: null };
}

export function toWireToken(token: TokenLogprob): WireToken {
  return { ...toWireCandidate(token), top_logprobs: token.top.map(toWireCandidate) };
}

function toWireCandidate({ bytes, logprob }: Candidate): WireCandidate {
  return { token: lenient.decode(bytes), logprob: finite(logprob), bytes: [...bytes] };
}

function finite(logprob: number): number {
  return logprob >= NEVER ? logprob : NEVER;
}

export interface CompletionLogprobs {
  readonly tokens: readonly string[];
  /** The first token of a text has none: nothing stood before it. */
  readonly token_logprobs: readonly (number | null)[];
  readonly top_logprobs: readonly (Readonly<Record<string, number>> | null)[];
  /** Where in the text each token begins, in code points. */
  readonly text_offset: readonly number[];
}

/** @param offset of the first token, in code points */
export function toCompletionLogprobs(
  tokens: readonly TokenLogprob[],
  offset: number,
): CompletionLogprobs {
  const known = tokens.map(({ logprob }) => !Number.isNaN(logprob));
  return {
    tokens: tokens.map(({ bytes }) => tokenText(bytes)),
    token_logprobs: tokens.map(({ logprob }, i) => (known[i] ? finite(logprob) : null)),
    top_logprobs: tokens.map(({ top }, i) => (known[i] ? byText(top) : null)),
    text_offset: offsets(tokens, offset),
  };
}

function byText(top: readonly Candidate[]): Readonly<Record<string, number>> {
  return Object.fromEntries(top.map(({ bytes, logprob }) => [tokenText(bytes), finite(logprob)]));
}

function tokenText(bytes: Uint8Array): string {
  try {
    return strict.decode(bytes);
  } catch {
    const codes = Array.from(bytes, (byte) => `\\x${byte.toString(16).padStart(2, "0")}`);
    return `bytes:${codes.join("")}`;
  }
}

function offsets(tokens: readonly TokenLogprob[], offset: number): number[] {
  let place = offset;
  return tokens.map(({ bytes }) => {
    const start = place;
    // A character begins with any byte but 10xxxxxx.
    place += bytes.reduce((count, byte) => count + ((byte & 0xc0) === 0x80 ? 0 : 1), 0);
    return start;
  });
}
