/**
 * A timeline as bytes: eight letters, the length of a header, the header as JSON, ids (i32), keys
 * and values as they are stored, SHA-256 of all before it. Keys and values lie token by token for
 * each tensor of the cache, so that engines with other pages read them too. Little-endian.
 */
import { NutshellError } from "../../error.ts";

export interface KvState {
  /** Of the weights that made it. */
  readonly fingerprint: string;
  readonly ids: readonly number[];
  /** Leading ids that `tensors` hold. */
  readonly computed: number;
  readonly dtype: "f32" | "bf16";
  /** Bytes of [computed, size] each, as they are stored. */
  readonly tensors: readonly Uint8Array[];
}

const MAGIC = "NUTSNAP1";
const CHECKSUM_BYTES = 32;

interface Header {
  readonly fingerprint: string;
  readonly length: number;
  readonly computed: number;
  readonly dtype: KvState["dtype"];
  readonly tensors: number;
  /** Numbers of one token in one tensor. */
  readonly size: number;
}

export async function encodeSnapshot(state: KvState): Promise<Uint8Array> {
  const { fingerprint, ids, computed, dtype, tensors } = state;
  const size = computed === 0 ? 0 : (tensors[0]?.length ?? 0) / computed / widthOf(dtype);
  const counts = { length: ids.length, computed, tensors: tensors.length, size };
  const header: Header = { fingerprint, dtype, ...counts };
  const text = new TextEncoder().encode(JSON.stringify(header));
  const parts = [
    new TextEncoder().encode(MAGIC),
    bytesOf(Uint32Array.of(text.length)),
    text,
    bytesOf(Int32Array.from(ids)),
    ...tensors,
  ];
  const total = parts.reduce((sum, { length }) => sum + length, 0);
  const bytes = new Uint8Array(total + CHECKSUM_BYTES);
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  bytes.set(await checksum(bytes.subarray(0, total)), total);
  return bytes;
}

/** @throws CHECKPOINT when the bytes are not those of a whole snapshot of these weights */
export async function decodeSnapshot(given: Uint8Array, fingerprint: string): Promise<KvState> {
  // Of a file's Buffer, `slice` would be no copy.
  const bytes = new Uint8Array(given.buffer, given.byteOffset, given.length);
  const body = bytes.subarray(0, Math.max(0, bytes.length - CHECKSUM_BYTES));
  const wanted = await checksum(body);
  const textAt = MAGIC.length + 4;
  const magic = new TextDecoder().decode(body.subarray(0, MAGIC.length));
  if (magic !== MAGIC || wanted.some((byte, i) => bytes[body.length + i] !== byte))
    throw checkpointError(`bytes must be whole and unchanged, got ${bytes.length} that are not`);
  const [textBytes = 0] = new Uint32Array(body.slice(MAGIC.length, textAt).buffer);
  const text = new TextDecoder().decode(body.subarray(textAt, textAt + textBytes));
  const header = JSON.parse(text) as Header;
  if (header.fingerprint !== fingerprint)
    throw checkpointError(
      `it must be of weights ${fingerprint}, got one of ${header.fingerprint}. ` +
        "Restore it with the model that made it",
    );
  return decodeBody(header, body, textAt + textBytes);
}

function decodeBody(header: Header, body: Uint8Array, from: number): KvState {
  const { fingerprint, length, computed, dtype, tensors, size } = header;
  const tensorBytes = computed * size * widthOf(dtype);
  const start = from + 4 * length;
  return {
    ...{ fingerprint, computed, dtype },
    ids: [...new Int32Array(body.slice(from, start).buffer)],
    tensors: Array.from({ length: tensors }, (_, i) =>
      body.subarray(start + i * tensorBytes, start + (i + 1) * tensorBytes),
    ),
  };
}

const widthOf = (dtype: KvState["dtype"]): number => (dtype === "bf16" ? 2 : 4);

const bytesOf = (x: Int32Array | Uint32Array): Uint8Array =>
  new Uint8Array(x.buffer, x.byteOffset, x.byteLength);

/** SHA-256. */
export async function checksum(bytes: Uint8Array): Promise<Uint8Array> {
  return new Uint8Array(await crypto.subtle.digest("SHA-256", bytes as Uint8Array<ArrayBuffer>));
}

const checkpointError = (what: string): NutshellError =>
  new NutshellError("CHECKPOINT", `snapshot: ${what}.`);
