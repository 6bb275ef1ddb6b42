/** The kernel library as the host sees it, and memory that both sides see. */
import koffi from "koffi";
import { NutshellError } from "../../../error.ts";
import type { HostArray } from "../../backend.ts";
import type { DType, TensorType } from "../../graph.ts";
import { fromBf16, toBf16 } from "../../numbers.ts";
import { sizeOf } from "../../shape.ts";

export type Pointer = unknown;
export interface Kernels {
  readonly path: string;
  readonly create: (bytes: number) => Pointer;
  readonly destroy: (buffer: Pointer, bytes: number) => void;
  readonly teamCreate: (threads: number) => Pointer;
  readonly teamDestroy: (team: Pointer) => void;
  readonly machine: () => string;
}

export function loadKernels(path: string): Kernels {
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
export class Buffer {
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

/** A copy of a tensor; bf16 is widened. */
export function fromMemory(view: ArrayBuffer, offset: number, type: TensorType): HostArray {
  const size = sizeOf(type.shape);
  if (type.dtype === "bf16") return fromBf16(new Uint16Array(view, offset, size));
  return type.dtype === "i32"
    ? new Int32Array(view, offset, size).slice()
    : new Float32Array(view, offset, size).slice();
}

/** Stores numbers as the tensor's dtype, from element `at` of its buffer on. */
export function toMemory(
  view: ArrayBuffer,
  type: TensorType,
  data: ArrayLike<number>,
  at: number = 0,
): void {
  const target: Record<DType, (view: ArrayBuffer) => void> = {
    f32: (v) => new Float32Array(v).set(data, at),
    i32: (v) => new Int32Array(v).set(data, at),
    bf16: (v) => new Uint16Array(v).set(toBf16(data), at),
  };
  target[type.dtype](view);
}
