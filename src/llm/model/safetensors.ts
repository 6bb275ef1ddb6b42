/**
 * The safetensors format: 8 bytes little-endian header length, a JSON header
 * `{"NAME": {"dtype", "shape", "data_offsets": [start, end]}, "__metadata__": {…}}` padded with
 * spaces to 8 bytes, then the tensors' bytes without gaps. Only the header is handled here, and
 * the bytes of one tensor: files may be larger than memory.
 *
 * A header is believed only when every number in it agrees with the others and with the file's
 * size, so that a torn or foreign file is refused before a byte of it is used.
 */
import { fromBf16, fromF16, toBf16 } from "../../compute/numbers.ts";
import { sizeOf } from "../../compute/shape.ts";
import { NutshellError } from "../../error.ts";

/** I8 only as whole numbers that a tensor of scales belongs to: quantized-tensor.ts. */
export type StoredDType = "F32" | "BF16" | "F16" | "I8";

export interface StoredTensor {
  readonly name: string;
  readonly dtype: StoredDType;
  readonly shape: readonly number[];
}

export interface PlacedTensor extends StoredTensor {
  /** Bytes from the start of the file. */
  readonly offset: number;
  readonly bytes: number;
}

const WIDTH: Readonly<Record<StoredDType, number>> = { F32: 4, BF16: 2, F16: 2, I8: 1 };
/** The format's own limit. */
const MAX_HEADER_BYTES = 100_000_000;
export const LENGTH_BYTES = 8;

const byteLength = ({ dtype, shape }: StoredTensor): number => WIDTH[dtype] * sizeOf(shape);

/** @returns length and header for tensors that follow in this order, without gaps */
export function encodeHeader(
  tensors: readonly StoredTensor[],
  metadata: Readonly<Record<string, string>> = {},
): Uint8Array {
  const entries: [string, unknown][] = [["__metadata__", { format: "pt", ...metadata }]];
  let end = 0;
  for (const tensor of tensors) {
    const start = end;
    end += byteLength(tensor);
    const { dtype, shape } = tensor;
    entries.push([tensor.name, { dtype, shape, data_offsets: [start, end] }]);
  }
  const json = new TextEncoder().encode(JSON.stringify(Object.fromEntries(entries)));
  const length = Math.ceil(json.length / 8) * 8;
  const out = new Uint8Array(LENGTH_BYTES + length).fill(0x20);
  new DataView(out.buffer).setBigUint64(0, BigInt(length), true);
  out.set(json, LENGTH_BYTES);
  return out;
}

/**
 * @param head the file's first 8 bytes  @param fileBytes its size  @param where its path
 * @returns bytes of the JSON header  @throws CHECKPOINT when no header of that length can be there
 */
export function headerLength(head: Uint8Array, fileBytes: number, where: string): number {
  if (head.length < LENGTH_BYTES)
    throw refused(where, `a header needs ${LENGTH_BYTES} bytes, got ${head.length}`);
  const length = Number(new DataView(head.buffer, head.byteOffset).getBigUint64(0, true));
  const room = Math.min(MAX_HEADER_BYTES, fileBytes - LENGTH_BYTES);
  if (length < 2 || length > room)
    throw refused(where, `header length must be 2 to ${room} bytes, got ${length}`);
  return length;
}

/**
 * @param json the header's bytes, of the length that `headerLength` gave
 * @returns tensors in the order of their bytes
 * @throws CHECKPOINT for a header that is not JSON, has a duplicate or unknown entry, or whose
 *   tensors overlap, leave gaps, or do not end where the file ends
 */
export function parseHeader(json: Uint8Array, fileBytes: number, where: string): PlacedTensor[] {
  const text = decodeText(json, where);
  const header = parseObject(text, where);
  const seen = new Set<string>();
  for (const key of topLevelKeys(text)) {
    if (seen.has(key)) throw refused(where, `tensor names must differ, got "${key}" twice`);
    seen.add(key);
  }
  const start = LENGTH_BYTES + json.length;
  const placed = Object.entries(header)
    .filter(([name]) => name !== "__metadata__")
    .map(([name, entry]) => placeTensor(name, entry, start, where))
    .sort((a, b) => a.offset - b.offset || a.bytes - b.bytes);
  checkCover(placed, start, fileBytes, where);
  return placed;
}

function refused(where: string, what: string): NutshellError {
  return new NutshellError(
    "CHECKPOINT",
    `${where}: ${what}. The file is damaged or not a safetensors file; use another checkpoint.`,
  );
}

function decodeText(json: Uint8Array, where: string): string {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(json);
  } catch {
    throw refused(where, "the header must be UTF-8, got other bytes");
  }
}

function parseObject(text: string, where: string): object {
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch {
    throw refused(where, `the header must be JSON, got ${JSON.stringify(text.slice(0, 40))}`);
  }
  if (typeof parsed === "object" && parsed !== null && !Array.isArray(parsed)) return parsed;
  throw refused(where, `the header must be an object, got ${JSON.stringify(text.slice(0, 40))}`);
}

/** Keys of a JSON object as written, duplicates included, which JSON.parse would merge. */
function* topLevelKeys(text: string): Generator<string> {
  let depth = 0;
  for (const [token] of text.matchAll(/"(?:[^"\\]|\\.)*"(?:\s*:)?|[{}[\]]/g)) {
    if (token === "{" || token === "[") depth++;
    else if (token === "}" || token === "]") depth--;
    else if (depth === 1 && token.endsWith(":")) yield JSON.parse(token.slice(0, -1)) as string;
  }
}

function placeTensor(name: string, entry: unknown, start: number, where: string): PlacedTensor {
  const { dtype, shape, data_offsets: offsets } = (entry ?? {}) as Record<string, unknown>;
  if (typeof dtype !== "string" || !Object.hasOwn(WIDTH, dtype))
    throw refused(
      where,
      `${name}: dtype must be F32, BF16, F16 or I8, got ${JSON.stringify(dtype)}`,
    );
  if (!isSizes(shape))
    throw refused(where, `${name}: shape must be a list of sizes, got ${JSON.stringify(shape)}`);
  if (!isSizes(offsets) || offsets.length !== 2)
    throw refused(where, `${name}: data_offsets must be two, got ${JSON.stringify(offsets)}`);
  const [from, to] = offsets as [number, number];
  const tensor = { name, dtype: dtype as StoredDType, shape };
  const bytes = byteLength(tensor);
  if (to - from !== bytes)
    throw refused(where, `${name}: ${dtype} [${shape}] must have ${bytes} bytes, got ${to - from}`);
  return { ...tensor, offset: start + from, bytes };
}

function isSizes(value: unknown): value is number[] {
  return Array.isArray(value) && value.every((n) => Number.isSafeInteger(n) && n >= 0);
}

function checkCover(
  placed: readonly PlacedTensor[],
  start: number,
  fileBytes: number,
  where: string,
): void {
  let at = start;
  for (const { name, offset, bytes } of placed) {
    if (offset !== at)
      throw refused(
        where,
        `${name}: must start at byte ${at} without gap or overlap, got ${offset}`,
      );
    at += bytes;
  }
  if (at !== fileBytes) throw refused(where, `file must have ${at} bytes, got ${fileBytes}`);
}

/** The bytes that a file holds for `values`. */
export function encodeTensor(values: Float32Array, dtype: "F32" | "BF16"): Uint8Array {
  const words = dtype === "F32" ? values : toBf16(values);
  return new Uint8Array(words.buffer, words.byteOffset, words.byteLength);
}

/** @param bytes one tensor's bytes  @returns f32 values; the narrow types widen exactly */
export function decodeTensor(bytes: Uint8Array, dtype: StoredDType): Float32Array {
  // A typed array must start at a multiple of its width, which a slice of a file need not.
  const own = bytes.slice().buffer;
  if (dtype === "F32") return new Float32Array(own);
  if (dtype === "I8") return Float32Array.from(new Int8Array(own));
  const words = new Uint16Array(own);
  return dtype === "BF16" ? fromBf16(words) : Float32Array.from(words, fromF16);
}
