/**
 * Simplified graph → units of work. A `call` is one kernel, and a product's call may carry an
 * epilogue: elementwise results computed from the tile while it is in cache. A `loop` computes
 * several elementwise results of one shape in one pass; a `reduce` sums an elementwise expression.
 *
 * An elementwise value is stored only when a kernel, an output or a view reads it; everything else
 * is computed again inside whichever loop needs it, since arithmetic is cheaper than memory. That
 * is also what keeps activations small: backward recomputes the cheap half of forward.
 */
import { type Graph, graphRoots, type Node, topologicalOrder, type Value } from "../graph.ts";
import { sameShape, sizeOf } from "../shape.ts";
import { type Access, accessOf, asMatrix, isContiguous, isView, storageOf } from "./access.ts";
import { constantValue, keyOf } from "./simplify.ts";

export interface Unit {
  readonly id: number;
  readonly kind: "call" | "loop" | "reduce";
  /** The kernel of a call or reduce; the first result of a loop. */
  readonly node: Node;
  /** Elementwise results stored by this unit: of a loop, or of a matmul's epilogue. */
  readonly results: Value[];
  /** Units that must run before this one. */
  readonly after: Set<Unit>;
}

export interface Fusion {
  readonly units: readonly Unit[];
  /** The unit that makes each stored value, by storage key. */
  readonly makers: ReadonlyMap<string, Unit>;
  /** Elementwise values, views and constants that have storage, by key. */
  readonly stored: ReadonlySet<string>;
  readonly dependencies: Dependencies;
}

/** Above this many nodes a shared expression is stored rather than computed twice. */
const MAX_RECOMPUTED_NODES = 16;

/** Matrix products, whose results an epilogue may finish. */
export const isProduct = (node: Node): boolean =>
  node.op.name === "matmul" || node.op.name === "quantLinear";
const isReduce = (node: Node): boolean => node.op.name === "sum" || node.op.name === "max";
const isInline = (value: Value): boolean => value.node.op.kind === "elementwise";

/**
 * Elementwise operands of a loop: stored values and how they are read.
 * @param roots what the loop computes (`asResults`), or operands that it may also find stored
 */
export function leavesOf(
  roots: readonly Value[],
  stored: ReadonlySet<string>,
  asResults = true,
): Access[] {
  const leaves = new Map<string, Access>();
  const seen = new Set<string>();
  const visit = (value: Value, isRoot: boolean): void => {
    if (constantValue(value) !== undefined) return;
    const key = keyOf(value);
    if (isInline(value) && (isRoot || !stored.has(key))) {
      if (seen.has(key)) return;
      seen.add(key);
      for (const x of value.node.inputs) visit(x, false);
      return;
    }
    const access = accessOf(value);
    leaves.set(`${keyOf(access.base)}|${access.strides}|${access.offset}`, access);
  };
  for (const root of roots) visit(root, asResults);
  return [...leaves.values()];
}

/** Elementwise values, views and constants that need storage of their own. */
function storedValues(order: readonly Node[], graph: Graph): Set<string> {
  const stored = new Set<string>();
  const store = (value: Value): void => {
    const { node } = storageOf(value);
    if (node.op.kind === "elementwise" || node.op.kind === "view" || node.op.name === "constant")
      stored.add(keyOf(storageOf(value)));
  };
  /** What an elementwise reader needs stored: whatever lies below a view or a reshape. */
  const storeBelow = (value: Value): void => {
    if (constantValue(value) !== undefined || isInline(value)) return;
    if (isView(value)) store(accessOf(value).base);
    else if (value.node.op.name === "reshape") store(value);
  };
  for (const node of order) {
    if (node.op.kind === "elementwise" || isReduce(node)) node.inputs.forEach(storeBelow);
    else if (node.op.kind === "kernel") node.inputs.forEach(store);
    else if (node.op.kind === "view" && constantValue(node.inputs[0]) === undefined)
      store(accessOf({ node, index: 0, ...node.outputs[0] }).base);
  }
  graphRoots(graph).forEach(store);
  storeLargeShared(order, stored);
  return stored;
}

function storeLargeShared(order: readonly Node[], stored: Set<string>): void {
  const readers = new Map<Node, number>();
  for (const node of order)
    for (const x of new Set(node.inputs.map((v) => v.node)))
      readers.set(x, (readers.get(x) ?? 0) + 1);
  const cost = new Map<Node, number>();
  for (const node of order) {
    if (node.op.kind !== "elementwise") continue;
    const key = `${node.id}.0`;
    const inputs = new Set(node.inputs.map((x) => x.node));
    const total = [...inputs].reduce((sum, x) => sum + (cost.get(x) ?? 0), 1);
    if (total > MAX_RECOMPUTED_NODES && (readers.get(node) ?? 0) > 1) stored.add(key);
    cost.set(node, stored.has(key) ? 0 : total);
  }
}

/** Which units a unit transitively runs after. */
export class Dependencies {
  readonly #before = new Map<Unit, Set<Unit>>();

  before(unit: Unit): Set<Unit> {
    const set = this.#before.get(unit) ?? new Set<Unit>();
    this.#before.set(unit, set);
    return set;
  }
  /** Records `unit` after each of `others`, for everything that already runs after `unit` too. */
  add(unit: Unit, others: Iterable<Unit>): void {
    const more = new Set<Unit>();
    for (const other of others) {
      unit.after.add(other);
      more.add(other);
      for (const u of this.before(other)) more.add(u);
    }
    const followers = [unit, ...[...this.#before].flatMap(([u, b]) => (b.has(unit) ? [u] : []))];
    for (const follower of followers) for (const u of more) this.before(follower).add(u);
  }
  runsAfter(unit: Unit, other: Unit): boolean {
    return this.before(unit).has(other);
  }
}

/** A product whose result may be finished by an epilogue: one matrix, not a batch. */
const isEpilogueHost = (unit: Unit): boolean =>
  unit.kind === "call" && isProduct(unit.node) && unit.node.outputs[0].shape.length === 2;

function canHost(unit: Unit, root: Value, leaves: readonly Access[]): boolean {
  const matrix = unit.node.outputs[0].shape;
  const own = (a: Access): boolean => a.base.node === unit.node;
  if (sizeOf(matrix) !== sizeOf(root.shape) || !leaves.some(own)) return false;
  return leaves.every((a) =>
    own(a) || unit.results.some((r) => keyOf(r) === keyOf(a.base))
      ? isContiguous(a, root.shape)
      : asMatrix(a, root.shape, matrix[1]) !== undefined,
  );
}

function canJoinLoop(unit: Unit, root: Value, leaves: readonly Access[]): boolean {
  if (unit.kind !== "loop" || !sameShape(unit.results[0].shape, root.shape)) return false;
  const touches = leaves.filter((a) => unit.results.some((r) => keyOf(r) === keyOf(a.base)));
  return touches.length > 0 && touches.every((a) => isContiguous(a, root.shape));
}

class Fuser {
  readonly stored: ReadonlySet<string>;
  readonly units: Unit[] = [];
  readonly makers: Map<string, Unit> = new Map();
  readonly dependencies: Dependencies = new Dependencies();

  constructor(stored: ReadonlySet<string>) {
    this.stored = stored;
  }
  sources(bases: readonly Value[]): Unit[] {
    return bases.flatMap((base) => this.makers.get(keyOf(base)) ?? []);
  }
  unit(kind: Unit["kind"], node: Node, results: Value[], bases: readonly Value[]): Unit {
    const unit: Unit = { id: this.units.length, kind, node, results, after: new Set() };
    this.units.push(unit);
    this.dependencies.add(unit, this.sources(bases));
    return unit;
  }
  addKernel(node: Node): void {
    const bases = isReduce(node)
      ? leavesOf([node.inputs[0]], this.stored, false).map((a) => a.base)
      : node.inputs.map(storageOf);
    const unit = this.unit(isReduce(node) ? "reduce" : "call", node, [], bases);
    node.outputs.forEach((_, i) => void this.makers.set(`${node.id}.${i}`, unit));
  }
  addResult(root: Value): void {
    const leaves = leavesOf([root], this.stored);
    const sources = new Set(this.sources(leaves.map((a) => a.base)));
    const joins = (unit: Unit): boolean =>
      (isEpilogueHost(unit) ? canHost(unit, root, leaves) : canJoinLoop(unit, root, leaves)) &&
      [...sources].every((s) => s === unit || !this.dependencies.runsAfter(s, unit));
    const host = isInline(root) ? [...sources].sort((a, b) => b.id - a.id).find(joins) : undefined;
    if (host === undefined) {
      const bases = leaves.map((a) => a.base);
      this.makers.set(keyOf(root), this.unit("loop", root.node, [root], bases));
      return;
    }
    host.results.push(root);
    sources.delete(host);
    this.dependencies.add(host, sources);
    this.makers.set(keyOf(root), host);
  }
}

/** @param graph simplified  @returns units in creation order, with their dependencies */
export function fuse(graph: Graph): Fusion {
  const order = topologicalOrder(graphRoots(graph)).sort((a, b) => a.id - b.id);
  const stored = storedValues(order, graph);
  const fuser = new Fuser(stored);
  for (const node of order) {
    if (node.op.kind === "kernel") fuser.addKernel(node);
    else if (stored.has(`${node.id}.0`)) fuser.addResult({ node, index: 0, ...node.outputs[0] });
  }
  return fuser;
}
