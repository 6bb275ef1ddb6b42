/**
 * One text and where its keys and values lie. Between two calls all ids but the last are computed:
 * the last one goes through decode, which says what follows it. Pages are those of the computed
 * ids and no more; the last of them may be shared until something is to be written into it.
 */
import { NutshellError } from "../../error.ts";
import type { PagePool } from "./pages.ts";
import type { Prefix, PrefixCache } from "./prefix-cache.ts";

/** The memory that timelines share. */
export interface Memory {
  readonly pool: PagePool;
  /** Absent: pages are shared by forks only. */
  readonly cache: PrefixCache | undefined;
  /** Tokens of a page. */
  readonly pageLen: number;
  readonly copyPage: (from: number, to: number) => Promise<void>;
}

export interface Timeline {
  readonly memory: Memory;
  readonly ids: number[];
  readonly pages: number[];
  /** What the leading pages are to others, as far as that is known. */
  readonly chain: Prefix[];
  /** Leading ids whose keys and values are there. */
  computed: number;
  closed: boolean;
  /** Counts what was put on from outside, or forgotten. */
  revision: number;
  /** Its full pages are offered to others: they were computed here. */
  readonly offers: boolean;
  /** Tokens it was given in decode, on the scale that admission compares. */
  served: number;
}

export const beginTimeline = (memory: Memory, offers = true): Timeline => ({
  ...{
    memory,
    ids: [],
    pages: [],
    chain: [],
    computed: 0,
    closed: false,
    revision: 0,
    offers,
    served: 0,
  },
});

export function forkTimeline(from: Timeline): Timeline {
  const { memory, ids } = from;
  const { pool, pageLen } = memory;
  const computed = Math.min(from.computed, Math.max(0, ids.length - 1));
  const pages = from.pages.slice(0, Math.ceil(computed / pageLen));
  for (const page of pages) pool.share(page);
  const chain = from.chain.slice(0, Math.floor(computed / pageLen));
  return { ...from, ids: [...ids], pages, chain, computed };
}

/** Forgets what was computed beyond the first `length - 1` ids, and the ids from `length` on. */
export function truncateTimeline(timeline: Timeline, length: number): void {
  const { memory, ids, pages } = timeline;
  const { pool, pageLen } = memory;
  if (ids.length > length) ids.length = length;
  timeline.revision++;
  rewindTimeline(timeline, Math.max(0, ids.length - 1));
  const kept = Math.ceil(timeline.computed / pageLen);
  for (const page of pages.splice(kept)) pool.release(page);
}

/** Takes keys and values from position `computed` on for nothing; their pages stay. */
export function rewindTimeline(timeline: Timeline, computed: number): void {
  timeline.computed = Math.min(timeline.computed, computed);
  timeline.chain.splice(Math.floor(timeline.computed / timeline.memory.pageLen));
}

export function closeTimeline(timeline: Timeline): void {
  if (timeline.closed) return;
  timeline.closed = true;
  for (const page of timeline.pages.splice(0)) timeline.memory.pool.release(page);
}

/** Takes over pages that others have computed. @returns how many ids of `ids[..to)` they hold */
export function adoptPrefixes(timeline: Timeline, ids: readonly number[], to: number): number {
  const { memory, pages, chain } = timeline;
  const { cache, pool, pageLen } = memory;
  if (timeline.closed) return 0;
  const before = timeline.computed;
  while (timeline.computed === chain.length * pageLen && timeline.computed + pageLen <= to) {
    const next = timeline.computed + pageLen;
    const found = cache?.tryFind(chain.at(-1), ids.slice(timeline.computed, next));
    if (found === undefined) break;
    const [replaced] = pages.splice(chain.length, 1, found.page);
    if (replaced !== undefined) pool.release(replaced);
    chain.push(found);
    timeline.computed = next;
  }
  return timeline.computed - before;
}

/** Offers full pages to others. @param ids at least those that are computed */
export function publishPages(timeline: Timeline, ids: readonly number[]): void {
  const { memory, pages, chain, computed, offers } = timeline;
  const { cache, pageLen } = memory;
  if (cache === undefined || !offers) return;
  for (let at = chain.length; (at + 1) * pageLen <= computed; at++) {
    const own = ids.slice(at * pageLen, (at + 1) * pageLen);
    chain.push(cache.add(chain.at(-1), own, pages[at] as number));
  }
}

/**
 * Makes room for the keys and values of ids up to `to`, which may then be written. Called between
 * two runs only: what the last run wrote to is never given away under it.
 * @returns false, and nothing is changed, when memory does not suffice; a closed one needs none
 */
export async function tryReserve(timeline: Timeline, to: number): Promise<boolean> {
  const { memory, pages, computed } = timeline;
  const { pool, pageLen } = memory;
  if (timeline.closed) return true;
  const at = Math.floor(computed / pageLen);
  const partial = pages[at];
  const copied = to > computed && partial !== undefined && pool.isShared(partial);
  const missing = Math.max(0, Math.ceil(to / pageLen) - pages.length);
  const taken = tryTakePages(memory, missing + (copied ? 1 : 0));
  if (taken === undefined) return false;
  if (!copied) {
    pages.push(...taken);
    return true;
  }
  const [own, ...others] = taken as [number, ...number[]];
  pages[at] = own;
  pages.push(...others);
  // The timeline may be closed while this waits: what it owns is written down before.
  try {
    await memory.copyPage(partial, own);
  } catch (error) {
    takeBack(timeline, at, partial, others.length);
    throw error;
  }
  pool.release(partial);
  return true;
}

/** The page was not copied: the shared one stands in its place again, as before. */
function takeBack(timeline: Timeline, at: number, partial: number, others: number): void {
  const { memory, pages, closed } = timeline;
  const unused = closed
    ? [partial]
    : [...pages.splice(at, 1, partial), ...pages.splice(pages.length - others)];
  for (const page of unused) memory.pool.release(page);
}

/** Free pages, at the cost of cached prefixes; all or none. */
export function tryTakePages({ pool, cache }: Memory, count: number): number[] | undefined {
  const taken: number[] = [];
  while (taken.length < count) {
    const page = pool.tryTake();
    if (page !== undefined) taken.push(page);
    else if (!cache?.evict()) {
      for (const one of taken) pool.release(one);
      return undefined;
    }
  }
  return taken;
}

export function overloaded({ pool, pageLen }: Memory, tokens: number): NutshellError {
  return new NutshellError(
    "OVERLOADED",
    `inference: the KV cache must have room for ${tokens} tokens, got ${pool.total} pages of ` +
      `${pageLen} in use. Try again later, or give it more memory.`,
  );
}
