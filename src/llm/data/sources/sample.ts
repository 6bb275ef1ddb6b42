/**
 * An even, deterministic sample of a stream of documents: about a given share of its bytes, from
 * its whole length, without knowing what is still to come. Long documents are cut first and
 * sampled in pieces.
 *
 * Each document pays `fraction` of its length into an account and is kept when the account covers
 * a share of its length that the hash of its id draws; then its length is taken off. So the bytes
 * kept are never further from those asked than one document. Documents of like length share an
 * account: with one for all, the long ones would hardly ever be kept.
 */

import type { Document } from "../document.ts";
import { hashText } from "../hash.ts";

/** A document longer than this many characters is sampled in pieces. */
const PIECE_LENGTH = 1 << 16;

/**
 * @param fraction share of the text to keep, 0 … 1; from 1 on everything stays as it is
 * @returns takes documents in their order, gives what to keep of each
 */
export function createSample(fraction: number): (document: Document) => Document[] {
  if (fraction >= 1) return (document) => [document];
  const accounts = new Float64Array(32);
  const isKept = ({ id, text }: Document): boolean => {
    const account = 31 - Math.clz32(text.length + 1);
    const length = text.length + 1;
    const paid = (accounts[account] as number) + fraction * length;
    const kept = paid > (length * hashText(`thin ${id}`)) / 2 ** 32;
    accounts[account] = kept ? paid - length : paid;
    return kept;
  };
  return (document) => cutLong(document).filter(isKept);
}

/** Cuts at the last line break inside each stretch, or by length where there is none. */
function cutLong(document: Document): Document[] {
  const { id, text } = document;
  if (text.length <= PIECE_LENGTH) return [document];
  const pieces: Document[] = [];
  for (let start = 0; start < text.length; ) {
    const end = pieceEnd(text, start);
    pieces.push({ id: `${id}#${pieces.length}`, text: text.slice(start, end) });
    start = end;
  }
  return pieces;
}

function pieceEnd(text: string, start: number): number {
  const limit = start + PIECE_LENGTH;
  if (limit >= text.length) return text.length;
  const line = text.lastIndexOf("\n", limit - 1) + 1;
  if (line > start) return line;
  // Between the halves of a character there is no cut.
  return /[\udc00-\udfff]/.test(text[limit] ?? "") ? limit + 1 : limit;
}
