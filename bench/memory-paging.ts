/**
 * Replacement on recorded strings of references: pages of one size, a fixed number of frames. The
 * policy is the product's own functions; Belady's optimum, which knows the future, is the bound
 * that nothing can pass.
 */
import { inVictimOrder, type Replacement, referencedAt } from "../src/os/memory/lru-k.ts";

/** Numbers of pages, in the order in which they are used. */
export type ReferenceString = readonly number[];

/** Faults of a policy on a string with so many frames. */
export type Policy = (references: ReferenceString, frames: number) => number;

export function lruK(replacement: Replacement): Policy {
  return (references, frames) => {
    const histories = new Map<number, readonly number[]>();
    const resident = new Map<number, { page: number; history: readonly number[] }>();
    let faults = 0;
    for (const [i, page] of references.entries()) {
      if (!resident.has(page)) {
        faults++;
        if (resident.size === frames) {
          const [victim] = inVictimOrder(resident.values(), i + 1, replacement);
          resident.delete((victim as { page: number }).page);
        }
      }
      const history = referencedAt(histories.get(page) ?? [], i + 1, replacement);
      histories.set(page, history);
      resident.set(page, { page, history });
    }
    return faults;
  };
}

/** Evicts what is used again last. @see Belady 1966 */
export const belady: Policy = (references, frames) => {
  const uses = Map.groupBy(references.keys(), (i) => references[i] as number);
  const nextUse = new Map<number, number>();
  let faults = 0;
  for (const page of references) {
    const own = uses.get(page) as number[];
    own.shift();
    if (!nextUse.has(page)) {
      faults++;
      if (nextUse.size === frames) nextUse.delete(furthest(nextUse));
    }
    nextUse.set(page, own[0] ?? Number.POSITIVE_INFINITY);
  }
  return faults;
};

function furthest(nextUse: ReadonlyMap<number, number>): number {
  let [worst, at] = [-1, -1];
  for (const [page, next] of nextUse) if (next > at) [worst, at] = [page, next];
  return worst;
}

/** Of a full window: the summary's part, and what is kept beside it. @see Letta's defaults */
const [SUMMARY, KEPT] = [0.1, 0.3];

/**
 * A window that grows at its end and is summarised when full: the newest pages stay, the rest is a
 * summary, in which no page can be read. What is needed again has to be fetched again.
 */
export const slidingWindow: Policy = (references, frames) => {
  const capacity = Math.max(1, Math.floor(frames * (1 - SUMMARY)));
  const kept = Math.min(capacity - 1, Math.floor(frames * KEPT));
  let window: number[] = [];
  let faults = 0;
  for (const page of references) {
    if (window.includes(page)) continue;
    faults++;
    if (window.length === capacity) window = window.slice(capacity - kept);
    window.push(page);
  }
  return faults;
};

/** Popularity of rank r is 1/r^exponent. */
export function zipf(
  random: () => number,
  pages: number,
  length: number,
  exponent = 0.9,
): number[] {
  const sums: number[] = [];
  let total = 0;
  for (let rank = 1; rank <= pages; rank++) {
    total += 1 / rank ** exponent;
    sums.push(total);
  }
  return Array.from({ length }, () => {
    const x = random() * total;
    return sums.findIndex((sum) => x < sum);
  });
}

export function loop(pages: number, length: number): number[] {
  return Array.from({ length }, (_, i) => i % pages);
}

/** Popular pages, and after every so many references a run through pages that never come again. */
export function scanPolluted(random: () => number, pages: number, length: number): number[] {
  const [every, run] = [200, 100];
  let fresh = pages;
  const popular = zipf(random, pages, length);
  return popular.flatMap((page, i) => {
    if (i % every !== every - 1) return [page];
    return [page, ...Array.from({ length: run }, () => fresh++)];
  });
}
