/**
 * What a plan may spend. Every step and byte is counted before it is spent, by amounts that do not
 * depend on the machine, so that a plan stops at the same place wherever it runs again.
 */
import type { PlanLimits } from "./host.ts";

export const defaultLimits: PlanLimits = {
  steps: 1_000_000,
  bytes: 64 * 2 ** 20,
  calls: 1_000,
  depth: 150,
};

/** Thrown where a limit is reached; `runPlan` makes it a result. */
export class LimitReached {
  readonly limit: keyof PlanLimits;

  constructor(limit: keyof PlanLimits) {
    this.limit = limit;
  }
}

export class Budget {
  readonly limits: PlanLimits;
  readonly spent: { -readonly [K in keyof PlanLimits]: number };
  #nesting = 0;

  constructor(limits: Partial<PlanLimits>) {
    this.limits = { ...defaultLimits, ...limits };
    this.spent = { steps: 0, bytes: 0, calls: 0, depth: 0 };
  }

  step(count: number): void {
    this.#spend("steps", count);
  }

  /** Before the bytes are there. */
  allocate(bytes: number): void {
    this.#spend("bytes", bytes);
  }

  call(): void {
    this.#spend("calls", 1);
  }

  /** A container of this many levels. */
  within(depth: number): void {
    if (depth > this.limits.depth) throw new LimitReached("depth");
    if (depth > this.spent.depth) this.spent.depth = depth;
  }

  /** One expression within another. */
  enter(): void {
    this.step(1);
    this.within(++this.#nesting);
  }

  leave(): void {
    this.#nesting--;
  }

  #spend(limit: "steps" | "bytes" | "calls", count: number): void {
    // Written so that NaN is over the limit; nothing is ever given back.
    const isWithin = count >= 0 && this.spent[limit] + count <= this.limits[limit];
    if (!isWithin) throw new LimitReached(limit);
    this.spent[limit] += count;
  }
}
