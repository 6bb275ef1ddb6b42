/**
 * One reply on the streams: its text on stdout as it is made, calls and results of tools dim on
 * stderr, one line each. Under --json stdout gets one object when the reply is whole.
 */
import { setImmediate as eventLoop } from "node:timers/promises";
import { inertLine } from "../../inert-text.ts";
import type { ChatEvent } from "../../llm/chat/chat-events.ts";
import type { Chat, Reply, ReplyOptions } from "../../llm/chat/converse.ts";
import type { CommandIo } from "../command.ts";

const [DIM, RESET] = ["\x1b[2m", "\x1b[0m"];
const ARROWS: Readonly<Record<"tool-call" | "tool-result", string>> = {
  "tool-call": "→",
  "tool-result": "←",
};

/** @throws what `say` throws */
export async function showReply(
  chat: Chat,
  question: string,
  options: ReplyOptions,
  io: CommandIo,
): Promise<Reply> {
  const events = chat.say(question, options);
  let lineIsOpen = false;
  for (;;) {
    const next = await events.next();
    if (next.done) {
      if (!io.json && (lineIsOpen || io.isTTY)) io.stdout("\n");
      return next.value;
    }
    lineIsOpen = showEvent(next.value, lineIsOpen, io);
    await eventLoop(); // The reference backend never waits: Ctrl-C and the pipe need their turn.
  }
}

/** @returns whether a line of text is open on stdout */
function showEvent(event: ChatEvent, lineIsOpen: boolean, io: CommandIo): boolean {
  if (event.kind === "text-delta") {
    if (!io.json) io.show(event.text);
    return !event.text.endsWith("\n");
  }
  // stdout and stderr are one screen.
  if (lineIsOpen && io.isTTY && !io.json) io.stdout("\n");
  io.stderr(dim(`${ARROWS[event.kind]} ${inertLine(event.text)}`, io));
  return lineIsOpen && !io.isTTY;
}

/** @returns the line, ended */
export function dim(line: string, io: CommandIo): string {
  return io.color ? `${DIM}${line}${RESET}\n` : `${line}\n`;
}
