/** What each process was given and how long it waited for it: what `top` shows and benches compare. */

/** Of one process, over all its requests; times in milliseconds. */
export interface Service {
  readonly requests: number;
  /** Served, in tokens; `wasted` are those of them that nobody got: sent or made twice. */
  readonly tokens: number;
  readonly wasted: number;
  readonly waitedMs: number;
  readonly servedMs: number;
  /** From asking to the end, summed over requests that ended. */
  readonly turnaroundMs: number;
  /** The longest wait for one turn. */
  readonly longestWaitMs: number;
  /** How often it made way in the middle, and how often its memory was given to another. */
  readonly preemptions: number;
  readonly pageOuts: number;
}

type Counts = { -readonly [K in keyof Service]: number };

/** Processes that are remembered: those that began last. */
const MOST = 10_000;

export class Ledger {
  readonly #services = new Map<number, Counts>();

  get(pid: number): Service | undefined {
    return this.#services.get(pid);
  }
  add(pid: number, change: Partial<Service>): void {
    const counts = this.#of(pid);
    for (const [name, value] of Object.entries(change)) counts[name as keyof Counts] += value;
  }
  waited(pid: number, ms: number): void {
    const counts = this.#of(pid);
    counts.waitedMs += ms;
    counts.longestWaitMs = Math.max(counts.longestWaitMs, ms);
  }
  #of(pid: number): Counts {
    const known = this.#services.get(pid);
    if (known !== undefined) return known;
    const [oldest] = this.#services.keys();
    if (oldest !== undefined && this.#services.size === MOST) this.#services.delete(oldest);
    const counts = {
      ...{ requests: 0, tokens: 0, wasted: 0, waitedMs: 0, servedMs: 0 },
      ...{ turnaroundMs: 0, longestWaitMs: 0, preemptions: 0, pageOuts: 0 },
    };
    this.#services.set(pid, counts);
    return counts;
  }
}

/** 1 = all equal, 1 / n = one has everything. @see Jain, Chiu & Hawe 1984 */
export function jainIndex(shares: readonly number[]): number {
  const sum = shares.reduce((a, x) => a + x, 0);
  const squares = shares.reduce((a, x) => a + x * x, 0);
  return squares === 0 ? 1 : sum ** 2 / (shares.length * squares);
}
