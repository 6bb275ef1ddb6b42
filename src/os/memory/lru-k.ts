/**
 * LRU-K: the page to go is the one whose K-th last reference is oldest; a page with fewer than K
 * has none, and goes first. References within the correlated period after one another are one
 * (a page that is read is named again at once: that is one use, not two), and nothing goes within
 * that period of its last reference while there is anything else. K = 1 is LRU.
 *
 * A page's history is a function of the string of references alone, and is kept while it is out.
 * @see O'Neil, O'Neil, Weikum 1993, "The LRU-K page replacement algorithm", section 2
 */
export interface Replacement {
  readonly k: number;
  /** Correlated reference period, in references. */
  readonly correlated: number;
}

/** Two references tell a page that is used from one that was passed by. */
export const lru2: Replacement = { k: 2, correlated: 4 };

/** @param history ends of the last K bursts of correlated references, latest first */
export function referencedAt(
  history: readonly number[],
  now: number,
  { k, correlated }: Replacement,
): readonly number[] {
  const last = history[0];
  const sameBurst = last !== undefined && now - last <= correlated;
  return [now, ...(sameBurst ? history.slice(1) : history)].slice(0, k);
}

interface Used {
  readonly history: readonly number[];
}

/** The reference that just happened is not over: its page is not to go yet. */
export function isInUse({ history }: Used, now: number, { correlated }: Replacement): boolean {
  return history[0] !== undefined && now - history[0] <= correlated;
}

/** First the one to go first. Among equals the least recently used. */
export function inVictimOrder<T extends Used>(
  pages: Iterable<T>,
  now: number,
  policy: Replacement,
): T[] {
  const key = (page: T): readonly number[] => [
    isInUse(page, now, policy) ? 1 : 0,
    page.history[policy.k - 1] ?? -1,
    page.history[0] ?? -1,
  ];
  const keyed = [...pages].map((page) => ({ page, key: key(page) }));
  return keyed.sort((a, b) => compare(a.key, b.key)).map(({ page }) => page);
}

function compare(a: readonly number[], b: readonly number[]): number {
  for (const [i, value] of a.entries()) if (value !== b[i]) return value - (b[i] as number);
  return 0;
}
