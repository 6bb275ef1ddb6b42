/**
 * The one interface between graphs and machines. A `Store` owns named state tensors (parameters,
 * optimizer state, caches) and outlives programs; a `Program` is one compiled graph bound to a
 * store. Backends: `reference` (plain JavaScript), `c` (compiled, CPU); a GPU fits the same door,
 * since every transfer is asynchronous and every shape is known when compiling.
 */
import type { Graph, TensorType } from "./graph.ts";

export type HostArray = Float32Array | Int32Array;

/** Elements [at, at + count) of a tensor. */
export interface StorePart {
  readonly at: number;
  readonly count: number;
}

export interface Store {
  /** Adds a zeroed tensor; the same name and type again is a no-op. */
  define(name: string, type: TensorType): void;
  names(): string[];
  type(name: string): TensorType;
  /** A copy of all elements, or of some that lie side by side; bf16 is widened to f32. */
  read(name: string, part?: StorePart): Promise<HostArray>;
  /** @param at the element where `data` begins; absent: `data` is the whole tensor */
  write(name: string, data: HostArray, at?: number): Promise<void>;
  /** As `read`, the bytes as they are stored: bf16 two an element, others four; little-endian. */
  readBytes(name: string, part?: StorePart): Promise<Uint8Array>;
  /** As `write`, bytes that `readBytes` gave. */
  writeBytes(name: string, bytes: Uint8Array, at?: number): Promise<void>;
  /** Bytes held. */
  bytes(): number;
  dispose(): void;
}

export interface ProgramPlan {
  /** The arena of intermediate values, after reuse by liveness. */
  readonly arenaBytes: number;
  /** The same values if none shared storage. */
  readonly unsharedBytes: number;
  /** Packing buffers and partial sums of kernels. */
  readonly scratchBytes: number;
  /** Native routines in one run. */
  readonly kernels: number;
}

export interface Program {
  readonly plan: ProgramPlan;
  /** Runs once. Inputs by name; returns copies of the outputs, bf16 widened to f32. */
  run(inputs?: Readonly<Record<string, HostArray>>): Promise<Record<string, HostArray>>;
  dispose(): void;
}

export interface Backend {
  readonly name: string;
  /** What it runs on, for cards and bench lines. */
  readonly description: string;
  createStore(): Store;
  compile(graph: Graph, store: Store): Promise<Program>;
  dispose(): void;
}
