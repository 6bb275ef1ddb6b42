/** Replacement against definitions that read the whole string of references, and Belady's bound. */
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { belady, lruK, slidingWindow } from "../../../bench/memory-paging.ts";
import { inVictimOrder, type Replacement, referencedAt } from "../../../src/os/memory/lru-k.ts";

const anyString = fc.array(fc.nat({ max: 7 }), { maxLength: 60 });
const anyPolicy = fc.record({ k: fc.integer({ min: 1, max: 3 }), correlated: fc.nat({ max: 5 }) });

/** By the definition: bursts of one page's references, the K-th burst's end counted from the last. */
function backwardK(string: readonly number[], page: number, { k, correlated }: Replacement) {
  const times = string.flatMap((one, i) => (one === page ? [i + 1] : []));
  const ends = times.filter((time, i) => {
    const next = times[i + 1];
    return next === undefined || next - time > correlated;
  });
  return { kth: ends.at(-k) ?? -1, last: ends.at(-1) ?? -1 };
}

test("a history is what the string says", () => {
  fc.assert(
    fc.property(anyString, anyPolicy, (string, policy) => {
      const histories = new Map<number, readonly number[]>();
      for (const [i, page] of string.entries()) {
        histories.set(page, referencedAt(histories.get(page) ?? [], i + 1, policy));
      }
      for (const [page, history] of histories) {
        const { kth, last } = backwardK(string, page, policy);
        assert.equal(history[policy.k - 1] ?? -1, kth);
        assert.equal(history[0], last);
        assert.ok(history.length <= policy.k);
      }
    }),
    { numRuns: 1000 },
  );
});

test("the victim is the page whose K-th last use is oldest, of those not in use", () => {
  fc.assert(
    fc.property(anyString, anyPolicy, (string, policy) => {
      const now = string.length;
      const pages = [...new Set(string)].map((page) => {
        const times = string.flatMap((one, i) => (one === page ? [i + 1] : []));
        const history = times.reduce<readonly number[]>(
          (before, time) => referencedAt(before, time, policy),
          [],
        );
        return { page, history };
      });
      const [victim] = inVictimOrder(pages, now, policy);
      const all = pages.map(({ page }) => ({ page, ...backwardK(string, page, policy) }));
      const idle = all.filter(({ last }) => now - last > policy.correlated);
      const from = idle.length > 0 ? idle : all;
      const worst = Math.min(...from.map(({ kth }) => kth));
      const among = from.filter(({ kth }) => kth === worst);
      const oldest = among.toSorted((a, b) => a.last - b.last)[0];
      assert.equal(victim?.page, oldest?.page);
    }),
    { numRuns: 1000 },
  );
});

/** Textbook LRU, as a list with the latest last. */
function plainLru(string: readonly number[], frames: number): number {
  let list: number[] = [];
  let faults = 0;
  for (const page of string) {
    if (!list.includes(page)) faults++;
    list = [...list.filter((one) => one !== page), page].slice(-frames);
  }
  return faults;
}

/** Tries every victim. */
function fewest(
  string: readonly number[],
  frames: number,
  resident: readonly number[] = [],
): number {
  const [page, ...rest] = string;
  if (page === undefined) return 0;
  if (resident.includes(page)) return fewest(rest, frames, resident);
  if (resident.length < frames) return 1 + fewest(rest, frames, [...resident, page]);
  const tries = resident.map((victim) => {
    return fewest(rest, frames, [...resident.filter((one) => one !== victim), page]);
  });
  return 1 + Math.min(...tries);
}

test("K = 1 is LRU; the optimum is the optimum; nothing is below it", () => {
  const short = fc.array(fc.nat({ max: 4 }), { maxLength: 11 });
  const frames = fc.integer({ min: 1, max: 3 });
  fc.assert(
    fc.property(short, frames, (string, n) => {
      assert.equal(belady(string, n), fewest(string, n));
    }),
    { numRuns: 200 },
  );
  fc.assert(
    fc.property(anyString, frames, anyPolicy, (string, n, policy) => {
      assert.equal(lruK({ k: 1, correlated: 0 })(string, n), plainLru(string, n));
      assert.ok(lruK(policy)(string, n) >= belady(string, n));
      assert.ok(slidingWindow(string, n) >= belady(string, n));
    }),
  );
});

test("a run through pages that never come again leaves those that are used in place", () => {
  const used = [1, 2, 3];
  const twice = [...used, ...used];
  const scan = Array.from({ length: 50 }, (_, i) => 100 + i);
  const string = [...twice, ...scan, ...used];
  assert.equal(lruK({ k: 2, correlated: 0 })(string, 4), 3 + 50);
  assert.equal(plainLru(string, 4), 3 + 50 + 3);
});
