/**
 * A compiled graph: its library, its buffers, the table of their addresses. A run is one native
 * call, made off the event loop.
 */
import koffi from "koffi";
import { NutshellError } from "../../../error.ts";
import type { HostArray, Program, ProgramPlan } from "../../backend.ts";
import { type Graph, graphRoots, type TensorType, topologicalOrder } from "../../graph.ts";
import { givenInput } from "../reference.ts";
import { Buffer, fromMemory, type Kernels, type Pointer, toMemory } from "./memory.node.ts";
import { bytesOf, type RenderedProgram } from "./render.ts";
import type { CStore } from "./store.node.ts";

/** The threads that run programs. */
export interface Team {
  readonly kernels: Kernels;
  readonly pointer: Pointer;
  readonly threads: number;
  /** A team serves one caller at a time: runs of all programs follow one another. */
  readonly enqueue: <T>(job: () => Promise<T>) => Promise<T>;
}

export class CProgram implements Program {
  readonly plan: ProgramPlan;
  readonly #rendered: RenderedProgram;
  readonly #inputs = new Map<string, { type: TensorType; buffer: Buffer }>();
  readonly #arena: Buffer;
  readonly #scratch: Buffer;
  readonly #table: Buffer;
  readonly #store: CStore;
  readonly #run: () => Promise<void>;
  #disposed = false;
  readonly #enqueue: Team["enqueue"];

  constructor(library: string, rendered: RenderedProgram, graph: Graph, store: CStore, team: Team) {
    const { kernels, threads } = team;
    const loaded = koffi.load(library);
    const native = loaded.func("void program_run(void* team, void* slots)");
    const scratchBytes = Number(loaded.func("size_t program_scratch(int threads)")(threads));
    this.#rendered = rendered;
    this.#enqueue = team.enqueue;
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
        native.async(team.pointer, this.#table.address, (error: unknown) =>
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
  async run(inputs: Readonly<Record<string, HostArray>> = {}): Promise<Record<string, HostArray>> {
    if (this.#disposed)
      throw new NutshellError("SHAPE", "run: the program must be in use, got a disposed one.");
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

  /** Frees its buffers once no run is under way; a later run is refused. */
  dispose(): void {
    if (this.#disposed) return;
    this.#disposed = true;
    void this.#enqueue(async () => this.#free());
  }
  #free(): void {
    const buffers = [...this.#inputs.values()].map(({ buffer }) => buffer);
    for (const buffer of [this.#arena, this.#scratch, this.#table, ...buffers]) buffer.dispose();
  }
}
