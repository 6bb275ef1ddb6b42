/**
 * Our own template (`../chat/template.ts`) for engines. Messages are spelled one by one, so all that
 * stands on a timeline is kept.
 *
 * Our models were trained with the three tools of `../chat/tools` and no definitions: offering
 * these adds nothing. Definitions of other tools stand in a system message, one line of JSON each,
 * below its text.
 */
import type { Message } from "../chat/conversation.ts";
import { findMarks, type Marks } from "../chat/marks.ts";
import { renderMessage } from "../chat/template.ts";
import { tools as knownTools } from "../chat/tools/table.ts";
import type { ToolDefinition } from "../inference/engine.ts";
import { createStreamDecoder } from "../tokenizer/stream-decoder.ts";
import type { Tokenizer } from "../tokenizer/tokenizer.ts";
import { createCallConstraints } from "./call-constraint.ts";
import type { ChatFormat, ChatStep, Extension, ReplyEvent, ReplyReader } from "./chat-format.ts";
import { textEvent } from "./text-reader.ts";

/** @throws TOKENIZER when the vocabulary lacks a mark */
export function nutshellFormat(tokenizer: Tokenizer): ChatFormat {
  const marks = findMarks(tokenizer);
  return {
    ends: new Set([marks.assistantEnd]),
    calls: {
      start: marks.callStart,
      end: marks.callEnd,
      constrain: createCallConstraints(tokenizer),
    },
    extend: (step) => extend(step, tokenizer, marks),
    createReader: () => createReader(tokenizer, marks),
  };
}

function extend(step: ChatStep, tokenizer: Tokenizer, marks: Marks): Extension {
  const { keep, ids } = closeTurn(step, marks);
  const start = keep === 0 ? [marks.bos] : [];
  const spelled = addedMessages(step).flatMap((message) =>
    renderMessage(message, tokenizer, marks),
  );
  const word = step.speaks ? [marks.assistantStart] : [];
  return { keep, ids: [...start, ...ids, ...spelled, ...word] };
}

/** An unused word is taken back; a call that was not finished is left out. */
function closeTurn({ ids, openFrom }: ChatStep, marks: Marks): Extension {
  if (openFrom === undefined) return { keep: ids.length, ids: [] };
  if (openFrom === ids.length) return { keep: ids.length - 1, ids: [] };
  const lastCall = ids.lastIndexOf(marks.callStart);
  const unfinished = lastCall >= openFrom && ids.indexOf(marks.callEnd, lastCall) < 0;
  return { keep: unfinished ? lastCall : ids.length, ids: [marks.assistantEnd] };
}

function addedMessages(step: ChatStep): readonly Message[] {
  const added = step.messages.slice(step.messages.length - step.added);
  const lines = step.toolsChanged
    ? step.tools.filter(isNew).map((tool) => JSON.stringify(tool))
    : [];
  if (lines.length === 0) return added;
  const [first, ...rest] = added;
  if (first?.role !== "system") return [{ role: "system", content: lines.join("\n") }, ...added];
  return [{ role: "system", content: `${first.content}\n\n${lines.join("\n")}` }, ...rest];
}

/** The model was not trained with it. */
function isNew({ name, parameters }: ToolDefinition): boolean {
  const known = knownTools.get(name);
  return known === undefined || JSON.stringify(parameters) !== JSON.stringify(known.parameters);
}

function createReader(tokenizer: Tokenizer, marks: Marks): ReplyReader {
  const decoder = createStreamDecoder(tokenizer);
  let inCall = false;
  /** Of a call, what was read before its name was whole. */
  let name: string | undefined;

  function readCall(text: string): readonly ReplyEvent[] {
    if (name === undefined) return text === "" ? [] : [{ kind: "arguments", text }];
    name += text;
    const space = name.indexOf(" ");
    return space < 0 ? [] : beginCall(name.slice(0, space), name.slice(space + 1));
  }

  function beginCall(read: string, text: string): readonly ReplyEvent[] {
    name = undefined;
    return [{ kind: "call", name: read }, ...readCall(text)];
  }

  function atMark(id: number): readonly ReplyEvent[] {
    const left = decoder.end();
    const before = inCall ? readCall(left) : [textEvent(left)];
    if (id === marks.callStart) {
      inCall = true;
      name = "";
      return before;
    }
    if (!inCall || id !== marks.callEnd) return before;
    inCall = false;
    const nameless = name === undefined ? [] : beginCall(name, "");
    return [...before, ...nameless, { kind: "call-end" }];
  }

  return {
    push(id) {
      if (id === marks.callStart || id === marks.callEnd) return atMark(id);
      const text = decoder.push(id);
      return inCall ? readCall(text) : [textEvent(text)];
    },
    end: () => atMark(marks.assistantEnd),
  };
}
