/**
 * Where a text stands in a grammar: a set of stacks, each with a reading state on top and the
 * places to return to below. Stacks share their tails and equal ones are one object, so equal sets
 * have equal keys and each set is one `Situation`, which remembers where every byte leads. After a
 * while the walk is a table look-up. What is remembered is bounded: a full table is dropped and
 * begun anew, and situations that texts still hold on to live as long as these.
 */
import type { Automaton, Call, Point } from "./automaton.ts";

/** One place to return to, and how many rounds of its repetition are done. */
interface Frame {
  readonly id: number;
  readonly call: Call;
  readonly rounds: number;
  readonly below: Frame | undefined;
}

/** A reading state on top of a stack. */
interface Head {
  readonly id: number;
  readonly state: number;
  readonly below: Frame | undefined;
}

export interface Situation {
  readonly heads: readonly Head[];
  /** The text may end here. */
  readonly canEnd: boolean;
  /** The byte before was the closing quote of a key whose name was free. */
  readonly closedKey: boolean;
  /** By class of byte: where it leads; "no": nowhere; undefined: not yet known. */
  readonly next: (Situation | "no" | undefined)[];
  /** Where each plain byte leads, when they all lead to one: as inside of a string. */
  plainNext: Situation | "no" | undefined;
}

export interface Pushdown {
  readonly automaton: Automaton;
  start(): Situation;
  step(from: Situation, byte: number): Situation | undefined;
}

/** Situations and stacks remembered at most. */
const REMEMBERED = 50_000;

export function createPushdown(automaton: Automaton): Pushdown {
  const memory = createMemory(automaton);
  const step = (from: Situation, byte: number): Situation | undefined => {
    const index = automaton.classOf[byte] as number;
    const known = from.next[index];
    if (known !== undefined) return known === "no" ? undefined : known;
    const places = targets(automaton, from, index);
    const [only] = places;
    // Most bytes lead to one place, and many to the same.
    const to = only && places.length === 1 ? memory.behind(only) : memory.situation(places);
    const dead = to.heads.length === 0 && !to.canEnd;
    from.next[index] = dead ? "no" : to;
    return dead ? undefined : to;
  };
  return { automaton, start: () => memory.situation([[automaton.start, undefined]]), step };
}

type Place = readonly [point: Point, below: Frame | undefined];

function targets({ reads }: Automaton, { heads }: Situation, index: number): Place[] {
  const places: Place[] = [];
  for (const { state, below } of heads)
    for (const { classes, to } of reads[state] ?? []) if (classes[index]) places.push([to, below]);
  return places;
}

function createMemory(automaton: Automaton) {
  const frames = new Map<number | string, Frame>();
  const tops = new Map<number, Head>();
  const states = automaton.reads.length;
  const situations = new Map<string, Situation>();
  const single = new Map<number, Situation>();
  let ids = 0;
  const forget = (): void => {
    if (frames.size + tops.size + situations.size < REMEMBERED) return;
    for (const table of [frames, tops, situations, single]) table.clear();
  };
  const push = (call: Call, rounds: number, below: Frame | undefined): Frame => {
    // The place behind a call is its own alone.
    const place = (below?.id ?? 0) * states + call.next.id;
    const key = rounds === 0 ? place : `${place} ${rounds}`;
    return remember(frames, key, () => ({ id: ++ids, call, rounds, below }));
  };
  const head = (state: number, below: Frame | undefined): Head =>
    remember(tops, (below?.id ?? 0) * states + state, () => ({ id: ++ids, state, below }));
  const situation = (places: readonly Place[]): Situation => {
    forget();
    const { found, canEnd } = settle(places, push, head);
    const heads = [...found].sort((a, b) => a.id - b.id);
    return remember(situations, keyOf(heads, canEnd), () => {
      const closedKey = heads.some(({ state }) => automaton.closesKey.has(state));
      return { heads, canEnd, closedKey, next: [], plainNext: undefined };
    });
  };
  const behind = (place: Place): Situation => {
    const key = (place[1]?.id ?? 0) * states + place[0].id;
    return remember(single, key, () => situation([place]));
  };
  return { situation, behind };
}

function keyOf(heads: readonly Head[], canEnd: boolean): string {
  let key = canEnd ? "." : "";
  for (const { id } of heads) key += ` ${id}`;
  return key;
}

function remember<K, T>(table: Map<K, T>, key: K, create: () => T): T {
  const known = table.get(key);
  if (known !== undefined) return known;
  const made = create();
  table.set(key, made);
  return made;
}

/** Follows calls and returns until every stack has a reading state on top. */
function settle(
  places: readonly Place[],
  push: (call: Call, rounds: number, below: Frame | undefined) => Frame,
  head: (state: number, below: Frame | undefined) => Head,
): { found: Set<Head>; canEnd: boolean } {
  const found = new Set<Head>();
  const seen = new Map<Point, Set<Frame | undefined>>();
  const pending = [...places];
  let canEnd = false;
  for (let place = pending.pop(); place; place = pending.pop()) {
    const [point, below] = place;
    if (isSeen(seen, point, below)) continue;
    for (const state of point.readers) found.add(head(state, below));
    for (const call of point.calls) pending.push(...entered(call, 0, below, push));
    if (!point.ends) continue;
    if (below) pending.push(...entered(below.call, below.rounds + 1, below.below, push));
    else canEnd = true;
  }
  return { found, canEnd };
}

function isSeen<A, B>(seen: Map<A, Set<B>>, a: A, b: B): boolean {
  const known = seen.get(a);
  if (known?.has(b)) return true;
  if (known) known.add(b);
  else seen.set(a, new Set([b]));
  return false;
}

/** What a call allows after so many rounds: another one, to go on behind it, or both. */
function entered(
  call: Call,
  rounds: number,
  below: Frame | undefined,
  push: (call: Call, rounds: number, below: Frame | undefined) => Frame,
): Place[] {
  const { start, next, min, max } = call;
  const places: Place[] = rounds >= min ? [[next, below]] : [];
  if (rounds >= max) return places;
  const counted = max === Infinity ? Math.min(rounds, min) : rounds;
  const last = isTail(next) && rounds + 1 >= min && rounds + 1 === max;
  places.push([start, last ? below : push(call, counted, below)]);
  return places;
}

/** Nothing happens there but the return: no need to come back to it. */
function isTail({ readers, calls, ends }: Point): boolean {
  return ends && readers.length === 0 && calls.length === 0;
}
