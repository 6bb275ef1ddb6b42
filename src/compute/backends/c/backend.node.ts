/**
 * The C backend: renders a graph as C, compiles it with the system's compiler, loads it, and runs
 * it on a team of threads that lives as long as the backend. A run is one native call, made off
 * the event loop.
 */
import { availableParallelism } from "node:os";
import koffi from "koffi";
import { NutshellError } from "../../../error.ts";
import type { Backend, HostArray, Program, ProgramPlan, Store } from "../../backend.ts";
import type { DType, Graph, TensorType } from "../../graph.ts";
import { checkGraph, graphRoots, sameType, stateOp, topologicalOrder } from "../../graph.ts";
import { fromBf16, toBf16 } from "../../numbers.ts";
import { sizeOf } from "../../shape.ts";
import { givenInput, otherType, wrongLength } from "../reference.ts";
import { bytesOf, type RenderedProgram, renderProgram } from "./render.ts";
import { findToolchain, kernelLibrary, programLibrary, type Toolchain } from "./toolchain.node.ts";

export interface CBackendOptions {
  /** Default: one per core. */
  readonly threads?: number;
  /** Compiler flags that choose the CPU, in place of `-march=native`. */
  readonly machine?: readonly string[];
}

type Pointer = unknown;
interface Kernels {
  readonly path: string;
  readonly create: (bytes: number) => Pointer;
  readonly destroy: (buffer: Pointer, bytes: number) => void;
  readonly teamCreate: (threads: number) => Pointer;
  readonly teamDestroy: (team: Pointer) => void;
  readonly machine: () => string;
}

function loadKernels(path: string): Kernels {
  const library = koffi.load(path);
  return {
    path,
    create: library.func("void* buffer_create(size_t bytes)"),
    destroy: library.func("void buffer_destroy(void* buffer, size_t bytes)"),
    teamCreate: library.func("void* team_create(int threads)"),
    teamDestroy: library.func("void team_destroy(void* team)"),
    machine: library.func("const char* machine_name()"),
  };
}

/** Memory outside the JavaScript heap, seen by both sides. */
class Buffer {
  readonly #kernels: Kernels;
  #pointer: Pointer;
  readonly bytes: number;
  readonly address: bigint;
  readonly view: ArrayBuffer;

  constructor(kernels: Kernels, bytes: number) {
    this.#kernels = kernels;
    this.bytes = Math.max(64, bytes);
    const pointer = kernels.create(this.bytes);
    this.#pointer = pointer;
    if (pointer === null || pointer === undefined)
      throw new NutshellError(
        "SHAPE",
        `c backend: the system must give ${this.bytes} bytes, got none. Use a smaller batch, context or model.`,
      );
    this.address = koffi.address(pointer);
    this.view = koffi.view(pointer, this.bytes);
  }
  dispose(): void {
    if (this.#pointer !== undefined) this.#kernels.destroy(this.#pointer, this.bytes);
    this.#pointer = undefined;
  }
}

function fromMemory(view: ArrayBuffer, offset: number, type: TensorType): HostArray {
  const size = sizeOf(type.shape);
  if (type.dtype === "bf16") return fromBf16(new Uint16Array(view, offset, size));
  return type.dtype === "i32"
    ? new Int32Array(view, offset, size).slice()
    : new Float32Array(view, offset, size).slice();
}

function toMemory(view: ArrayBuffer, type: TensorType, data: ArrayLike<number>): void {
  const target: Record<DType, (view: ArrayBuffer) => void> = {
    f32: (v) => new Float32Array(v).set(data),
    i32: (v) => new Int32Array(v).set(data),
    bf16: (v) => new Uint16Array(v).set(toBf16(data)),
  };
  target[type.dtype](view);
}

class CStore implements Store {
  readonly #kernels: Kernels;
  readonly #tensors = new Map<string, { type: TensorType; buffer: Buffer }>();

  constructor(kernels: Kernels) {
    this.#kernels = kernels;
  }
  define(name: string, type: TensorType): void {
    const before = this.#tensors.get(name)?.type;
    if (before !== undefined && !sameType(before, type)) throw otherType(name, before, type);
    if (before !== undefined) return;
    this.#tensors.set(name, { type, buffer: new Buffer(this.#kernels, bytesOf(type)) });
  }
  names(): string[] {
    return [...this.#tensors.keys()];
  }
  #entry(name: string): { type: TensorType; buffer: Buffer } {
    const entry = this.#tensors.get(name);
    if (entry !== undefined) return entry;
    throw new NutshellError("SHAPE", `store: state must be defined before use, got "${name}".`);
  }
  type(name: string): TensorType {
    return this.#entry(name).type;
  }
  address(name: string): bigint {
    return this.#entry(name).buffer.address;
  }
  async read(name: string): Promise<HostArray> {
    const { type, buffer } = this.#entry(name);
    return fromMemory(buffer.view, 0, type);
  }
  async write(name: string, data: HostArray): Promise<void> {
    const { type, buffer } = this.#entry(name);
    if (data.length !== sizeOf(type.shape)) throw wrongLength(name, type, data.length);
    toMemory(buffer.view, type, data);
  }
  bytes(): number {
    return [...this.#tensors.values()].reduce((sum, { buffer }) => sum + buffer.bytes, 0);
  }
  dispose(): void {
    for (const { buffer } of this.#tensors.values()) buffer.dispose();
    this.#tensors.clear();
  }
}

class CProgram implements Program {
  readonly plan: ProgramPlan;
  readonly #rendered: RenderedProgram;
  readonly #inputs = new Map<string, { type: TensorType; buffer: Buffer }>();
  readonly #arena: Buffer;
  readonly #scratch: Buffer;
  readonly #table: Buffer;
  readonly #store: CStore;
  readonly #run: () => Promise<void>;
  readonly #enqueue: Resources["enqueue"];

  constructor(
    library: string,
    rendered: RenderedProgram,
    graph: Graph,
    store: CStore,
    backend: Resources,
  ) {
    const { kernels, team, threads } = backend;
    const loaded = koffi.load(library);
    const native = loaded.func("void program_run(void* team, void* slots)");
    const scratchBytes = Number(loaded.func("size_t program_scratch(int threads)")(threads));
    this.#rendered = rendered;
    this.#enqueue = backend.enqueue;
    for (const node of topologicalOrder(graphRoots(graph)))
      if (node.op.name === "input") {
        const [type] = node.outputs;
        this.#inputs.set(node.attrs.name, { type, buffer: new Buffer(kernels, bytesOf(type)) });
      }
    this.#arena = new Buffer(kernels, rendered.arenaBytes);
    this.#scratch = new Buffer(kernels, scratchBytes);
    this.#table = new Buffer(kernels, 8 * (rendered.slots.length + 1));
    this.#store = store;
    this.#bind();
    const { arenaBytes, unsharedBytes, kernels: count } = rendered;
    this.plan = { arenaBytes, unsharedBytes, scratchBytes, kernels: count };
    this.#run = () =>
      new Promise((resolve, reject) => {
        native.async(team, this.#table.address, (error: unknown) =>
          error ? reject(error) : resolve(),
        );
      });
  }

  #bind(): void {
    const table = new BigUint64Array(this.#table.view, 0, this.#rendered.slots.length + 1);
    this.#rendered.slots.forEach(({ home, offset }, i) => {
      if (home.kind === "arena") table[i] = this.#arena.address + BigInt(offset);
      else if (home.kind === "state") table[i] = this.#store.address(home.name);
      else table[i] = (this.#inputs.get(home.name) as { buffer: Buffer }).buffer.address;
    });
    table[this.#rendered.slots.length] = this.#scratch.address;
  }
  run(inputs: Readonly<Record<string, HostArray>> = {}): Promise<Record<string, HostArray>> {
    return this.#enqueue(() => this.#once(inputs));
  }

  async #once(inputs: Readonly<Record<string, HostArray>>): Promise<Record<string, HostArray>> {
    for (const [name, { type, buffer }] of this.#inputs)
      toMemory(buffer.view, type, givenInput(name, type, inputs));
    await this.#run();
    const results = Object.entries(this.#rendered.outputs).map(
      async ([name, { slot, type }]) => [name, await this.#output(slot, type)] as const,
    );
    return Object.fromEntries(await Promise.all(results));
  }

  async #output(slot: number, type: TensorType): Promise<HostArray> {
    const { home, offset } = this.#rendered.slots[slot];
    if (home.kind === "arena") return fromMemory(this.#arena.view, offset, type);
    if (home.kind === "state") return this.#store.read(home.name);
    return fromMemory((this.#inputs.get(home.name) as { buffer: Buffer }).buffer.view, 0, type);
  }

  dispose(): void {
    const buffers = [...this.#inputs.values()].map(({ buffer }) => buffer);
    for (const buffer of [this.#arena, this.#scratch, this.#table, ...buffers]) buffer.dispose();
  }
}

interface Resources {
  readonly kernels: Kernels;
  readonly team: Pointer;
  readonly threads: number;
  /** The team serves one caller at a time: runs of all programs follow one another. */
  readonly enqueue: <T>(job: () => Promise<T>) => Promise<T>;
}

function createQueue(): Resources["enqueue"] {
  let last: Promise<unknown> = Promise.resolve();
  return (job) => {
    const result = last.then(job, job);
    last = result.catch(() => {}); // The caller sees the failure; the next run goes ahead.
    return result;
  };
}

async function compileProgram(
  graph: Graph,
  store: Store,
  toolchain: Toolchain,
  backend: Resources,
): Promise<Program> {
  checkGraph(graph);
  const replaced = (graph.updates ?? []).map(({ state }) => state.node);
  for (const node of [...topologicalOrder(graphRoots(graph)), ...replaced])
    if (node.op === stateOp) store.define(node.attrs.name, node.outputs[0]);
  const rendered = renderProgram(graph);
  const library = await programLibrary(toolchain, rendered.source, backend.kernels.path);
  return new CProgram(library, rendered, graph, store as CStore, backend);
}

/** @throws TOOLCHAIN when there is no C compiler, or it refuses the kernels */
export async function createCBackend(options: CBackendOptions = {}): Promise<Backend> {
  const toolchain = await findToolchain(options.machine);
  const kernels = loadKernels(await kernelLibrary(toolchain));
  const threads = options.threads ?? availableParallelism();
  const team = kernels.teamCreate(threads);
  const resources: Resources = { kernels, team, threads, enqueue: createQueue() };
  return {
    name: "c",
    description: `C (${toolchain.compiler}), ${kernels.machine()}, ${threads} threads`,
    createStore: () => new CStore(kernels),
    compile: (graph, store) => compileProgram(graph, store, toolchain, resources),
    dispose: () => kernels.teamDestroy(team),
  };
}
