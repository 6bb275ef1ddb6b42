/**
 * A pruned grammar as a graph: states with edges that read a byte, call a rule or count the rounds
 * of a repetition. Edges that read nothing are followed here once and for all, so a `Point` of the
 * graph lists what can be done from it. Bytes that no edge tells apart are one class.
 */
import {
  type ByteSet,
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
  const members = membersOf(new Set(graph.states.flatMap((s) => s.reads.map(({ set }) => set))));
  const { classOf, classCount } = byteClasses(members);
  const points = graph.points();
  const classes = new Map(
    Array.from(members, ([set, inside]) => [set, classesOf(inside, classOf, classCount)]),
  );
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
const WRITTEN_OUT = 24;

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

  /** By state, of those where a text can stand: others are only passed through. */
  points(): (Point | undefined)[] {
    const points: { id: number; readers: number[]; calls: Call[]; ends: boolean }[] = [];
    for (const id of this.#stops()) points[id] = { id, readers: [], calls: [], ends: false };
    const at = (id: number): Point => points[id] as Point;
    for (const point of Object.values(points))
      for (const id of this.#reach(point.id)) {
        const { reads, calls } = this.#at(id);
        if (reads.length > 0) point.readers.push(id);
        if (this.ends.has(id)) point.ends = true;
        for (const { start, next, min, max } of calls)
          point.calls.push({ start: at(start), next: at(next), min, max });
      }
    return points;
  }

  #stops(): Set<number> {
    const stops = new Set([this.start, ...this.keyEnds]);
    for (const { reads, calls } of this.states) {
      for (const { to } of reads) stops.add(to);
      for (const { start, next } of calls) stops.add(start).add(next);
    }
    return stops;
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

/** By set and byte: 1 where the byte is in the set. */
type Members = ReadonlyMap<ByteSet, Uint8Array>;

function membersOf(sets: Iterable<ByteSet>): Members {
  return new Map(Array.from(sets, (set) => [set, bitsOf(set)]));
}

function bitsOf(set: ByteSet): Uint8Array {
  const digits = set.toString(2);
  const bits = new Uint8Array(256);
  for (let i = 0; i < digits.length; i++) bits[digits.length - 1 - i] = digits.charCodeAt(i) & 1;
  return bits;
}

/** Two bytes are of one class when every set has both or neither. */
function byteClasses(members: Members): { classOf: Uint8Array; classCount: number } {
  const classOf = new Uint8Array(256);
  let classCount = 1;
  for (const inside of members.values()) {
    const split = new Map<number, number>();
    for (let byte = 0; byte < 256; byte++) {
      const part = (classOf[byte] as number) * 2 + (inside[byte] as number);
      if (!split.has(part)) split.set(part, split.size);
      classOf[byte] = split.get(part) as number;
    }
    classCount = split.size;
  }
  return { classOf, classCount };
}

function classesOf(inside: Uint8Array, classOf: Uint8Array, classCount: number): Uint8Array {
  const classes = new Uint8Array(classCount);
  for (let byte = 0; byte < 256; byte++) if (inside[byte]) classes[classOf[byte] as number] = 1;
  return classes;
}
