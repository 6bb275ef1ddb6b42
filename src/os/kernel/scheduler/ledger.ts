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

export class Ledger {
  readonly #services = new Map<number, Counts>();

  get(pid: number): Service | undefined {
    return this.#services.get(pid);
  }
  add(pid: number, change: Partial<Service>): void {
    const counts = this.#services.get(pid) ?? zero();
    this.#services.set(pid, counts);
    for (const [name, value] of Object.entries(change)) counts[name as keyof Counts] += value;
  }
  waited(pid: number, ms: number): void {
    this.add(pid, { waitedMs: ms });
    const counts = this.#services.get(pid) as Counts;
    counts.longestWaitMs = Math.max(counts.longestWaitMs, ms);
  }
  forget(pid: number): void {
    this.#services.delete(pid);
  }
}

const zero = (): Counts => ({
  ...{ requests: 0, tokens: 0, wasted: 0, waitedMs: 0, servedMs: 0 },
  ...{ turnaroundMs: 0, longestWaitMs: 0, preemptions: 0, pageOuts: 0 },
});

/** 1 = all equal, 1 / n = one has everything. @see Jain, Chiu & Hawe 1984 */
export function jainIndex(shares: readonly number[]): number {
  const sum = shares.reduce((a, x) => a + x, 0);
  const squares = shares.reduce((a, x) => a + x * x, 0);
  return squares === 0 ? 1 : sum ** 2 / (shares.length * squares);
}
