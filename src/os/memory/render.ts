/**
 * The window as messages for a model. Instructions are one system message; everything else keeps
 * its place for as long as it is in sight, so that two prompts have the same bytes up to the first
 * page that changed between them, and an engine computes only what follows.
 *
 * A system message has authority: what anybody but the user or the owner had a hand in is never
 * shown as one.
 */
import { createHash } from "node:crypto";
import type { Message, ToolCall } from "../../llm/chat/conversation.ts";
import { isTrusted } from "../security/label.ts";
import { wholeLabel } from "../security/labelled.ts";
import { isPrefix, type Page, type Window } from "./page.ts";
import { visiblePages } from "./window.ts";

export interface Prompt {
  readonly messages: readonly Message[];
  /** Of the messages, how many are instructions and plan. */
  readonly prefix: number;
  /** SHA-256 of these, in hex. */
  readonly prefixHash: string;
}

/** @param texts of the pages that are shown whole, by hash */
export function render(window: Window, texts: ReadonlyMap<string, string>): Prompt {
  const pages = visiblePages(window);
  const textOf = (page: Page): string =>
    page.form === "whole" ? (texts.get(page.hash) as string) : page.standIn;
  const instructions = pages.filter(({ kind }) => kind === "instruction").map(textOf);
  const system: Message[] =
    instructions.length === 0 ? [] : [{ role: "system", content: instructions.join("\n\n") }];
  const rest = pages.filter(({ kind }) => kind !== "instruction");
  const messages = [...system, ...rest.map((page) => messageOf(page, textOf(page)))];
  const prefix = system.length + rest.filter(isPrefix).length;
  return { messages, prefix, prefixHash: digestOf(messages.slice(0, prefix)) };
}

function digestOf(messages: readonly Message[]): string {
  return createHash("sha256").update(JSON.stringify(messages)).digest("hex");
}

function messageOf(page: Page, text: string): Message {
  const { role, toolCalls, callId } = page;
  if (role === "assistant") {
    const calls = toolCalls === undefined ? [] : (JSON.parse(toolCalls) as ToolCall[]);
    return calls.length === 0 ? { role, content: text } : { role, content: text, toolCalls: calls };
  }
  if (role === "tool") return { role, content: text, ...(callId !== undefined && { callId }) };
  const trusted = role === "system" && isTrusted(wholeLabel(page.labels));
  return { role: trusted ? "system" : "user", content: headOf(page) + text };
}

/** What did not come by itself says what it is. */
export function headOf({ kind, role, form, ref, title }: Omit<Page, "shown" | "tokens">): string {
  const said = role === "assistant" || role === "tool" || kind === "dialogue";
  const bare = said || kind === "instruction" || form === "spilled" || form === "duplicate";
  return bare ? "" : `[${ref} ${title}]\n`;
}
