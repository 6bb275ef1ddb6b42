/**
 * Who is served next, as a choice among requests that wait. A policy keeps its own books and has no
 * clock, no randomness and no I/O: the same calls in the same order decide the same, whether a
 * dispatcher makes them or a simulation.
 */
/** How urgent a process is. */
export interface Priority {
  /** -20 (much) to 19 (little), as in Unix: weight = 1.25^-nice. */
  readonly nice: number;
  readonly interactive: boolean;
  /** Milliseconds since 1970 by which it should be done; orders equals. */
  readonly deadline?: number;
}

/** A request that wants tokens. */
export interface Claim {
  /** Ascending in the order of arrival. */
  readonly id: number;
  readonly pid: number;
  readonly priority: Priority;
}

export interface Policy {
  /** Tokens of one turn. */
  readonly quantum: number;
  /** It begins to compete. */
  enter(claim: Claim): void;
  /** @param waiting not empty, in the order in which they began to wait */
  choose<C extends Claim>(waiting: readonly C[]): C;
  /** Of those that wait, the one whose turn is farthest away. */
  farthest<C extends Claim>(waiting: readonly C[]): C;
  /** What was served to the one that was chosen; once after each `choose`. */
  charge(claim: Claim, tokens: number): void;
  /** It competes no more; not while it is served. */
  leave(claim: Claim): void;
}

/** The first of those that no other comes before. */
export function first<C>(all: readonly C[], order: (a: C, b: C) => number): C {
  return all.reduce((best, one) => (order(one, best) < 0 ? one : best));
}
