/**
 * Places in the arena: values that are never alive together share bytes. Largest first, each at
 * the lowest offset where it fits.
 */

export interface Lifetime {
  readonly key: string;
  readonly bytes: number;
  /** First and last step of the sequence at which it must exist. */
  readonly first: number;
  readonly last: number;
}

export interface MemoryPlan {
  readonly offsets: ReadonlyMap<string, number>;
  readonly bytes: number;
}

/** Offsets are multiples of this: one cache line. */
export const ALIGNMENT = 64;

export const align = (bytes: number): number => Math.ceil(bytes / ALIGNMENT) * ALIGNMENT;

type Placed = Lifetime & { readonly offset: number };

const overlaps = (a: Lifetime, b: Lifetime): boolean => a.first <= b.last && b.first <= a.last;

function lowestFit(value: Lifetime, placed: readonly Placed[]): number {
  const rivals = placed.filter((p) => overlaps(p, value)).sort((a, b) => a.offset - b.offset);
  let offset = 0;
  for (const rival of rivals) {
    if (offset + align(value.bytes) <= rival.offset) break;
    offset = Math.max(offset, rival.offset + align(rival.bytes));
  }
  return offset;
}

export function planMemory(values: readonly Lifetime[]): MemoryPlan {
  const placed: Placed[] = [];
  for (const value of [...values].sort((a, b) => b.bytes - a.bytes || a.first - b.first))
    placed.push({ ...value, offset: lowestFit(value, placed) });
  return {
    offsets: new Map(placed.map((p) => [p.key, p.offset])),
    bytes: placed.reduce((top, p) => Math.max(top, p.offset + align(p.bytes)), 0),
  };
}
