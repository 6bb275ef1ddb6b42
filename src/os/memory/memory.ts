/**
 * The memory of all processes: page tables and archive in Postgres, originals in the blob store.
 * `calls` are its rows of the syscall table; what they do is idempotent by the call's number, so
 * that a crash between doing and journaling loses and doubles nothing.
 *
 * A planner calls `memory.assemble` before each generation with what was said since; the answer's
 * `messages` are the prompt.
 */
import type { BlobStore } from "../../durable/blobs.ts";
import type { Database } from "../../durable/database.ts";
import type { Syscall } from "../kernel/syscall.ts";
import type { Json } from "../security/labelled.ts";
import { cachedBlobs } from "./blob-cache.ts";
import { memoryCalls } from "./calls.ts";
import { mapOf } from "./listing.ts";
import { lru2, type Replacement } from "./lru-k.ts";
import { type Embedder, roughTokens, type Summariser } from "./models.ts";
import { memoryTables } from "./schema.ts";

export interface MemoryOptions {
  readonly database: Database;
  readonly blobs: BlobStore;
  /** Tokens of a text for the model that reads the window; default three bytes each. */
  readonly tokensOf?: (text: string) => number;
  /** Absent: nothing is ever summarised. */
  readonly summariser?: Summariser;
  /** Absent: search is by words alone. */
  readonly embedder?: Embedder;
  /** Those above a process: what they share with their tree, it may read. Default: as the kernel's
   * process table has them. */
  readonly ancestors?: (pid: number) => Promise<readonly number[]>;
  /** Default LRU-2. */
  readonly replacement?: Replacement;
  /** Share of the capacity that compaction goes down to, once it began. Default 0.8. */
  readonly low?: number;
}

export interface Memory {
  /** memory.assemble, page_in, write, pin, unpin, search, list, forget. */
  readonly calls: readonly Syscall[];
  /** Pages of a process, its counts and its working set: `nutshell mem PID`. */
  map(pid: number): Promise<Json>;
  /** `to` begins with the pages that `from` made before its call `before`; texts are shared. */
  fork(from: number, to: number, before?: number): Promise<void>;
}

const CACHE_BYTES = 32 * 2 ** 20;

export async function openMemory(options: MemoryOptions): Promise<Memory> {
  const machine = {
    ...{ tokensOf: roughTokens, replacement: lru2, low: 0.8 },
    ancestors: (pid: number) => ancestorsOf(options.database, pid),
    ...options,
    blobs: cachedBlobs(options.blobs, CACHE_BYTES),
  };
  await machine.database.migrate("memory", memoryTables);
  return {
    calls: memoryCalls(machine),
    map: (pid) => mapOf(machine, pid),
    fork: (from, to, before) => fork(machine.database, from, to, before),
  };
}

async function ancestorsOf(database: Database, pid: number): Promise<readonly number[]> {
  const { rows } = await database.pool.query<{ path: number[] }>(
    "select path from process where pid = $1",
    [pid],
  );
  return rows[0]?.path ?? [];
}

const MOST_CALLS = 2 ** 31 - 1;

function fork(database: Database, from: number, to: number, before = MOST_CALLS): Promise<void> {
  return database.transaction(async (client) => {
    await client.query(
      `insert into memory_window select $2, owner, 1, 0, last_page, last_position, clock,
         refs, hits, faults, refaults, evictions, capacity from memory_window where pid = $1
       on conflict do nothing`,
      [from, to],
    );
    await client.query(
      `insert into memory_page select $2, page, text_pid, text_n, kind, form, shown, pinned, dirty,
         history, rest, 0 from memory_page where pid = $1 and call < $3 on conflict do nothing`,
      [from, to, before],
    );
  });
}
