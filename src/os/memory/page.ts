/**
 * The context window as RAM. A page is one text in a process's window: an instruction, a message,
 * a tool's output. The original lies on disk under its hash and stays addressable by its ref,
 * whatever the window shows of it. Plain data; `compaction.ts` decides what is shown.
 */
import type { Message } from "../../llm/chat/conversation.ts";
import type { LabelTree } from "../security/labelled.ts";

/** `instruction` and `plan` stand in front of every prompt: pinned, never shortened. */
export type PageKind = "instruction" | "plan" | "dialogue" | "tool-output" | "retrieved" | "note";

/**
 * What the window shows: the whole text; only where the same text stands; only that it lies on
 * disk; its head, tail and matching lines; nothing at all.
 */
export type Form = "whole" | "duplicate" | "spilled" | "distilled" | "absent";

export interface Page {
  /** Number in its table, from 1. Two pages may show the same text at two places. */
  readonly page: number;
  /** Of the text: `mem:PID/N` is the N-th that process PID put away. */
  readonly ref: string;
  readonly kind: PageKind;
  readonly role: Message["role"];
  /** Where it is from, as "files.read" or "summary of mem:7/2 to mem:7/9". */
  readonly title: string;
  /** SHA-256 of the original, in hex. */
  readonly hash: string;
  /** Of the whole text as a message. */
  readonly tokens: number;
  readonly labels: LabelTree;
  readonly form: Form;
  /** What is shown in place of the whole text; "" where that is shown, or nothing. */
  readonly standIn: string;
  /** Tokens that it takes as shown. */
  readonly shown: number;
  readonly pinned: boolean;
  /** Not yet in the archive's index: written there when it leaves the window. */
  readonly dirty: boolean;
  /** Pages that only make sense together (a call and its results): number of the first. */
  readonly unit: number;
  /** Its place: pages keep their order. Absent until the next assembly puts it last. */
  readonly position?: number;
  /** Times of the last references, latest first, correlated ones as one. @see lru-k.ts */
  readonly history: readonly number[];
  /** Of an assistant's page: JSON text of its tool calls. */
  readonly toolCalls?: string;
  /** Of a tool's page: the call that it answers. */
  readonly callId?: string;
}

/** Of one process since its start. `hits + faults = references`. */
export interface Counts {
  /** Pages asked for, or named by the model. */
  readonly references: number;
  readonly hits: number;
  /** They had to be brought in; of these, `refaults` had been in sight before. */
  readonly faults: number;
  readonly refaults: number;
  /** Texts that left the window. */
  readonly evictions: number;
}

/** A process's page table. */
export interface Window {
  readonly pid: number;
  readonly pages: ReadonlyMap<number, Page>;
  /** Counts references and new pages: the time of the table. */
  readonly clock: number;
  /** Numbers and places given so far. */
  readonly lastPage: number;
  readonly lastPosition: number;
  readonly counts: Counts;
}

const prefixKinds: readonly PageKind[] = ["instruction", "plan"];

/** Stands in front, in the order of kinds and then of places: the same bytes in every prompt. */
export function isPrefix({ kind }: Pick<Page, "kind">): boolean {
  return prefixKinds.includes(kind);
}

/** As a message: its text, and about four tokens around it. */
export const MESSAGE_TOKENS = 4;
