/** What a turn holds so far, read again from its ids: to go on in it, or as a message. */
import type { AssistantMessage } from "../chat/conversation.ts";
import type { GenerateOptions } from "../inference/engine.ts";
import type { Tokenizer } from "../tokenizer/tokenizer.ts";
import { nameCall } from "./call-id.ts";
import type { ChatFormat } from "./chat-format.ts";
import type { Reply } from "./make-reply.ts";
import { createReplyDeltas, type ReplyDeltas } from "./reply-deltas.ts";
import { createTextReader } from "./text-reader.ts";

export interface Turn {
  readonly tokenizer: Tokenizer;
  /** Absent: text without a template. */
  readonly chat: ChatFormat | undefined;
  readonly ids: readonly number[];
  /** Index of its first id. */
  readonly from: number;
}

/** Reader and deltas behind all that the turn holds; nothing of it is shown again. */
export function resumeTurn(
  turn: Turn,
  options: GenerateOptions,
): Pick<Reply, "reader" | "deltas" | "from"> {
  const { tokenizer, chat, ids, from } = turn;
  const reader = chat?.createReader() ?? createTextReader(tokenizer);
  const deltas = createDeltas(turn, options);
  for (let at = from; at < ids.length; at++) {
    const id = ids[at] as number;
    deltas.pass(reader.push(id), { at, bytes: tokenizer.tokenBytes(id) });
  }
  return { reader, deltas, from: ids.length };
}

/** As far as it is there; a call that is not finished is not. */
export function readTurn(turn: Turn): AssistantMessage {
  const { tokenizer, chat, ids, from } = turn;
  const reader = chat?.createReader() ?? createTextReader(tokenizer);
  const deltas = createDeltas(turn, {});
  for (let at = from; at < ids.length; at++) {
    const id = ids[at] as number;
    const events = chat?.ends.has(id) === true ? reader.end() : reader.push(id);
    deltas.push(events, { at, bytes: tokenizer.tokenBytes(id) });
  }
  deltas.end();
  return deltas.message;
}

function createDeltas({ ids }: Turn, { stop = [], logprobs }: GenerateOptions): ReplyDeltas {
  const name = (at: number): string => nameCall(ids.slice(0, at + 1));
  return createReplyDeltas({ stop, logprobs: logprobs !== undefined, nameCall: name });
}
