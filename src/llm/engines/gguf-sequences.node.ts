/**
 * The caches of a llama.cpp context, a fixed number of them, one a timeline. A timeline's ids are
 * what it means; its cache is only what is computed of them. So a cache that was given back keeps
 * its content, and whoever takes it keeps as much of it as both begin with.
 */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { NutshellError } from "../../error.ts";
import type { LlamaContext, LlamaSequence } from "./load-llama.node.ts";

export interface Sequences {
  readonly used: number;
  /** The free one that holds most of `ids`. @throws OVERLOADED when there is none */
  take(ids: readonly number[]): LlamaSequence;
  give(sequence: LlamaSequence): void;
  readonly isFull: boolean;
}

export function createSequences(context: LlamaContext, most: number): Sequences {
  /** Longest unused first. */
  const free: LlamaSequence[] = [];
  let made = 0;

  function best(ids: readonly number[]): LlamaSequence | undefined {
    const held = free.map((sequence) => commonLength(sequence.contextTokens, ids));
    const most = Math.max(0, ...held);
    return most > 0 ? free[held.indexOf(most)] : undefined;
  }

  function take(ids: readonly number[]): LlamaSequence {
    const found = best(ids) ?? (made < most ? undefined : free[0]);
    if (found !== undefined) {
      free.splice(free.indexOf(found), 1);
      return found;
    }
    if (made === most) throw overloaded(most);
    made++;
    return context.getSequence();
  }

  return {
    take,
    give: (sequence) => void free.push(sequence),
    get used() {
      return made - free.length;
    },
    get isFull() {
      return made === most && free.length === 0;
    },
  };
}

/** How many ids two texts begin with together. */
export function commonLength(a: readonly number[], b: readonly number[]): number {
  const most = Math.min(a.length, b.length);
  for (let i = 0; i < most; i++) if (a[i] !== b[i]) return i;
  return most;
}

/** Gives `use` the path of a file that is gone afterwards. */
export async function withStateFile<T>(use: (path: string) => Promise<T>): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), "nutshell-state-"));
  try {
    return await use(join(folder, "state"));
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

function overloaded(most: number): NutshellError {
  return new NutshellError(
    "OVERLOADED",
    `append: one of ${most} caches must be free, got none. Try again when another text has ended.`,
  );
}
