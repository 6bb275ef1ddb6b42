/**
 * Reverse-mode differentiation, graph → graph. Gradients of values used several times are added in
 * f32; the gradient of a bf16 value is rounded to bf16 once, before its op's rule sees it.
 */
import { NutshellError } from "../error.ts";
import { constant, type Node, topologicalOrder, type Value } from "./graph.ts";
import { broadcastTo } from "./ops/broadcast.ts";
import { add, cast } from "./ops/elementwise.ts";

type Pending = Map<Node, (Value | undefined)[]>;

const key = (value: Value): string => `${value.node.id}:${value.index}`;

function accumulate(pending: Pending, value: Value, gradient: Value): void {
  const slots = pending.get(value.node) ?? new Array(value.node.outputs.length).fill(undefined);
  const before = slots[value.index];
  slots[value.index] = before === undefined ? gradient : add(before, gradient);
  pending.set(value.node, slots);
}

/** Nodes on a path from `targets` to the loss: only these need gradients. */
function dependents(order: readonly Node[], targets: readonly Value[]): Set<Node> {
  const set = new Set(targets.map((target) => target.node));
  for (const node of order) if (node.inputs.some((x) => set.has(x.node))) set.add(node);
  return set;
}

function propagate(node: Node, pending: Pending, needed: Set<Node>): void {
  const rule = node.op.gradient;
  if (typeof rule !== "function")
    throw new NutshellError(
      "SHAPE",
      `grad: ${node.op.name} has no gradient (${rule.none}), got it between loss and parameters. Cut the path.`,
    );
  const outGrads = (pending.get(node) as (Value | undefined)[]).map((g, i) =>
    g !== undefined && node.outputs[i].dtype === "bf16" ? cast(g, "bf16") : g,
  );
  rule(node, outGrads).forEach((gradient, i) => {
    const x = node.inputs[i];
    if (gradient !== undefined && needed.has(x.node)) accumulate(pending, x, gradient);
  });
}

/**
 * Gradients of a scalar with respect to `targets`.
 * @param loss f32 scalar  @returns one value per target, of its shape, f32
 * @throws SHAPE when an op on the way has no gradient
 */
export function grad(loss: Value, targets: readonly Value[]): Value[] {
  const order = topologicalOrder([loss]);
  const needed = dependents(order, targets);
  const pending: Pending = new Map();
  accumulate(pending, loss, constant(1, loss.shape));
  const wanted = new Set(targets.map(key));
  for (const node of order.reverse()) {
    if (!needed.has(node) || !pending.has(node)) continue;
    const isLeafTarget = node.inputs.length === 0 && wanted.has(`${node.id}:0`);
    if (!isLeafTarget) propagate(node, pending, needed);
  }
  return targets.map((target) => {
    const found = pending.get(target.node)?.[target.index];
    return found === undefined ? broadcastTo(constant(0), target.shape) : cast(found, "f32");
  });
}
