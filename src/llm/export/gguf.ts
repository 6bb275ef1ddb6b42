/**
 * The GGUF container, version 3, little-endian: magic, counts, metadata, tensor infos, padding,
 * then each tensor's bytes at a multiple of 32. Only the part before the bytes is made here.
 *
 *     "GGUF" u32 3 u64 tensors u64 entries
 *     entry:  string key, u32 type, value        string: u64 bytes, UTF-8
 *     tensor: string name, u32 dims, u64 × dims (innermost first), u32 type, u64 offset
 *
 * @see ggml/docs/gguf.md
 */
import type { NumberFormat } from "./number-format.ts";

export const ALIGNMENT = 32;

export type GgufValue =
  | { readonly type: "u32" | "f32" | "i32"; readonly value: number }
  | { readonly type: "bool"; readonly value: boolean }
  | { readonly type: "string"; readonly value: string }
  | { readonly type: "strings"; readonly value: readonly string[] }
  | { readonly type: "i32s"; readonly value: readonly number[] };

export interface GgufTensor {
  readonly name: string;
  /** Outermost first, as everywhere here. */
  readonly shape: readonly number[];
  readonly format: NumberFormat;
  readonly bytes: number;
}

/** Numbers of ggml's types. */
const TENSOR_TYPE: Readonly<Record<NumberFormat, number>> = {
  f32: 0,
  f16: 1,
  q4_0: 2,
  q8_0: 8,
  bf16: 30,
};

const [U32, I32, F32, BOOL, STRING, ARRAY] = [4, 5, 6, 7, 8, 9] as const;

const utf8 = new TextEncoder();

/** Bytes that grow. */
class Writer {
  #bytes = new Uint8Array(1 << 16);
  #view = new DataView(this.#bytes.buffer);
  length = 0;

  #room(bytes: number): number {
    const at = this.length;
    this.length += bytes;
    if (this.length > this.#bytes.length) {
      const larger = new Uint8Array(2 * this.length);
      larger.set(this.#bytes);
      this.#bytes = larger;
      this.#view = new DataView(larger.buffer);
    }
    return at;
  }

  u8(value: number): void {
    const at = this.#room(1);
    this.#bytes[at] = value;
  }

  u32(value: number): void {
    const at = this.#room(4);
    this.#view.setUint32(at, value, true);
  }

  i32(value: number): void {
    const at = this.#room(4);
    this.#view.setInt32(at, value, true);
  }

  f32(value: number): void {
    const at = this.#room(4);
    this.#view.setFloat32(at, value, true);
  }

  u64(value: number): void {
    const at = this.#room(8);
    this.#view.setBigUint64(at, BigInt(value), true);
  }

  string(text: string): void {
    const bytes = utf8.encode(text);
    this.u64(bytes.length);
    const at = this.#room(bytes.length);
    this.#bytes.set(bytes, at);
  }

  align(multiple: number): void {
    while (this.length % multiple !== 0) this.u8(0);
  }

  finish(): Uint8Array {
    return this.#bytes.subarray(0, this.length);
  }
}

const scalars: Readonly<
  Record<"u32" | "i32" | "f32", readonly [type: number, write: "u32" | "i32" | "f32"]>
> = { u32: [U32, "u32"], i32: [I32, "i32"], f32: [F32, "f32"] };

function writeValue(out: Writer, entry: GgufValue): void {
  if (entry.type === "string") {
    out.u32(STRING);
    out.string(entry.value);
  } else if (entry.type === "bool") {
    out.u32(BOOL);
    out.u8(entry.value ? 1 : 0);
  } else if (entry.type === "strings" || entry.type === "i32s") {
    out.u32(ARRAY);
    out.u32(entry.type === "strings" ? STRING : I32);
    out.u64(entry.value.length);
    for (const item of entry.value) {
      if (typeof item === "string") out.string(item);
      else out.i32(item);
    }
  } else {
    const [type, write] = scalars[entry.type];
    out.u32(type);
    out[write](entry.value);
  }
}

/** @returns everything before the tensors' bytes, which follow in this order, each `padding`-ed */
export function encodeGgufHeader(
  metadata: Readonly<Record<string, GgufValue>>,
  tensors: readonly GgufTensor[],
): Uint8Array {
  const out = new Writer();
  const entries = Object.entries(metadata);
  for (const byte of utf8.encode("GGUF")) out.u8(byte);
  out.u32(3);
  out.u64(tensors.length);
  out.u64(entries.length);
  for (const [key, value] of entries) {
    out.string(key);
    writeValue(out, value);
  }
  let offset = 0;
  for (const { name, shape, format, bytes } of tensors) {
    out.string(name);
    out.u32(shape.length);
    for (const size of [...shape].reverse()) out.u64(size);
    out.u32(TENSOR_TYPE[format]);
    out.u64(offset);
    offset += bytes + padding(bytes);
  }
  out.align(ALIGNMENT);
  return out.finish();
}

/** Zero bytes that follow a tensor of so many. */
export function padding(bytes: number): number {
  return (ALIGNMENT - (bytes % ALIGNMENT)) % ALIGNMENT;
}
