/**
 * Blobs that were used last, in this process: a window is read for every prompt, and a blob never
 * changes. Nothing is held back from the disk: what `put` returned is written.
 */
import type { BlobStore } from "../../durable/blobs.ts";

/** @param mostBytes of blobs that are held */
export function cachedBlobs(blobs: BlobStore, mostBytes: number): BlobStore {
  // A Map keeps the order of insertion: what is used goes to its end.
  const held = new Map<string, Uint8Array>();
  let bytes = 0;
  const hold = (hash: string, blob: Uint8Array): Uint8Array => {
    bytes += blob.length - (held.get(hash)?.length ?? 0);
    held.delete(hash);
    held.set(hash, blob);
    for (const [oldest, { length }] of held) {
      if (bytes <= mostBytes) break;
      held.delete(oldest);
      bytes -= length;
    }
    return blob;
  };
  return {
    put: async (blob) => {
      const hash = await blobs.put(blob);
      hold(hash, blob);
      return hash;
    },
    get: async (hash) => hold(hash, held.get(hash) ?? (await blobs.get(hash))),
    has: (hash) => blobs.has(hash),
  };
}
