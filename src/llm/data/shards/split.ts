/**
 * The split into training and validation. The side of a document follows from the hash of its
 * text alone, so it never changes when documents are added, removed, renamed or reordered: what
 * was validated on is not trained on by a later corpus. Two exceptions for tiny sources: where no
 * document falls on the validation side the one of the smallest hash does, and a source that is
 * one long document is cut by position.
 */
import type { Side } from "./manifest.ts";

/** One document in this many is kept for validation. */
const VALIDATION_EVERY = 50n;

/** Least characters of a single document that is split by position. */
export const LEAST_SINGLE_DOCUMENT = 10_000;

/** Share of a single document that is trained on, as in nanoGPT. */
const TRAIN_SHARE = 0.9;

/** What must be known of all documents of a source before the first of them has a side. */
export interface SplitFacts {
  readonly documents: number;
  readonly smallestHash: bigint;
  /** Whether any document falls on the validation side by itself. */
  readonly anyHeldOut: boolean;
}

/** @param hash 64 bits of the text's hash, see `content-hash.node.ts` */
export function isHeldOut(hash: bigint): boolean {
  return hash % VALIDATION_EVERY === 0n;
}

export function splitFacts(hashes: Iterable<bigint>): SplitFacts {
  let [documents, smallestHash, anyHeldOut] = [0, 1n << 64n, false];
  for (const hash of hashes) {
    documents++;
    if (hash < smallestHash) smallestHash = hash;
    anyHeldOut ||= isHeldOut(hash);
  }
  return { documents, smallestHash, anyHeldOut };
}

/** The sides of one document's text: one, or both where a single document is cut. */
export function splitText(
  text: string,
  hash: bigint,
  facts: SplitFacts,
): readonly { readonly side: Side; readonly text: string }[] {
  if (facts.documents === 1) return splitByPosition(text);
  const held = facts.anyHeldOut ? isHeldOut(hash) : hash === facts.smallestHash;
  return [{ side: held ? "validation" : "train", text }];
}

function splitByPosition(text: string): { side: Side; text: string }[] {
  if (text.length < LEAST_SINGLE_DOCUMENT) return [{ side: "train", text }];
  const middle = Math.floor(text.length * TRAIN_SHARE);
  const cut = /[\udc00-\udfff]/.test(text[middle] ?? "") ? middle + 1 : middle;
  return [
    { side: "train", text: text.slice(0, cut) },
    { side: "validation", text: text.slice(cut) },
  ];
}
