/** Policies without books, to compare with: whoever came first to his end, and everybody in turn. */
import { type Claim, first, type Policy } from "./policy.ts";

const nothing = (): void => undefined;
const byArrival = (a: Claim, b: Claim): number => a.id - b.id;

export const createFifoPolicy = (): Policy => ({
  ...{ quantum: Number.POSITIVE_INFINITY, enter: nothing, charge: nothing, leave: nothing },
  choose: (waiting) => first(waiting, byArrival),
  farthest: (waiting) => first(waiting, (a, b) => byArrival(b, a)),
});

/** @param quantum tokens of a turn */
export const createRoundRobinPolicy = (quantum: number): Policy => ({
  ...{ quantum, enter: nothing, charge: nothing, leave: nothing },
  choose: <C extends Claim>(waiting: readonly C[]) => waiting[0] as C,
  farthest: <C extends Claim>(waiting: readonly C[]) => waiting.at(-1) as C,
});
