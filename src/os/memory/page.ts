/**
 * The context window as RAM. A page is one text in a process's page table: an instruction, a
 * message, a tool's output. The original lies on disk under its hash and stays addressable by its
 * ref, whatever the window shows of it. Plain data; who moves pages is `compaction.ts`.
 */
import type { Message } from "../../llm/chat/conversation.ts";
import type { LabelTree } from "../security/labelled.ts";

/**
 * `instruction` and `plan` are the prefix of every prompt: pinned, never shortened. The others give
 * way in this order: tools' outputs and what was retrieved, notes, dialogue.
 */
export type PageKind = "instruction" | "plan" | "dialogue" | "tool-output" | "retrieved" | "note";

/**
 * What the window shows: the whole text; nothing but where the same text stands; nothing but where
 * it lies on disk; its head, tail and matching lines; nothing at all.
 */
export type Form = "whole" | "duplicate" | "spilled" | "distilled" | "absent";

export interface Page {
  /** `mem:PID/N`: the N-th text that process PID put away. */
  readonly ref: string;
  readonly kind: PageKind;
  readonly role: Message["role"];
  /** Where it is from, in code's words: "files.read", "summary of mem:7/2 to mem:7/9". */
  readonly title: string;
  /** SHA-256 of the original, in hex. */
  readonly hash: string;
  /** Of the whole text as a message, in tokens. */
  readonly tokens: number;
  readonly form: Form;
  /** What stands in place of the whole text; "" while that is shown, or nothing. */
  readonly standIn: string;
  /** Tokens that it takes as shown. */
  readonly shown: number;
  readonly pinned: boolean;
  /** Not yet in the archive's index: written there when it leaves the window. */
  readonly dirty: boolean;
  readonly labels: LabelTree;
  /** Messages that only make sense together (a call and its results) have one number. */
  readonly unit: number;
  /** Its place; pages keep their order, new ones come last. Absent: put there by the next assembly. */
  readonly position?: number;
  /** Times of the last references, latest first, correlated ones as one. @see lru-k.ts */
  readonly history: readonly number[];
  /** Of an assistant's page: JSON text of its tool calls. */
  readonly toolCalls?: string;
  /** Of a tool's page: the call that it answers. */
  readonly callId?: string;
}

/** Counts of one process since its start. */
export interface Counts {
  /** References: a page made, paged in, or named by the model. */
  readonly references: number;
  /** Of them, to pages that were in sight. */
  readonly hits: number;
  /** To pages that had to be brought in; of these, `refaults` had been in sight before. */
  readonly faults: number;
  readonly refaults: number;
  /** Pages that left the window. */
  readonly evictions: number;
}

/** A process's page table and the clock of its references. */
export interface Window {
  readonly pid: number;
  readonly pages: ReadonlyMap<string, Page>;
  /** References so far: the time of the table. */
  readonly clock: number;
  readonly counts: Counts;
}

export const noCounts: Counts = { references: 0, hits: 0, faults: 0, refaults: 0, evictions: 0 };

/** In front of everything, in this order, the same bytes in every prompt. */
export const prefixKinds: readonly PageKind[] = ["instruction", "plan"];

export function isPrefix(page: Page): boolean {
  return prefixKinds.includes(page.kind);
}

/** The window with some of its pages changed. */
export function withPages(window: Window, changed: Iterable<Page>): Window {
  const pages = new Map(window.pages);
  for (const page of changed) pages.set(page.ref, page);
  return { ...window, pages };
}

export function tokensShown(window: Window): number {
  let tokens = 0;
  for (const page of window.pages.values()) tokens += page.shown;
  return tokens;
}
