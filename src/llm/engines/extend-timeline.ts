/** Puts ids behind what a timeline keeps, or changes nothing. */
import type { SampledToken, TokenSession } from "../inference/token-engine.ts";
import type { Extension } from "./chat-format.ts";

export interface AppendOptions {
  readonly signal?: AbortSignal | undefined;
  /** Alternatives reported a token. */
  readonly logprobs?: number | undefined;
}

export interface Extended {
  /** The timeline from now on; the one before is gone if it is another. */
  readonly tokens: TokenSession;
  readonly cached: number;
  readonly sampled: readonly SampledToken[];
}

/** What is not kept is taken off a fork: when the rest does not fit, the timeline is as it was. */
export async function extendTimeline(
  before: TokenSession,
  { keep, ids }: Extension,
  { signal, logprobs }: AppendOptions,
): Promise<Extended> {
  const tokens = keep < before.ids.length ? before.fork() : before;
  try {
    if (tokens !== before) tokens.truncate(keep);
    const put = ids.length > 0 ? await tokens.append(ids, given({ signal, logprobs })) : NOTHING;
    if (tokens !== before) await before[Symbol.asyncDispose]();
    return { tokens, cached: put.cached, sampled: put.tokens ?? [] };
  } catch (error) {
    if (tokens !== before) await tokens[Symbol.asyncDispose]();
    throw error;
  }
}

const NOTHING: { cached: number; tokens?: readonly SampledToken[] } = { cached: 0 };

/** The same without what is absent. */
export function given<T extends object>(options: T): { [K in keyof T]: NonNullable<T[K]> } {
  const entries = Object.entries(options).filter(([, value]) => value !== undefined);
  return Object.fromEntries(entries) as { [K in keyof T]: NonNullable<T[K]> };
}
