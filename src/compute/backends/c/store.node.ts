/** Named tensors in native memory. */
import { NutshellError } from "../../../error.ts";
import type { HostArray, Store, StorePart } from "../../backend.ts";
import { sameType, type TensorType } from "../../graph.ts";
import { sizeOf } from "../../shape.ts";
import { checkPart, otherType, wrongLength } from "../reference.ts";
import { Buffer, fromMemory, type Kernels, toMemory } from "./memory.node.ts";
import { bytesOf } from "./render.ts";

export class CStore implements Store {
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
  async read(name: string, part?: StorePart): Promise<HostArray> {
    const { type, buffer } = this.#entry(name);
    if (part === undefined) return fromMemory(buffer.view, 0, type);
    const { at, count } = checkPart(name, type, part);
    const offset = bytesOf({ ...type, shape: [at] });
    return fromMemory(buffer.view, offset, { ...type, shape: [count] });
  }
  async write(name: string, data: HostArray, at?: number): Promise<void> {
    const { type, buffer } = this.#entry(name);
    if (at === undefined && data.length !== sizeOf(type.shape))
      throw wrongLength(name, type, data.length);
    checkPart(name, type, { at: at ?? 0, count: data.length });
    toMemory(buffer.view, type, data, at);
  }
  async readBytes(name: string, part?: StorePart): Promise<Uint8Array> {
    const { type, buffer } = this.#entry(name);
    const { at, count } = checkPart(name, type, part ?? { at: 0, count: sizeOf(type.shape) });
    const width = bytesOf({ ...type, shape: [] });
    return new Uint8Array(buffer.view, at * width, count * width).slice();
  }
  async writeBytes(name: string, bytes: Uint8Array, at?: number): Promise<void> {
    const { type, buffer } = this.#entry(name);
    const width = bytesOf({ ...type, shape: [] });
    const count = bytes.length / width;
    if (at === undefined && count !== sizeOf(type.shape)) throw wrongLength(name, type, count);
    checkPart(name, type, { at: at ?? 0, count });
    new Uint8Array(buffer.view).set(bytes, (at ?? 0) * width);
  }
  bytes(): number {
    return [...this.#tensors.values()].reduce((sum, { buffer }) => sum + buffer.bytes, 0);
  }
  dispose(): void {
    for (const { buffer } of this.#tensors.values()) buffer.dispose();
    this.#tensors.clear();
  }
}
