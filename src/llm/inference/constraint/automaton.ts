/**
 * A pruned grammar as a graph: states with edges that read a byte, call a rule or count the rounds
 * of a repetition. Edges that read nothing are followed here once and for all, so a `Point` of the
 * graph lists what can be done from it. Bytes that no edge tells apart are one class.
 */
import {
  type ByteSet,
  byteRange,
  type Expression,
  empty,
  type Grammar,
  optional,
  sequence,
} from "./expression.ts";
import { canBeEmpty, emptyRules } from "./pruned-grammar.ts";

/** All that can be done from a state without reading a byte. */
export interface Point {
  readonly id: number;
  /** States that read: `Automaton.reads` says what. */
  readonly readers: readonly number[];
  readonly calls: readonly Call[];
  /** The rule may end here. */
  readonly ends: boolean;
}

/** From `min` to `max` rounds of what begins at `start`, then `next`; plain calls have 1 and 1. */
export interface Call {
  readonly start: Point;
  readonly next: Point;
  readonly min: number;
  readonly max: number;
}

export interface Automaton {
  readonly start: Point;
  /** By state: what its edges read and where they lead. */
  readonly reads: readonly (readonly { readonly classes: Uint8Array; readonly to: Point }[])[];
  /** States right after a key whose name was free: the byte before closed it. */
  readonly closesKey: ReadonlySet<number>;
  /** By byte. */
  readonly classOf: Uint8Array;
  readonly classCount: number;
}

interface State {
  readonly reads: { readonly set: ByteSet; readonly to: number }[];
  readonly skips: number[];
  readonly calls: { readonly start: number; readonly next: number; min: number; max: number }[];
}

export function buildAutomaton(grammar: Grammar): Automaton {
  const graph = new Graph(grammar);
  const sets = new Set(graph.states.flatMap(({ reads }) => reads.map(({ set }) => set)));
  const { classOf, classCount } = byteClasses([...sets]);
  const points = graph.points();
  const classes = new Map([...sets].map((set) => [set, classesOf(set, classOf, classCount)]));
  const reads = graph.states.map((state) =>
    state.reads.map(({ set, to }) => ({
      classes: classes.get(set) as Uint8Array,
      to: points[to] as Point,
    })),
  );
  const start = points[graph.start] as Point;
  const closed = graph.keyEnds.values().flatMap((id) => points[id]?.readers ?? []);
  return { start, reads, closesKey: new Set(closed), classOf, classCount };
}

/** Small repetitions are written out: a state is cheaper to follow than a counter. */
const WRITTEN_OUT = 64;

class Graph {
  readonly states: State[] = [];
  readonly ends = new Set<number>();
  readonly keyEnds = new Set<number>();
  readonly start: number;
  readonly #starts = new Map<string, number>();
  readonly #blank: ReadonlySet<string>;

  constructor(grammar: Grammar) {
    this.#blank = emptyRules(grammar);
    for (const name of grammar.rules.keys()) this.#starts.set(name, this.#state());
    for (const [name, e] of grammar.rules) this.ends.add(this.#add(e, this.#startOf(name)));
    this.start = this.#startOf(grammar.root);
  }

  #startOf(name: string): number {
    return this.#starts.get(name) as number;
  }

  #state(): number {
    this.states.push({ reads: [], skips: [], calls: [] });
    return this.states.length - 1;
  }

  /** @returns the state after it */
  #add(e: Expression, from: number): number {
    if (e.kind === "sequence") return e.items.reduce((at, item) => this.#add(item, at), from);
    if (e.kind === "choice") return this.#choice(e.items, from);
    if (e.kind === "repeat") return this.#repeat(e, from);
    if (e.kind === "rule") return this.#call(from, this.#startOf(e.name), 1, 1);
    const to = e.kind === "byte" ? this.#state() : from;
    if (e.kind === "byte") this.#at(from).reads.push({ set: e.set, to });
    else this.keyEnds.add(from);
    return to;
  }

  #at(state: number): State {
    return this.states[state] as State;
  }

  #choice(items: readonly Expression[], from: number): number {
    const to = this.#state();
    for (const item of items) this.#at(this.#add(item, this.#skip(from))).skips.push(to);
    return to;
  }

  #skip(from: number): number {
    const to = this.#state();
    this.#at(from).skips.push(to);
    return to;
  }

  #repeat(e: Extract<Expression, { kind: "repeat" }>, from: number): number {
    const { item, min, max } = e;
    if (max === 1) return this.#choice([item, empty], from);
    if (max === Infinity && min <= 1) return this.#loop(item, min, from);
    if (max < Infinity && max * size(item) <= WRITTEN_OUT)
      return this.#add(writtenOut(item, min, max), from);
    const start = this.#state();
    this.ends.add(this.#add(item, start));
    return this.#call(from, start, canBeEmpty(item, this.#blank) ? 0 : min, max);
  }

  #loop(item: Expression, min: number, from: number): number {
    const before = min === 0 ? from : this.#add(item, from);
    const top = this.#skip(before);
    this.#at(this.#add(item, this.#skip(top))).skips.push(top);
    return this.#skip(top);
  }

  #call(from: number, start: number, min: number, max: number): number {
    const next = this.#state();
    this.#at(from).calls.push({ start, next, min, max });
    return next;
  }

  points(): Point[] {
    const points = this.states.map((_, id) => {
      return { id, readers: [] as number[], calls: [] as Call[], ends: false };
    });
    for (const point of points) {
      for (const id of this.#reach(point.id)) {
        const { reads, calls } = this.#at(id);
        if (reads.length > 0) point.readers.push(id);
        if (this.ends.has(id)) point.ends = true;
        for (const { start, next, min, max } of calls)
          point.calls.push({
            start: points[start] as Point,
            next: points[next] as Point,
            min,
            max,
          });
      }
    }
    return points;
  }

  /** States that are reached without reading. */
  #reach(state: number): Set<number> {
    const seen = new Set([state]);
    for (const id of seen) for (const next of this.#at(id).skips) seen.add(next);
    return seen;
  }
}

function size(e: Expression): number {
  if (e.kind === "repeat") return e.max === Infinity ? 1 + size(e.item) : e.max * size(e.item);
  if (e.kind === "sequence" || e.kind === "choice")
    return e.items.reduce((sum, item) => sum + size(item), 1);
  return 1;
}

function writtenOut(item: Expression, min: number, max: number): Expression {
  let rest: Expression = empty;
  for (let i = min; i < max; i++) rest = optional(sequence(item, rest));
  return sequence(...Array<Expression>(min).fill(item), rest);
}

/** Two bytes are of one class when every set has both or neither. */
function byteClasses(sets: readonly ByteSet[]): { classOf: Uint8Array; classCount: number } {
  const classes = new Map<string, number>();
  const classOf = Uint8Array.from({ length: 256 }, (_, byte) => {
    const key = sets.map((set) => ((set >> BigInt(byte)) & 1n ? "1" : "0")).join("");
    const known = classes.get(key) ?? classes.size;
    classes.set(key, known);
    return known;
  });
  return { classOf, classCount: classes.size };
}

function classesOf(set: ByteSet, classOf: Uint8Array, classCount: number): Uint8Array {
  const members = new Uint8Array(classCount);
  for (let byte = 0; byte < 256; byte++)
    if (set & byteRange(byte, byte)) members[classOf[byte] as number] = 1;
  return members;
}
