/**
 * Schedule → one C file. `program_run(team, slots)` runs the whole program on a team of workers:
 * every worker executes the same sequence of units and each unit ends at a barrier. `slots` is the
 * table of buffer addresses: inputs, state tensors, places in the arena; the last is scratch.
 */
import { storageOf } from "../../compiler/access.ts";
import { fuse, isProduct, type Unit } from "../../compiler/fuse.ts";
import { align, type Lifetime, planMemory } from "../../compiler/memory-plan.ts";
import { type Copy, type Home, readsOf, type Schedule, schedule } from "../../compiler/schedule.ts";
import { keyOf, simplify } from "../../compiler/simplify.ts";
import type { Graph, TensorType, Value } from "../../graph.ts";
import { sizeOf } from "../../shape.ts";
import { type Call, lowerings } from "./lowering.ts";
import { renderEpilogue } from "./render-epilogue.ts";
import { type LoopContext, renderLoop } from "./render-loop.ts";
import { type Destination, matmulCall, quantLinearCall } from "./render-matmul.ts";
import { renderPad } from "./render-pad.ts";
import { renderReduce } from "./render-reduce.ts";

/** Where the host finds a program's buffers. */
export interface Slot {
  readonly home: Home;
  readonly bytes: number;
  /** In the arena only. */
  readonly offset: number;
}

export interface RenderedProgram {
  readonly source: string;
  readonly slots: readonly Slot[];
  /** Slot of each output, with its type. */
  readonly outputs: Readonly<Record<string, { slot: number; type: TensorType }>>;
  readonly arenaBytes: number;
  readonly unsharedBytes: number;
  readonly kernels: number;
}

export const bytesOf = (type: TensorType): number =>
  sizeOf(type.shape) * (type.dtype === "bf16" ? 2 : 4);

const homeKey = (home: Home): string =>
  home.kind === "arena" ? home.key : `${home.kind} ${home.name}`;

/** When each arena value must exist: from the unit that makes it to the last that reads it. */
class Lifetimes {
  readonly #spans = new Map<string, { bytes: number; first: number; last: number }>();

  touch(home: Home | undefined, type: TensorType, step: number): void {
    if (home?.kind !== "arena") return;
    const span = this.#spans.get(home.key) ?? { bytes: bytesOf(type), first: step, last: step };
    this.#spans.set(home.key, {
      bytes: span.bytes,
      first: Math.min(span.first, step),
      last: Math.max(span.last, step),
    });
  }
  all(): Lifetime[] {
    return [...this.#spans].map(([key, span]) => ({ key, ...span }));
  }
}

/**
 * Generated functions, one of each kind: those that differ in the buffers they touch only become
 * one function with a table of slots. A deep model then compiles as fast as one layer.
 */
class FunctionTable {
  readonly #names = new Map<string, string>();

  add(lines: readonly string[]): { name: string; at: string } {
    const slots: string[] = [];
    const source = lines.join("\n").replace(/\bs\[(\d+)\]/g, (_, slot: string) => {
      if (!slots.includes(slot)) slots.push(slot);
      return `s[at[${slots.indexOf(slot)}]]`;
    });
    const name = this.#names.get(source) ?? `unit${this.#names.size}`;
    this.#names.set(source, name);
    return { name, at: `(const int[]){${slots.join(", ")}}` };
  }
  sources(): string[] {
    return [...this.#names].map(([source, name]) => source.replaceAll("NAME", name));
  }
}

class ProgramRenderer {
  readonly graph: Graph;
  readonly fusion: ReturnType<typeof fuse>;
  readonly plan: Schedule;
  readonly slots: Slot[] = [];
  readonly #slotOf = new Map<string, number>();
  readonly functions: FunctionTable = new FunctionTable();
  readonly calls: string[] = [];
  readonly scratch: string[] = [];
  readonly #read: ReadonlySet<string>;

  constructor(graph: Graph) {
    this.graph = simplify(graph);
    this.fusion = fuse(this.graph);
    this.plan = schedule(this.graph, this.fusion);
    this.#read = this.#storedReads();
  }

  /** Values that are read from storage: a matmul's product may live in its epilogue alone. */
  #storedReads(): Set<string> {
    const read = new Set<string>();
    for (const unit of this.fusion.units)
      for (const { base } of readsOf(unit, this.fusion)) read.add(keyOf(base));
    for (const value of Object.values(this.graph.outputs)) read.add(keyOf(storageOf(value)));
    for (const { value } of this.graph.updates ?? []) read.add(keyOf(storageOf(value)));
    return read;
  }

  /** Everything that a unit writes to storage. */
  writesOf(unit: Unit): Value[] {
    const outputs =
      unit.kind === "loop"
        ? []
        : unit.node.outputs.map((type, index) => ({ node: unit.node, index, ...type }));
    const kept = outputs.filter((v) => unit.results.length === 0 || this.#read.has(keyOf(v)));
    return [...kept, ...unit.results];
  }

  homeOf(value: Value): Home {
    const key = keyOf(storageOf(value));
    return this.plan.homes.get(key) ?? { kind: "arena", key };
  }

  layOut(): { arenaBytes: number; unsharedBytes: number } {
    const lives = new Lifetimes();
    const end = this.plan.sequence.length;
    const touch = (copies: readonly Copy[], step: number): void => {
      for (const copy of copies)
        for (const home of [copy.from, copy.to]) lives.touch(home, copy.type, step);
    };
    touch(this.plan.snapshots, -1);
    this.plan.sequence.forEach((unit, step) => {
      touch(this.plan.before.get(unit) ?? [], step);
      for (const { base } of readsOf(unit, this.fusion)) lives.touch(this.homeOf(base), base, step);
      for (const value of this.writesOf(unit)) lives.touch(this.homeOf(value), value, step);
    });
    touch(this.plan.copies, end);
    for (const [name, home] of Object.entries(this.plan.outputs))
      lives.touch(home, this.graph.outputs[name], end);
    const all = lives.all();
    const memory = planMemory(all);
    for (const { key, bytes } of all)
      this.addSlot({ kind: "arena", key }, bytes, memory.offsets.get(key) as number);
    const unsharedBytes = all.reduce((sum, { bytes }) => sum + align(bytes), 0);
    return { arenaBytes: memory.bytes, unsharedBytes };
  }

  addSlot(home: Home, bytes: number, offset = 0): number {
    const key = homeKey(home);
    const found = this.#slotOf.get(key);
    if (found !== undefined) return found;
    this.#slotOf.set(key, this.slots.length);
    return this.slots.push({ home, bytes, offset }) - 1;
  }

  slot(home: Home, type: TensorType): string {
    return `s[${this.addSlot(home, bytesOf(type))}]`;
  }
  address = (value: Value): string => this.slot(this.homeOf(value), storageOf(value));

  copy = ({ from, to, type }: Copy): string =>
    `copy_bytes(w, ${this.slot(to, type)}, ${this.slot(from, type)}, ${bytesOf(type)});`;

  context(unit: Unit): LoopContext {
    const own = (value: Value): boolean => this.fusion.makers.get(keyOf(value)) === unit;
    return { address: this.address, stored: this.fusion.stored, own };
  }

  product(unit: Unit): Call {
    const [product] = this.writesOf({ ...unit, results: [] });
    const bare = unit.results.length === 0;
    if (bare && product.dtype === "f32")
      return this.productInto(unit, { address: this.address(product) });
    const keeps = bare || this.#read.has(keyOf(product));
    const epilogue = this.functions.add(renderEpilogue(unit, keeps, this.context(unit)));
    return this.productInto(unit, { epilogue });
  }

  productInto({ node }: Unit, destination: Destination): Call {
    const [a, b, scales] = node.inputs.map(this.address);
    if (node.op.name === "quantLinear") return quantLinearCall(node, [a, b, scales], destination);
    return matmulCall(node, [a, b], destination);
  }

  render(unit: Unit): void {
    for (const copy of this.plan.before.get(unit) ?? []) this.calls.push(this.copy(copy));
    const { statement, scratch } = this.call(unit);
    this.calls.push(`${statement} /* ${unit.node.op.name} */`);
    if (scratch !== undefined) this.scratch.push(scratch);
  }

  call(unit: Unit): Call {
    const { node } = unit;
    const c = this.context(unit);
    const invoke = (lines: readonly string[]): string => {
      const { name, at } = this.functions.add(lines);
      return `${name}(w, s, ${at});`;
    };
    if (unit.kind === "loop") return { statement: invoke(renderLoop(unit, c)) };
    if (unit.kind === "reduce") {
      const { lines, scratch } = renderReduce(unit, c);
      return { statement: invoke(lines), scratch };
    }
    if (isProduct(node)) return this.product(unit);
    if (node.op.name !== "pad") return this.kernel(unit);
    return { statement: invoke(renderPad(node, c, this.address(node.inputs[0]))) };
  }

  kernel(unit: Unit): Call {
    const { node } = unit;
    const lowering = lowerings[node.op.name];
    if (lowering === undefined)
      throw new Error(`c backend: op ${node.op.name} must have a lowering`);
    return lowering(node, {
      inputs: node.inputs.map(this.address),
      outputs: node.outputs.map((type, index) => this.address({ node, index, ...type })),
      scratch: "SCRATCH",
    });
  }

  program(): RenderedProgram {
    const memory = this.layOut();
    for (const copy of this.plan.snapshots) this.calls.push(this.copy(copy));
    for (const unit of this.plan.sequence) this.render(unit);
    for (const copy of this.plan.copies) this.calls.push(this.copy(copy));
    const outputs = Object.entries(this.plan.outputs).map(([name, home]) => {
      const { shape, dtype } = this.graph.outputs[name];
      const slot = this.addSlot(home, bytesOf(this.graph.outputs[name]));
      return [name, { slot, type: { shape, dtype } }] as const;
    });
    return {
      ...memory,
      source: this.source(),
      slots: this.slots,
      outputs: Object.fromEntries(outputs),
      kernels: this.calls.length,
    };
  }

  source(): string {
    return [
      '#include "kernels.h"',
      `#define SCRATCH s[${this.slots.length}]`,
      "typedef struct { void** slots; long base; const int* at; } Environment;",
      "",
      ...this.functions.sources(),
      "",
      "static void body(Worker* w, void* slots) {",
      "  void** s = slots;",
      "  const FloatMode mode = flush_denormals();",
      ...this.calls.map((line) => `  ${line}`),
      "  restore_float_mode(mode);",
      "}",
      "",
      "void program_run(Pool* team, void** slots) { team_run(team, body, slots); }",
      "",
      "size_t program_scratch(int threads) {",
      "  size_t top = 64;",
      ...[...new Set(this.scratch)].map((x) => `  top = larger(top, ${x});`),
      "  return top;",
      "}",
      "",
    ].join("\n");
  }
}

export function renderProgram(graph: Graph): RenderedProgram {
  return new ProgramRenderer(graph).program();
}
