/**
 * Graph → smaller graph of the same meaning: common subexpressions, constant folding, identities,
 * dead code (by omission), and two rewrites that spare a pass over memory. Nodes are rebuilt in
 * creation order, which keeps forward, backward and optimizer in the order they were written.
 */
import {
  applyAll,
  constant,
  type DType,
  type Graph,
  graphRoots,
  type Node,
  topologicalOrder,
  type Value,
} from "../graph.ts";
import { roundBf16 } from "../numbers.ts";
import { linearCrossEntropyGradOp, linearCrossEntropyOp } from "../ops/linear-cross-entropy.ts";
import { rmsNormGradOp } from "../ops/rms-norm.ts";
import { sameShape } from "../shape.ts";

export const keyOf = (value: Value): string => `${value.node.id}.${value.index}`;

/** The number that a value is everywhere, if it is a constant under broadcasts and reshapes. */
export function constantValue(value: Value): number | undefined {
  let { node } = value;
  while (node.op.name === "broadcast" || node.op.name === "reshape") node = node.inputs[0].node;
  return node.op.name === "constant" ? node.attrs.value : undefined;
}

/** What storing a number as `dtype` makes of it. */
const rounded = (x: number, dtype: DType): number =>
  dtype === "i32" ? Math.trunc(x) : dtype === "bf16" ? roundBf16(x) : Math.fround(x);

function foldConstants(node: Node, inputs: readonly Value[]): Value | undefined {
  if (node.op.kind !== "elementwise" || node.op.scalar === undefined) return undefined;
  const numbers = inputs.map(constantValue);
  if (numbers.some((x) => x === undefined)) return undefined;
  const [{ shape, dtype }] = node.outputs;
  return constant(rounded(node.op.scalar(numbers as number[]), dtype), shape, dtype);
}

/** x + 0, x - 0, x · 1, x / 1, and casts, reshapes, broadcasts that change nothing. */
function identity(node: Node, inputs: readonly Value[]): Value | undefined {
  const [a, b] = inputs;
  const is = (value: Value | undefined, n: number): boolean =>
    value !== undefined && constantValue(value) === n;
  const same = a !== undefined && a.dtype === node.outputs[0].dtype;
  switch (node.op.name) {
    case "add":
      return same && is(b, 0) ? a : is(a, 0) && b.dtype === node.outputs[0].dtype ? b : undefined;
    case "sub":
      return same && is(b, 0) ? a : undefined;
    case "mul":
      return same && is(b, 1) ? a : is(a, 1) && b.dtype === node.outputs[0].dtype ? b : undefined;
    case "div":
      return same && is(b, 1) ? a : undefined;
    case "cast":
      return same ? a : undefined;
    case "reshape":
    case "broadcast":
      return sameShape(a.shape, node.outputs[0].shape) ? a : undefined;
    default:
      return undefined;
  }
}

/** JSON writes every non-finite number as null; these must stay apart. */
const exact = (_: string, x: unknown): unknown =>
  typeof x === "number" && !Number.isFinite(x) ? String(x) : x;

const signature = (node: Node, inputs: readonly Value[]): string =>
  `${node.op.name}(${inputs.map(keyOf).join(",")})${JSON.stringify(node.attrs, exact)}`;

type Rewrite = (node: Node, inputs: readonly Value[]) => readonly Value[] | undefined;
type Substitute = (value: Value) => Value;

/** Nodes in creation order, each after its (substituted) inputs. */
function orderOf(graph: Graph, substitute: Substitute): Node[] {
  const order: Node[] = [];
  const done = new Set<Node>();
  const visit = (node: Node): void => {
    if (done.has(node)) return;
    done.add(node);
    for (const x of node.inputs) visit(substitute(x).node);
    order.push(node);
  };
  const nodes = topologicalOrder(graphRoots(graph)).sort((a, b) => a.id - b.id);
  for (const node of nodes) visit(node);
  return order;
}

/** Rebuilds a graph node by node through `rewrite`; undefined = the same op on the new inputs. */
function rebuild(graph: Graph, rewrite: Rewrite, substitute: Substitute = (x) => x): Graph {
  const made = new Map<string, Value>();
  const get = (value: Value): Value => made.get(keyOf(substitute(value))) as Value;
  for (const node of orderOf(graph, substitute)) {
    const inputs = node.inputs.map(get);
    const outputs = rewrite(node, inputs) ?? applyAll(node.op, inputs, node.attrs);
    outputs.forEach((value, index) => void made.set(`${node.id}.${index}`, value));
  }
  const outputs = Object.entries(graph.outputs).map(([name, value]) => [name, get(value)] as const);
  const updates = (graph.updates ?? []).map(({ state, value }) => ({ state, value: get(value) }));
  return { outputs: Object.fromEntries(outputs), updates };
}

function shareAndFold(graph: Graph): Graph {
  const known = new Map<string, Value[]>();
  return rebuild(graph, (node, inputs) => {
    const folded = foldConstants(node, inputs) ?? identity(node, inputs);
    if (folded !== undefined) return [folded];
    const sign = signature(node, inputs);
    const found = known.get(sign) ?? applyAll(node.op, inputs, node.attrs);
    known.set(sign, found);
    return found;
  });
}

/**
 * The gradient of the cross-entropy makes the loss on its way. Where both stand on the same
 * operands, readers of the forward op read the gradient op instead, and the forward op is dead.
 */
function reuseLoss(graph: Graph): Graph {
  const nodes = topologicalOrder(graphRoots(graph));
  const operands = (node: Node): string =>
    `${node.attrs.compute} ${node.inputs.slice(0, 3).map(keyOf)}`;
  const gradients = new Map(
    nodes.filter((n) => n.op === linearCrossEntropyGradOp).map((n) => [operands(n), n]),
  );
  const replaced = new Map<Node, Value>();
  for (const node of nodes) {
    const gradient = node.op === linearCrossEntropyOp ? gradients.get(operands(node)) : undefined;
    if (gradient === undefined) continue;
    // A scale that is computed from the loss itself needs the loss first.
    if (topologicalOrder([gradient.inputs[3]]).includes(node)) continue;
    replaced.set(node, { node: gradient, index: 0, ...gradient.outputs[0] });
  }
  if (replaced.size === 0) return graph;
  return rebuild(
    graph,
    () => undefined,
    (value) => replaced.get(value.node) ?? value,
  );
}

function countUses(graph: Graph): Map<string, number> {
  const roots = graphRoots(graph);
  const uses = new Map<string, number>();
  for (const value of [...topologicalOrder(roots).flatMap((node) => node.inputs), ...roots])
    uses.set(keyOf(value), (uses.get(keyOf(value)) ?? 0) + 1);
  return uses;
}

/** dx + r, where dx of an RMSNorm's gradient is used once: the kernel adds r while it writes dx. */
function addResidual(graph: Graph): Graph {
  const uses = countUses(graph);
  const spare = (x: Value): boolean =>
    x.node.op === rmsNormGradOp && x.index === 0 && uses.get(keyOf(x)) === 1;
  // Both outputs move to the new node, so the old one must not be read for its gain's gradient
  // before the sum is made: readers of dw follow the substitution.
  const moved = new Map<Node, Node>();
  for (const node of topologicalOrder(graphRoots(graph))) {
    const at = node.op.name === "add" ? node.inputs.findIndex(spare) : -1;
    if (at < 0 || moved.has(node.inputs[at].node)) continue;
    const [norm, residual] = [node.inputs[at].node, node.inputs[1 - at]];
    if (residual.dtype !== "f32" || topologicalOrder([residual]).includes(norm)) continue;
    const [dx] = applyAll(rmsNormGradOp, [...norm.inputs, residual], null);
    moved.set(norm, dx.node).set(node, dx.node);
  }
  if (moved.size === 0) return graph;
  return rebuild(
    graph,
    () => undefined,
    (value) => {
      const node = moved.get(value.node);
      return node === undefined
        ? value
        : { node, index: value.index, ...node.outputs[value.index] };
    },
  );
}

/** @returns an equivalent graph; node ids are fresh and in creation order */
export function simplify(graph: Graph): Graph {
  return addResidual(shareAndFold(reuseLoss(shareAndFold(graph))));
}
