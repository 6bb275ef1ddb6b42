/**
 * From what a reader sees in a turn to deltas and the final message. The turn may have begun in an
 * earlier `generate`: what it held then is read again in silence, and an open call goes on under
 * its index and id. Of a call that is not finished, the message has nothing yet.
 */
import type { AssistantMessage, ToolCall } from "../chat/conversation.ts";
import type { Delta } from "../inference/engine.ts";
import type { ReplyEvent } from "./chat-format.ts";
import { type Cut, createShownText, type MadeToken, type Shown } from "./shown-text.ts";

export interface ReplyDeltas {
  /** Reads what was shown before; ahead of the first `push`. */
  pass(events: readonly ReplyEvent[], token: MadeToken): void;
  /** What becomes visible with this token. */
  push(events: readonly ReplyEvent[], token: MadeToken): Delta[];
  /** No more comes: what was held back. */
  end(): Delta[];
  readonly cut: Cut | undefined;
  /** What was pushed, as far as it was shown. */
  readonly message: AssistantMessage;
  /** Calls of the turn that are finished. */
  readonly calls: number;
}

export interface ReplyDeltasOptions {
  readonly stop: readonly string[];
  /** Tokens with their log-probabilities are reported. */
  readonly logprobs: boolean;
  /** The id of a call whose name was whole at this index of the timeline. */
  readonly nameCall: (at: number) => string;
}

interface OpenCall {
  readonly index: number;
  readonly id: string;
  readonly name: string;
  readonly json: string;
}

export function createReplyDeltas({ stop, logprobs, nameCall }: ReplyDeltasOptions): ReplyDeltas {
  const shownText = createShownText(stop);
  let content = "";
  let finished: ToolCall[] = [];
  let call: OpenCall | undefined;
  let [begun, calls] = [0, 0];

  function show({ text, tokens }: Shown): Delta[] {
    content += text;
    if (text === "" && tokens.length === 0) return [];
    return [{ type: "text-delta", text, ...(logprobs ? { tokens } : {}) }];
  }

  function beginCall(name: string, at: number): Delta[] {
    const before = show(shownText.end());
    call = { index: begun++, id: nameCall(at), name, json: "" };
    return [...before, { type: "tool-call-start", index: call.index, id: call.id, name }];
  }

  function goOn(text: string): Delta[] {
    if (call === undefined) return [];
    call = { ...call, json: call.json + text };
    return [{ type: "tool-call-delta", index: call.index, text }];
  }

  function finishCall(): Delta[] {
    if (call !== undefined) finished.push({ id: call.id, name: call.name, arguments: call.json });
    call = undefined;
    calls++;
    return [];
  }

  function readCall(event: Exclude<ReplyEvent, { kind: "text" }>, at: number): Delta[] {
    if (event.kind === "call") return beginCall(event.name, at);
    return event.kind === "arguments" ? goOn(event.text) : finishCall();
  }

  return {
    pass(events, token) {
      for (const event of events)
        if (event.kind === "text") shownText.pass(event.text, token);
        else readCall(event, token.at);
      finished = [];
    },
    push: (events, token) =>
      events.flatMap((event) =>
        event.kind === "text" ? show(shownText.push(event.text, token)) : readCall(event, token.at),
      ),
    end: () => show(shownText.end()),
    get cut() {
      return shownText.cut;
    },
    get message() {
      const toolCalls = finished.length > 0 ? { toolCalls: finished } : {};
      return { role: "assistant" as const, content, ...toolCalls };
    },
    get calls() {
      return calls;
    },
  };
}
