/**
 * Reads what followed a prompt back into messages. The walk goes from mark to mark over a table of which
 * may follow which; at the first that does not belong there it stops, and what was read until then
 * is what the assistant said.
 */
import type { Tokenizer } from "../tokenizer/tokenizer.ts";
import { findCallFault, readCall } from "./call-text.ts";
import type { Message, ToolCall } from "./conversation.ts";
import type { Marks } from "./marks.ts";

export interface ParsedReply {
  readonly messages: Message[];
  /**
   * False for a turn without its end, an open call, arguments that are not a JSON object, text
   * between a call and the end of its turn, a mark out of place, or fewer results than calls.
   * Calls that nobody answered at all are well-formed: the reply ended with the asking.
   */
  readonly wellFormed: boolean;
}

/** A mark and the text up to the next one. */
export interface Segment {
  readonly mark: number;
  readonly text: string;
}

/**
 * @param first the mark before `ids`
 * @returns the pieces; an id outside the vocabulary is a mark that belongs nowhere
 */
export function cutAtMarks(ids: readonly number[], tokenizer: Tokenizer, first: number): Segment[] {
  const special = new Set(tokenizer.specialTokens.values());
  const isMark = (id: number): boolean => special.has(id) || id >= tokenizer.vocabSize;
  const segments: Segment[] = [];
  let start = 0;
  let mark = first;
  for (let i = 0; i <= ids.length; i++) {
    const id = ids[i];
    if (id !== undefined && !isMark(id)) continue;
    segments.push({ mark, text: tokenizer.decode(ids.slice(start, i)) });
    start = i + 1;
    mark = id ?? mark;
  }
  return segments;
}

interface Draft {
  readonly role: "assistant";
  content: string;
  toolCalls?: ToolCall[];
}

export interface ReplyReader {
  /** @returns false when the mark does not belong here */
  read(segment: Segment): boolean;
  finish(): ParsedReply;
}

export function createReplyReader(marks: Marks): ReplyReader {
  const { assistantStart, assistantEnd, callStart, callEnd, toolStart, toolEnd } = marks;
  const messages: Message[] = [];
  let turn: Draft = { role: "assistant", content: "" };
  let last: number | undefined;
  let waiting = 0;
  let sound = true;

  const inTurn = [callStart, assistantEnd];
  const followers = (): readonly number[] => {
    if (last === undefined) return [assistantStart];
    if (last === toolEnd) return [waiting > 0 ? toolStart : assistantStart];
    if (last === assistantEnd) return waiting > 0 ? [toolStart] : [];
    if (last === callStart) return [callEnd];
    return last === toolStart ? [toolEnd] : inTurn;
  };

  const actions = new Map<number, (text: string) => void>([
    [assistantStart, beginTurn],
    [callStart, addCall],
    [callEnd, addStrayText],
    [assistantEnd, endTurn],
    [toolStart, (text) => messages.push({ role: "tool", content: text })],
    [toolEnd, endResult],
  ]);

  function beginTurn(text: string): void {
    turn = { role: "assistant", content: text };
    messages.push(turn);
  }

  function addCall(text: string): void {
    const call = readCall(text);
    turn.toolCalls = [...(turn.toolCalls ?? []), call];
    sound &&= findCallFault(call) === undefined;
  }

  /** Text after a call has no place in a message; it is kept with the turn's. */
  function addStrayText(text: string): void {
    turn.content += text;
    sound &&= text === "";
  }

  function endTurn(text: string): void {
    waiting = turn.toolCalls?.length ?? 0;
    sound &&= text === "";
  }

  function endResult(text: string): void {
    waiting--;
    sound &&= text === "";
  }

  return {
    read({ mark, text }) {
      if (!followers().includes(mark)) {
        sound = false;
        return false;
      }
      actions.get(mark)?.(text);
      last = mark;
      return true;
    },
    finish: () => ({ messages, wellFormed: sound && last === assistantEnd }),
  };
}
