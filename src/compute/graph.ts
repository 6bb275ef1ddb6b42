/**
 * The dataflow graph: typed, static-shape, pure. Functions in `ops/` build nodes; nothing is
 * computed here. A node may have several outputs; a `Value` is one of them. Leaves are `input`
 * (given at each run), `state` (named, kept between runs, updated in place) and `constant`.
 */
import { NutshellError } from "../error.ts";

/** Storage types. bf16 values are computed in f32; sums are always f32. */
export type DType = "f32" | "bf16" | "i32";
export type Shape = readonly number[];

export interface TensorType {
  readonly shape: Shape;
  readonly dtype: DType;
}

/** One output of one node. */
export interface Value extends TensorType {
  readonly node: Node;
  readonly index: number;
}

// biome-ignore lint/suspicious/noExplicitAny: attributes are typed by each op's own definition
export interface Node<A = any> {
  readonly id: number;
  readonly op: Op<A>;
  readonly attrs: A;
  readonly inputs: readonly Value[];
  readonly outputs: readonly TensorType[];
}

/** What the reference backend computes on: f32 (or f64 on request) and i32; bf16 is rounded f32. */
export type Data = Float32Array | Float64Array | Int32Array;

export interface NoGradient {
  readonly none: string;
}

/** A gradient rule: output gradients in (undefined = zero), one gradient per input out. */
export type GradientRule<A> = (
  node: Node<A>,
  outGrads: readonly (Value | undefined)[],
) => readonly (Value | undefined)[];

/**
 * One operation. `kind` tells compilers how it moves data: `elementwise` has one scalar rule,
 * `view` only renames positions, `kernel` needs a routine of its own.
 */
// biome-ignore lint/suspicious/noExplicitAny: see Node
export interface Op<A = any> {
  readonly name: string;
  readonly kind: "leaf" | "elementwise" | "view" | "kernel";
  readonly infer: (inputs: readonly TensorType[], attrs: A) => readonly TensorType[];
  readonly reference: (inputs: readonly Data[], outputs: readonly Data[], node: Node<A>) => void;
  readonly gradient: GradientRule<A> | NoGradient;
  /** `donates[o] = i`: output o is written over the storage of input i. */
  readonly donates?: Readonly<Record<number, number>>;
  /** Elementwise only: the rule for one element, and the same rule as a C expression. */
  readonly scalar?: (x: readonly number[]) => number;
  readonly expression?: (x: readonly string[], node: Node<A>) => string;
  /** The same on vectors of f32, where the C of numbers does not do. */
  readonly lanes?: (x: readonly string[]) => string;
}

/** A program's specification: what to return, and which state to replace by which value. */
export interface Graph {
  readonly outputs: Readonly<Record<string, Value>>;
  readonly updates?: readonly { readonly state: Value; readonly value: Value }[];
}

let nextId = 0;

/** Applies an op; returns all of its outputs. @throws SHAPE when the operands do not fit */
export function applyAll<A>(op: Op<A>, inputs: readonly Value[], attrs: NoInfer<A>): Value[] {
  const outputs = op.infer(inputs, attrs);
  const node: Node<A> = { id: nextId++, op, attrs, inputs, outputs };
  return outputs.map((type, index) => ({ node, index, shape: type.shape, dtype: type.dtype }));
}

/** Applies an op that has one output. */
export function apply<A>(op: Op<A>, inputs: readonly Value[], attrs: NoInfer<A>): Value {
  return applyAll(op, inputs, attrs)[0];
}

export function shapeError(
  where: string,
  rule: string,
  types: readonly TensorType[],
): NutshellError {
  const got = types.map((t) => `${t.dtype} [${t.shape.join(", ")}]`).join(", ");
  return new NutshellError("SHAPE", `${where}: ${rule}, got ${got}.`);
}

const leaf = (name: string): Op<{ name: string; type: TensorType }> => ({
  name,
  kind: "leaf",
  infer: (_, attrs) => [attrs.type],
  reference: () => {},
  gradient: { none: "a leaf has no inputs" },
});
export const inputOp: Op<{ name: string; type: TensorType }> = leaf("input");
export const stateOp: Op<{ name: string; type: TensorType }> = leaf("state");
export const constantOp: Op<{ value: number; type: TensorType }> = {
  name: "constant",
  kind: "leaf",
  infer: (_, attrs) => [attrs.type],
  reference: (_, [out], node) => void out.fill(node.attrs.value),
  gradient: { none: "a leaf has no inputs" },
};

/** A value given at every run. */
export function input(name: string, shape: Shape, dtype: DType = "f32"): Value {
  return apply(inputOp, [], { name, type: { shape, dtype } });
}

/** A named tensor that lives in the program's store: a parameter, optimizer state, a KV cache. */
export function state(name: string, shape: Shape, dtype: DType = "f32"): Value {
  return apply(stateOp, [], { name, type: { shape, dtype } });
}

export function constant(value: number, shape: Shape = [], dtype: DType = "f32"): Value {
  return apply(constantOp, [], { value, type: { shape, dtype } });
}

/** Nodes that `roots` need, each after its inputs; iterative, since graphs are deep. */
export function topologicalOrder(roots: readonly Value[]): Node[] {
  const order: Node[] = [];
  const seen = new Set<Node>();
  const stack: { node: Node; next: number }[] = [];
  const visit = (node: Node): void => {
    if (seen.has(node)) return;
    seen.add(node);
    stack.push({ node, next: 0 });
  };
  for (const root of roots) {
    visit(root.node);
    while (stack.length > 0) {
      const top = stack[stack.length - 1];
      if (top.next < top.node.inputs.length) visit(top.node.inputs[top.next++].node);
      else order.push((stack.pop() as { node: Node }).node);
    }
  }
  return order;
}

export const sameType = (a: TensorType, b: TensorType): boolean =>
  a.dtype === b.dtype &&
  a.shape.length === b.shape.length &&
  a.shape.every((n, i) => n === b.shape[i]);

/** @throws SHAPE when an update has another type than its state, or one name has two types */
export function checkGraph(graph: Graph): void {
  for (const { state, value } of graph.updates ?? [])
    if (!sameType(state, value))
      throw shapeError(`update of "${state.node.attrs.name}"`, "types must be equal", [
        state,
        value,
      ]);
  const states = (graph.updates ?? []).map((update) => update.state);
  const named = new Map<string, Value>();
  for (const node of topologicalOrder([...graphRoots(graph), ...states])) {
    if (node.op !== inputOp && node.op !== stateOp) continue;
    const value = { node, index: 0, ...node.outputs[0] };
    const key = `${node.op.name} "${node.attrs.name}"`;
    const before = named.get(key) ?? value;
    if (!sameType(before, value))
      throw shapeError(key, "a name must stand for one type", [before, value]);
    named.set(key, value);
  }
}

export function graphRoots(graph: Graph): Value[] {
  return [...Object.values(graph.outputs), ...(graph.updates ?? []).map((update) => update.value)];
}
