/** Token by token until a reply ends: what the model makes becomes deltas. */
import type { Delta, FinishReason, TokenLogprob } from "../inference/engine.ts";
import type { SampledToken } from "../inference/token-engine.ts";
import type { Tokenizer } from "../tokenizer/tokenizer.ts";
import type { ReplyReader } from "./chat-format.ts";
import type { ReplyDeltas } from "./reply-deltas.ts";
import type { TurnMask } from "./turn-mask.ts";

export interface Reply {
  readonly reader: ReplyReader;
  readonly deltas: ReplyDeltas;
  readonly mask: TurnMask | undefined;
  /** Ids that end it. */
  readonly ends: ReadonlySet<number>;
  readonly tokenizer: Tokenizer;
  /** Index of its first token on the timeline. */
  readonly from: number;
}

export interface Outcome {
  finishReason: FinishReason;
  /** The last token ends the reply. */
  atEnd: boolean;
  tokens: number;
  draftTokens: number;
}

type Made = AsyncGenerator<SampledToken, "length" | "aborted">;

/** @param outcome kept up to date: it holds also where the reader breaks off */
export async function* makeReply(
  made: Made,
  reply: Reply,
  outcome: Outcome,
): AsyncGenerator<Delta, void> {
  try {
    yield* untilItEnds(made, reply, outcome);
  } catch (error) {
    // The text may go on later: what was held back then counts as shown.
    yield* reply.deltas.end();
    throw error;
  } finally {
    await made.return("aborted");
  }
  yield* reply.deltas.end();
}

async function* untilItEnds(
  made: Made,
  { reader, deltas, mask, ends, tokenizer, from }: Reply,
  outcome: Outcome,
): AsyncGenerator<Delta, void> {
  for (let at = from; !mask?.mustEnd; at++) {
    const next = await made.next();
    if (next.done) {
      outcome.finishReason = next.value;
      return;
    }
    const { id } = next.value;
    outcome.tokens++;
    if (next.value.drafted) outcome.draftTokens++;
    outcome.atEnd = ends.has(id);
    const events = outcome.atEnd ? reader.end() : reader.push(id);
    const bytes = tokenizer.tokenBytes(id);
    const logprob = toLogprob(next.value, tokenizer);
    yield* deltas.push(events, { at, bytes: outcome.atEnd ? NO_BYTES : bytes, logprob });
    if (outcome.atEnd || deltas.cut !== undefined) break;
  }
  outcome.finishReason = deltas.calls > 0 ? "tool-calls" : "stop";
}

const NO_BYTES = new Uint8Array();

/** @returns undefined where log-probabilities were not asked for */
export function toLogprob(
  { id, logprob, top = [] }: SampledToken,
  tokenizer: Tokenizer,
): TokenLogprob | undefined {
  if (logprob === undefined) return undefined;
  const bytesOf = (id: number): Uint8Array =>
    id < tokenizer.vocabSize ? tokenizer.tokenBytes(id) : NO_BYTES;
  const others = top.map((other) => ({ ...other, bytes: bytesOf(other.id) }));
  return { id, bytes: bytesOf(id), logprob, top: others };
}
