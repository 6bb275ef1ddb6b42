/**
 * The reference backend: plain JavaScript, one loop nest per op, sums in f64. Slow, runs anywhere,
 * and is the oracle for every other backend. With `precision: "f64"` it stores f64 and rounds
 * nothing, which finite differences need.
 */
import { NutshellError } from "../../error.ts";
import type { Backend, HostArray, Program, Store, StorePart } from "../backend.ts";
import {
  checkGraph,
  type Data,
  type Graph,
  graphRoots,
  type Node,
  sameType,
  shapeError,
  type TensorType,
  topologicalOrder,
  type Value,
} from "../graph.ts";
import { fromBf16, roundBf16, toBf16 } from "../numbers.ts";
import { sizeOf } from "../shape.ts";

type Precision = "f32" | "f64";

function allocate(type: TensorType, precision: Precision): Data {
  const size = sizeOf(type.shape);
  if (type.dtype === "i32") return new Int32Array(size);
  return precision === "f64" ? new Float64Array(size) : new Float32Array(size);
}

function roundIfNarrow(data: Data, type: TensorType): Data {
  if (type.dtype !== "bf16" || data instanceof Float64Array) return data;
  for (let i = 0; i < data.length; i++) data[i] = roundBf16(data[i]);
  return data;
}

/** The error of a name that is defined again as another type. */
export const otherType = (name: string, before: TensorType, type: TensorType): NutshellError =>
  shapeError(`store: "${name}"`, "a name must keep its type", [before, type]);

/** The error of a store that is written with another number of elements than it holds. */
export function wrongLength(name: string, type: TensorType, got: number): NutshellError {
  return new NutshellError(
    "SHAPE",
    `store: "${name}" must get [${type.shape.join(", ")}] elements, got ${got}.`,
  );
}

/** @throws SHAPE when elements are meant that the tensor does not have */
export function checkPart(name: string, type: TensorType, part: StorePart): StorePart {
  const { at, count } = part;
  const size = sizeOf(type.shape);
  const isWhole = Number.isInteger(at) && Number.isInteger(count);
  if (isWhole && at >= 0 && count >= 0 && at + count <= size) return part;
  throw new NutshellError(
    "SHAPE",
    `store: a part of "${name}" must lie in its ${size} elements, got ${count} from ${at} on.`,
  );
}

class ReferenceStore implements Store {
  readonly tensors: Map<string, { type: TensorType; data: Data }> = new Map();
  readonly precision: Precision;

  constructor(precision: Precision) {
    this.precision = precision;
  }
  define(name: string, type: TensorType): void {
    const before = this.tensors.get(name)?.type;
    if (before !== undefined && !sameType(before, type)) throw otherType(name, before, type);
    if (!this.tensors.has(name))
      this.tensors.set(name, { type, data: allocate(type, this.precision) });
  }
  names(): string[] {
    return [...this.tensors.keys()];
  }
  entry(name: string): { type: TensorType; data: Data } {
    const entry = this.tensors.get(name);
    if (entry === undefined)
      throw new NutshellError("SHAPE", `store: state must be defined before use, got "${name}".`);
    return entry;
  }
  type(name: string): TensorType {
    return this.entry(name).type;
  }
  async read(name: string, part?: StorePart): Promise<HostArray> {
    const { type, data } = this.entry(name);
    const { at, count } = checkPart(name, type, part ?? { at: 0, count: data.length });
    const taken = data.subarray(at, at + count);
    return taken instanceof Int32Array ? taken.slice() : Float32Array.from(taken);
  }
  async write(name: string, data: HostArray, at?: number): Promise<void> {
    const entry = this.entry(name);
    if (at === undefined && data.length !== entry.data.length)
      throw wrongLength(name, entry.type, data.length);
    checkPart(name, entry.type, { at: at ?? 0, count: data.length });
    entry.data.set(data, at);
    roundIfNarrow(entry.data.subarray(at, (at ?? 0) + data.length), entry.type);
  }
  async readBytes(name: string, part?: StorePart): Promise<Uint8Array> {
    const values = await this.read(name, part);
    const isNarrow = this.type(name).dtype === "bf16";
    return new Uint8Array((isNarrow ? toBf16(values) : values).buffer as ArrayBuffer);
  }
  async writeBytes(name: string, bytes: Uint8Array, at?: number): Promise<void> {
    const { buffer } = bytes.slice();
    const { dtype } = this.type(name);
    if (dtype === "bf16") await this.write(name, fromBf16(new Uint16Array(buffer)), at);
    else await this.write(name, new { f32: Float32Array, i32: Int32Array }[dtype](buffer), at);
  }
  bytes(): number {
    return [...this.tensors.values()].reduce((sum, { data }) => sum + data.byteLength, 0);
  }
  dispose(): void {
    this.tensors.clear();
  }
}

type Inputs = Readonly<Record<string, HostArray | Float64Array>>;

function leafData(node: Node, inputs: Inputs, store: ReferenceStore): Data {
  const [type] = node.outputs;
  if (node.op.name === "state") return store.entry(node.attrs.name).data;
  const data = allocate(type, store.precision);
  if (node.op.name === "constant") node.op.reference([], [data], node);
  else data.set(givenInput(node.attrs.name, type, inputs));
  return roundIfNarrow(data, type);
}

/** @throws SHAPE when a run lacks an input or gives one of another size */
export function givenInput(
  name: string,
  type: TensorType,
  inputs: Inputs,
): HostArray | Float64Array {
  const given = inputs[name];
  if (given?.length !== sizeOf(type.shape))
    throw new NutshellError(
      "SHAPE",
      `run: input "${name}" must have [${type.shape.join(", ")}] elements, got ${given?.length ?? "none"}.`,
    );
  return given;
}

/** Runs a graph once and returns raw outputs, f64 when the store is f64. */
function interpret(
  graph: Graph,
  order: readonly Node[],
  inputs: Inputs,
  store: ReferenceStore,
): Record<string, Data> {
  const values = new Map<Node, Data[]>();
  const get = (value: Value): Data => (values.get(value.node) as Data[])[value.index];
  for (const node of order) {
    if (node.op.kind === "leaf") {
      values.set(node, [leafData(node, inputs, store)]);
      continue;
    }
    const outputs = node.outputs.map((type) => allocate(type, store.precision));
    node.op.reference(node.inputs.map(get), outputs, node);
    outputs.forEach((data, i) => void roundIfNarrow(data, node.outputs[i]));
    values.set(node, outputs);
  }
  const results = Object.entries(graph.outputs).map(([name, v]) => [name, get(v).slice()] as const);
  // All new values are taken before the first is written: one may be another's old value.
  const updates = (graph.updates ?? []).map(
    ({ state, value }) => [state.node.attrs.name, get(value).slice()] as const,
  );
  for (const [name, data] of updates) store.entry(name).data.set(data);
  return Object.fromEntries(results);
}

class ReferenceProgram implements Program {
  readonly plan: Program["plan"];
  readonly #run: (inputs: Inputs) => Record<string, Data>;

  constructor(graph: Graph, store: ReferenceStore) {
    checkGraph(graph);
    const order = topologicalOrder(graphRoots(graph));
    for (const { state } of graph.updates ?? []) store.define(state.node.attrs.name, state);
    for (const node of order)
      if (node.op.name === "state") store.define(node.attrs.name, node.outputs[0]);
    const bytes = order.flatMap((n) => n.outputs).reduce((sum, t) => sum + 4 * sizeOf(t.shape), 0);
    this.plan = { arenaBytes: bytes, unsharedBytes: bytes, scratchBytes: 0, kernels: order.length };
    this.#run = (inputs) => interpret(graph, order, inputs, store);
  }
  async run(inputs: Inputs = {}): Promise<Record<string, HostArray>> {
    // Plain JavaScript would hold the event loop for a whole training: let Ctrl-C through.
    await new Promise((resolve) => setTimeout(resolve, 0));
    const raw = this.#run(inputs);
    // f64 results stay f64: only tests ask for that precision.
    return raw as Record<string, HostArray>;
  }
  dispose(): void {}
}

export function createReferenceBackend(options: { precision?: Precision } = {}): Backend {
  const precision = options.precision ?? "f32";
  return {
    name: "reference",
    description: `plain JavaScript, ${precision} storage, f64 sums, one thread`,
    createStore: () => new ReferenceStore(precision),
    compile: async (graph, store) => new ReferenceProgram(graph, store as ReferenceStore),
    dispose: () => {},
  };
}
