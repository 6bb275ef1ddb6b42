/** Reads GGUF by its specification, apart from the writer: header, metadata, tensors as f32. */

type Scalar = number | bigint | boolean | string;

export interface GgufContent {
  readonly version: number;
  readonly metadata: ReadonlyMap<string, Scalar | readonly Scalar[]>;
  readonly tensors: ReadonlyMap<string, GgufTensor>;
}

export interface GgufTensor {
  /** Innermost first, as in the file. */
  readonly sizes: readonly number[];
  readonly type: number;
  /** From the start of the file. */
  readonly at: number;
  /** Values, blocks undone. */
  values(): Float32Array;
}

export function readGguf(bytes: Uint8Array): GgufContent {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let at = 0;
  const step = (size: number): number => {
    at += size;
    return at - size;
  };
  const u32 = (): number => view.getUint32(step(4), true);
  const u64 = (): number => Number(view.getBigUint64(step(8), true));
  const readText = (): string => {
    const length = u64();
    const start = step(length);
    return new TextDecoder().decode(bytes.subarray(start, start + length));
  };
  const readers: Readonly<Record<number, () => Scalar>> = {
    0: () => view.getUint8(step(1)),
    1: () => view.getInt8(step(1)),
    2: () => view.getUint16(step(2), true),
    3: () => view.getInt16(step(2), true),
    4: u32,
    5: () => view.getInt32(step(4), true),
    6: () => view.getFloat32(step(4), true),
    7: () => view.getUint8(step(1)) === 1,
    8: readText,
  };
  const value = (type: number): Scalar | readonly Scalar[] => {
    if (type !== 9) return (readers[type] as () => Scalar)();
    const [inner, count] = [u32(), u64()];
    return Array.from({ length: count }, () => (readers[inner] as () => Scalar)());
  };
  if (String.fromCharCode(...bytes.subarray(0, 4)) !== "GGUF") throw new Error("no GGUF");
  at = 4;
  const [version, tensorCount, entryCount] = [u32(), u64(), u64()];
  const metadata = new Map<string, Scalar | readonly Scalar[]>();
  for (let i = 0; i < entryCount; i++) {
    const key = readText();
    metadata.set(key, value(u32()));
  }
  const infos = Array.from({ length: tensorCount }, () => {
    const name = readText();
    const sizes = Array.from({ length: u32() }, u64);
    return { name, sizes, type: u32(), offset: u64() };
  });
  const alignment = Number(metadata.get("general.alignment") ?? 32);
  const start = Math.ceil(at / alignment) * alignment;
  const tensors = infos.map(({ name, sizes, type, offset }): [string, GgufTensor] => {
    const count = sizes.reduce((a, b) => a * b, 1);
    const from = start + offset;
    return [name, { sizes, type, at: from, values: () => decode(view, type, from, count) }];
  });
  return { version, metadata, tensors: new Map(tensors) };
}

/** ggml's types by number: bytes of a block, weights of a block, one weight of the block at `at`. */
const types: Readonly<
  Record<number, readonly [number, number, (v: DataView, at: number, i: number) => number]>
> = {
  0: [4, 1, (v, at) => v.getFloat32(at, true)],
  1: [2, 1, (v, at) => half(v.getUint16(at, true))],
  2: [
    18,
    32,
    (v, at, i) => {
      const pair = v.getUint8(at + 2 + (i % 16));
      return half(v.getUint16(at, true)) * ((i < 16 ? pair & 15 : pair >> 4) - 8);
    },
  ],
  8: [34, 32, (v, at, i) => half(v.getUint16(at, true)) * v.getInt8(at + 2 + i)],
  30: [
    2,
    1,
    (v, at) => new Float32Array(Uint32Array.of(v.getUint16(at, true) << 16).buffer)[0] as number,
  ],
};

function decode(view: DataView, type: number, from: number, count: number): Float32Array {
  const [bytes, block, weight] = types[type] as (typeof types)[number] & object;
  return Float32Array.from({ length: count }, (_, i) =>
    weight(view, from + Math.floor(i / block) * bytes, i % block),
  );
}

function half(bits: number): number {
  const sign = bits >> 15 ? -1 : 1;
  const exponent = (bits >> 10) & 31;
  const fraction = (bits & 1023) / 1024;
  return sign * (exponent === 0 ? fraction * 2 ** -14 : (1 + fraction) * 2 ** (exponent - 15));
}
