/** The hash of a document's text: what decides its side and what a shard was made from. */
import { hash } from "node:crypto";

/** @returns the first 64 bits of the SHA-256 of `text` as UTF-8, unsigned */
export function contentHash(text: string): bigint {
  return BigInt(`0x${hash("sha256", text, "hex").slice(0, 16)}`);
}
