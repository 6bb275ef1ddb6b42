/**
 * The conversation on the page as plain data. A turn is what a person said, or what the model made
 * of it: text, calls, results of calls, text again. Editing or asking anew cuts everything after.
 */
import type { WireCall, WireMessage, WireToken } from "./wire.ts";

/** One reply of the model, with the calls that ended it and their results. */
export interface Step {
  readonly content: string;
  readonly tokens: readonly WireToken[];
  readonly calls: readonly WireCall[];
  /** One a call, in order. */
  readonly results: readonly string[];
}

export interface Exchange {
  readonly question: string;
  readonly steps: readonly Step[];
  /** Tokens per second, and new tokens; absent while the reply is made. */
  readonly speed?: { readonly rate: number; readonly tokens: number };
  /** What went wrong, or why the reply is not whole. */
  readonly note?: string;
}

export const emptyStep: Step = { content: "", tokens: [], calls: [], results: [] };

/** What the model is asked: all of it, the last exchange's steps included. */
export function toMessages(system: string, exchanges: readonly Exchange[]): WireMessage[] {
  const opening: WireMessage[] = system.trim() === "" ? [] : [{ role: "system", content: system }];
  return [...opening, ...exchanges.flatMap(exchangeMessages)];
}

function exchangeMessages({ question, steps }: Exchange): WireMessage[] {
  return [{ role: "user", content: question }, ...steps.flatMap(stepMessages)];
}

function stepMessages({ content, calls, results }: Step): WireMessage[] {
  const answered = calls.slice(0, results.length);
  const calling = answered.length === 0 ? {} : { tool_calls: answered };
  return [
    { role: "assistant", content, ...calling },
    ...answered.map(
      ({ id }, i): WireMessage => ({
        role: "tool",
        tool_call_id: id,
        content: results[i] as string,
      }),
    ),
  ];
}
