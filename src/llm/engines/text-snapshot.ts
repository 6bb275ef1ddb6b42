/**
 * A session as bytes: `length of the record, u32` `SHA-256 of the record` `record, JSON`
 * `token snapshot`. The token snapshot has a checksum of its own.
 */
import { NutshellError } from "../../error.ts";
import type { Snapshot } from "../inference/engine.ts";
import type { TokenSession } from "../inference/token-engine.ts";
import type { TextState } from "./text-state.ts";

const HASH_BYTES = 32;
const HEAD_BYTES = 4 + HASH_BYTES;

export async function encodeTextSnapshot(
  model: string,
  state: TextState,
  tokens: TokenSession,
): Promise<Snapshot> {
  const { length } = tokens.ids;
  const kv = await tokens.snapshot();
  const record = new TextEncoder().encode(JSON.stringify(state));
  const bytes = new Uint8Array(HEAD_BYTES + record.length + kv.length);
  new DataView(bytes.buffer).setUint32(0, record.length, true);
  bytes.set(await sha256(record), 4);
  bytes.set(record, HEAD_BYTES);
  bytes.set(kv, HEAD_BYTES + record.length);
  return { model, length, bytes };
}

/** @throws CHECKPOINT when torn or of another model */
export async function decodeTextSnapshot(
  { model, bytes }: Snapshot,
  expected: string,
): Promise<{ readonly state: TextState; readonly kv: Uint8Array }> {
  if (model !== expected) throw broken(`be of model ${expected}, got one of ${model}`);
  if (bytes.length < HEAD_BYTES) throw torn(bytes);
  const length = new DataView(bytes.buffer, bytes.byteOffset).getUint32(0, true);
  const record = bytes.subarray(HEAD_BYTES, HEAD_BYTES + length);
  const hash = await sha256(record);
  if (!hash.every((byte, i) => byte === bytes[4 + i])) throw torn(bytes);
  const state = JSON.parse(new TextDecoder().decode(record)) as TextState;
  return { state, kv: bytes.subarray(HEAD_BYTES + length) };
}

async function sha256(bytes: Uint8Array): Promise<Uint8Array> {
  return new Uint8Array(await crypto.subtle.digest("SHA-256", Uint8Array.from(bytes)));
}

function torn(bytes: Uint8Array): NutshellError {
  return broken(`be whole, got ${bytes.length} bytes that are not`);
}

function broken(rule: string): NutshellError {
  return new NutshellError("CHECKPOINT", `restore: a snapshot must ${rule}.`);
}
