/**
 * The memory of all processes: page tables and archive in Postgres, originals in the blob store.
 * `calls` are its rows of the syscall table; what they do is idempotent by the call's key, so that
 * a crash between doing and journaling loses and doubles nothing.
 *
 * A planner calls `memory.assemble` before each generation with what was said since; the answer's
 * `messages` are the prompt. Without a model to summarise, old dialogue leaves the window instead.
 */
import type { BlobStore } from "../../durable/blobs.ts";
import type { Database } from "../../durable/database.ts";
import type { Syscall } from "../kernel/syscall.ts";
import type { Json } from "../security/labelled.ts";

export interface MemoryOptions {
  readonly database: Database;
  readonly blobs: BlobStore;
  /** Tokens of a text for the model that reads the window; default one a three bytes. */
  readonly tokensOf?: (text: string) => number;
  /** Absent: nothing is ever summarised. */
  readonly summarise?: Summariser;
  /** Absent: search is by words alone. */
  readonly embedder?: Embedder;
  /** The process's parents, nearest first: what they share with their tree, it may read. */
  readonly ancestors?: (pid: number) => Promise<readonly number[]>;
}

export interface Summariser {
  /** Source name: the summary's label says `model:NAME`. */
  readonly model: string;
  /** @returns a text of about `maxTokens` at most, and what it cost in tokens */
  summarise(
    texts: readonly string[],
    maxTokens: number,
    signal: AbortSignal,
  ): Promise<{ readonly text: string; readonly tokens: number }>;
}

export interface Embedder {
  /** Vectors of different models are never compared. */
  readonly model: string;
  embed(texts: readonly string[], signal: AbortSignal): Promise<readonly Float32Array[]>;
}

export interface Memory {
  /** memory.assemble, page_in, write, pin, unpin, search, list, forget. */
  readonly calls: readonly Syscall[];
  /** Pages of a process, its counts and its working set: `nutshell mem PID`. */
  map(pid: number): Promise<Json>;
  /** `to` begins with the pages that `from` made before its call `before`; texts are shared. */
  fork(from: number, to: number, before?: number): Promise<void>;
}

export function openMemory(_options: MemoryOptions): Promise<Memory> {
  throw new Error("openMemory");
}
