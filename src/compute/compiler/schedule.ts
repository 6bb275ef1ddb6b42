/**
 * Units → a sequence, and a home for every stored value: a program input, a state tensor, or a
 * place in the arena. A new state value is written over the old one when every other reader of
 * the old one can run first; otherwise it is made in the arena and copied when all is done.
 */
import { type Graph, stateOp, type TensorType, type Value } from "../graph.ts";
import { type Access, isContiguous, storageOf } from "./access.ts";
import { type Fusion, leavesOf, type Unit } from "./fuse.ts";
import { keyOf } from "./simplify.ts";

export type Home =
  | { readonly kind: "input" | "state"; readonly name: string }
  | { readonly kind: "arena"; readonly key: string };

export interface Copy {
  readonly from: Home;
  readonly to: Home;
  readonly type: TensorType;
}

export interface Schedule {
  readonly sequence: readonly Unit[];
  readonly homes: ReadonlyMap<string, Home>;
  /** Before everything: snapshots of old state that is both returned and replaced. */
  readonly snapshots: readonly Copy[];
  /** Just before a unit: operands that it overwrites but others still read. */
  readonly before: ReadonlyMap<Unit, readonly Copy[]>;
  /** After everything: state that could not be replaced in place. */
  readonly copies: readonly Copy[];
  readonly outputs: Readonly<Record<string, Home>>;
}

export interface Read {
  readonly base: Value;
  /** Element i of the unit's result needs element i of this operand only. */
  readonly sameElement: boolean;
}

/** What a unit reads from storage, its own results excluded. */
export function readsOf(unit: Unit, fusion: Fusion): Read[] {
  const own = (base: Value): boolean => fusion.makers.get(keyOf(base)) === unit;
  const elementwise = (roots: readonly Value[], asResults = true): Read[] =>
    leavesOf(roots, fusion.stored, asResults)
      .filter((a) => !own(a.base))
      .map((a: Access) => ({ base: a.base, sameElement: isContiguous(a, roots[0].shape) }));
  if (unit.kind === "loop") return elementwise(unit.results);
  if (unit.kind === "reduce")
    return elementwise([unit.node.inputs[0]], false).map((r) => ({ ...r, sameElement: false }));
  const operands = unit.node.inputs.map((x) => ({ base: storageOf(x), sameElement: false }));
  return [...operands, ...elementwise(unit.results)];
}

const isState = (value: Value): boolean => value.node.op === stateOp;

function homeOfLeaf(value: Value): Home | undefined {
  const { op, attrs } = value.node;
  if (op.name === "input" || op.name === "state") return { kind: op.name, name: attrs.name };
  return undefined;
}

class Scheduler {
  readonly graph: Graph;
  readonly fusion: Fusion;
  readonly homes: Map<string, Home> = new Map();
  readonly before: Map<Unit, Copy[]> = new Map();
  readonly copies: Copy[] = [];
  readonly snapshots: Copy[] = [];
  readonly readers: Map<string, { unit: Unit; sameElement: boolean }[]> = new Map();
  readonly states: Map<string, Value> = new Map();

  constructor(graph: Graph, fusion: Fusion) {
    this.graph = graph;
    this.fusion = fusion;
    for (const unit of fusion.units)
      for (const { base, sameElement } of readsOf(unit, fusion)) {
        const list = this.readers.get(keyOf(base)) ?? [];
        list.push({ unit, sameElement });
        this.readers.set(keyOf(base), list);
        const home = homeOfLeaf(base);
        if (home !== undefined) this.homes.set(keyOf(base), home);
        if (home?.kind === "state") this.states.set(home.name, base);
      }
  }

  /** Makes every other reader of `value` run before `writer`; false when one cannot. */
  readersFirst(value: Value, writer: Unit): boolean {
    const others = (this.readers.get(keyOf(value)) ?? [])
      .map((r) => r.unit)
      .filter((unit) => unit !== writer);
    if (others.some((unit) => this.fusion.dependencies.runsAfter(unit, writer))) return false;
    this.fusion.dependencies.add(writer, others);
    return true;
  }

  /** Kernels that overwrite an operand: straight on state, else on a copy in the arena. */
  donate(unit: Unit): void {
    for (const [output, input] of Object.entries(unit.node.op.donates ?? {})) {
      const target = storageOf(unit.node.inputs[input]);
      const key = `${unit.node.id}.${output}`;
      const lasting = this.isUpdate(target, key) && !this.isReturned(target);
      if (lasting && this.readersFirst(target, unit)) {
        this.homes.set(key, homeOfLeaf(target) as Home);
        continue;
      }
      const to: Home = { kind: "arena", key };
      this.homes.set(key, to);
      const copy: Copy = { from: this.homeOf(target), to, type: target };
      this.before.set(unit, [...(this.before.get(unit) ?? []), copy]);
    }
  }

  /** Does the graph keep the value `key` as the new value of `target`? */
  isUpdate(target: Value, key: string): boolean {
    return (this.graph.updates ?? []).some(
      ({ state, value }) =>
        isState(target) &&
        state.node.attrs.name === target.node.attrs.name &&
        keyOf(storageOf(value)) === key,
    );
  }

  homeOf(value: Value): Home {
    const key = keyOf(value);
    return this.homes.get(key) ?? homeOfLeaf(value) ?? { kind: "arena", key };
  }

  /** Old state that is copied elsewhere at the end may be replaced by then: take it at the start. */
  lasting(value: Value): Home {
    if (!isState(value)) return this.homeOf(value);
    const to: Home = { kind: "arena", key: `snapshot ${value.node.attrs.name}` };
    this.snapshots.push({ from: this.homeOf(value), to, type: value });
    return to;
  }

  isReturned(value: Value): boolean {
    return Object.values(this.graph.outputs).some((v) => keyOf(storageOf(v)) === keyOf(value));
  }

  update(state: Value, value: Value): void {
    const made = storageOf(value);
    const to: Home = { kind: "state", name: state.node.attrs.name };
    const home = this.homes.get(keyOf(made));
    if (home?.kind === "state" && home.name === to.name) return;
    const unit = this.fusion.makers.get(keyOf(made));
    if (
      unit === undefined ||
      home !== undefined ||
      !this.overwrites(unit, this.states.get(to.name))
    )
      this.copies.push({ from: this.lasting(made), to, type: made });
    else this.homes.set(keyOf(made), to);
  }
  /** May `unit` write its result over `old`? Itself it may read only the element it writes. */
  overwrites(unit: Unit, old: Value | undefined): boolean {
    if (old === undefined) return true;
    const reads = (this.readers.get(keyOf(old)) ?? []).filter((r) => r.unit === unit);
    return reads.every((r) => r.sameElement) && this.readersFirst(old, unit);
  }
}

/** Lowest creation order first among the units whose dependencies are done. */
function sequenceOf(units: readonly Unit[]): Unit[] {
  const left = new Map(units.map((unit) => [unit, unit.after.size]));
  const followers = new Map<Unit, Unit[]>();
  for (const unit of units)
    for (const earlier of unit.after)
      followers.set(earlier, [...(followers.get(earlier) ?? []), unit]);
  const ready = units.filter((unit) => unit.after.size === 0);
  const sequence: Unit[] = [];
  while (ready.length > 0) {
    ready.sort((a, b) => b.id - a.id);
    const unit = ready.pop() as Unit;
    sequence.push(unit);
    for (const next of followers.get(unit) ?? []) {
      left.set(next, (left.get(next) as number) - 1);
      if (left.get(next) === 0) ready.push(next);
    }
  }
  if (sequence.length !== units.length)
    throw new Error("schedule: units must not wait in a circle");
  return sequence;
}

export function schedule(graph: Graph, fusion: Fusion): Schedule {
  const s = new Scheduler(graph, fusion);
  for (const unit of fusion.units) if (unit.kind === "call") s.donate(unit);
  for (const { state, value } of graph.updates ?? []) s.update(state, value);
  for (const key of fusion.makers.keys())
    if (!s.homes.has(key)) s.homes.set(key, { kind: "arena", key });
  const replaced = new Set((graph.updates ?? []).map((u) => u.state.node.attrs.name as string));
  const outputs: Record<string, Home> = {};
  for (const [name, value] of Object.entries(graph.outputs)) {
    const base = storageOf(value);
    outputs[name] = replaced.has(base.node.attrs?.name) ? s.lasting(base) : s.homeOf(base);
  }
  const { homes, before, copies, snapshots } = s;
  return { sequence: sequenceOf(fusion.units), homes, before, copies, snapshots, outputs };
}
