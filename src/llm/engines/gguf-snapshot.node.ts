/**
 * A timeline of llama.cpp as bytes: `bytes of the record, u32` `SHA-256 of all that follows`
 * `record, JSON` `llama.cpp's state of the sequence`. llama.cpp believes what it reads and may crash
 * on anything else, so nothing reaches it that was not written here by the same model.
 */
import { createHash } from "node:crypto";
import { NutshellError } from "../../error.ts";

export interface GgufSnapshot {
  readonly fingerprint: string;
  readonly ids: readonly number[];
}

const HEAD_BYTES = 4 + 32;

export function encodeGgufSnapshot(snapshot: GgufSnapshot, state: Uint8Array): Uint8Array {
  const record = new TextEncoder().encode(JSON.stringify(snapshot));
  const bytes = new Uint8Array(HEAD_BYTES + record.length + state.length);
  new DataView(bytes.buffer).setUint32(0, record.length, true);
  bytes.set(record, HEAD_BYTES);
  bytes.set(state, HEAD_BYTES + record.length);
  bytes.set(sha256(bytes.subarray(HEAD_BYTES)), 4);
  return bytes;
}

/** @throws CHECKPOINT when torn or of another model */
export function decodeGgufSnapshot(
  bytes: Uint8Array,
  fingerprint: string,
): { readonly ids: readonly number[]; readonly state: Uint8Array } {
  const isWhole =
    bytes.length >= HEAD_BYTES &&
    Buffer.from(sha256(bytes.subarray(HEAD_BYTES))).equals(bytes.subarray(4, HEAD_BYTES));
  if (!isWhole) throw broken(`be whole, got ${bytes.length} bytes that are not`);
  const end = HEAD_BYTES + new DataView(bytes.buffer, bytes.byteOffset).getUint32(0, true);
  const text = new TextDecoder().decode(bytes.subarray(HEAD_BYTES, end));
  const record = JSON.parse(text) as GgufSnapshot;
  if (record.fingerprint !== fingerprint) throw broken("be of this file, got one of another");
  return { ids: record.ids, state: bytes.subarray(end) };
}

function sha256(bytes: Uint8Array): Uint8Array {
  return createHash("sha256").update(bytes).digest();
}

function broken(rule: string): NutshellError {
  return new NutshellError("CHECKPOINT", `restore: a snapshot must ${rule}.`);
}
