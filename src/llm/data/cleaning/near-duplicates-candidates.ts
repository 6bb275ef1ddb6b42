/**
 * Pairs of documents worth comparing: those that share a band, or enough samples. A band or sample
 * remembers only the first few documents that hold it, so that a piece of boilerplate in thousands
 * of documents costs each of them a handful of pairs, not all pairs; copies of one document meet at
 * the first. A sample in more than ten documents is boilerplate: a pair that shares hardly anything
 * else is marked as such.
 */

import { readSignature, type Signature, SPARSE_MASK } from "./minhash-signature.ts";
import { Postings } from "./near-duplicates-postings.ts";

/** Documents that one band, or one sample, remembers. */
const PER_BAND = 4;
const BOILERPLATE = 10;

/** A pair shares at least this many samples, and this share of the shorter document's. */
const LEAST_SHARED = 2;
const LEAST_SHARE = 0.3;
/** The same with boilerplate. */
const LEAST_BOILERPLATE_SHARE = 0.5;

/** More samples than a document of a billion words keeps. */
const RARE = 2 ** 26;

/** An earlier document to compare with. */
export interface Partner {
  readonly document: number;
  /** Only boilerplate speaks for it. */
  readonly boilerplate: boolean;
}

export class CandidateIndex {
  readonly #bands = new Postings(PER_BAND);
  readonly #samples = new Postings(BOILERPLATE);
  /** By document: samples at its own rate, and those of them that longer documents keep too. */
  readonly #own: Int32Array;
  readonly #sparse: Int32Array;

  /** @param size one more than the largest document number */
  constructor(size: number) {
    this.#own = new Int32Array(size);
    this.#sparse = new Int32Array(size);
  }

  /** All documents have to be added before the first is paired. */
  add(document: number, signature: Uint8Array): void {
    const { bands, samples } = readSignature(signature);
    for (const key of bandKeys(bands)) this.#bands.add(key, document);
    for (const hash of samples) this.#samples.add(hash, document);
    this.#own[document] = samples.length;
    this.#sparse[document] = samples.filter((hash) => (hash & SPARSE_MASK) === 0).length;
  }

  /** @returns earlier documents to compare this one with, rising */
  pair(document: number, signature: Uint8Array): Partner[] {
    const read = readSignature(signature);
    const partners = new Map<number, boolean>();
    for (const [earlier, shared] of this.#countShared(document, read)) {
      const rare = Math.floor(shared / RARE);
      const all = rare + (shared % RARE);
      const comparable = this.#comparable(document, earlier);
      const distinct = rare >= Math.max(LEAST_SHARED, LEAST_SHARE * comparable);
      const enough = all >= Math.max(LEAST_SHARED, LEAST_BOILERPLATE_SHARE * comparable);
      if (distinct || enough) partners.set(earlier, !distinct);
    }
    for (const key of bandKeys(read.bands)) {
      this.#bands.visit(key, (earlier) => {
        if (earlier < document) partners.set(earlier, false);
      });
    }
    const list = [...partners].map(([earlier, boilerplate]) => ({
      document: earlier,
      boilerplate,
    }));
    return list.sort((x, y) => x.document - y.document);
  }

  /** By earlier document: RARE for each shared sample that is rare, 1 for each that is not. */
  #countShared(document: number, { samples }: Signature): Map<number, number> {
    const shared = new Map<number, number>();
    let weight = RARE;
    const count = (earlier: number): void => {
      if (earlier < document) shared.set(earlier, (shared.get(earlier) ?? 0) + weight);
    };
    for (const hash of samples) {
      weight = this.#samples.count(hash) <= BOILERPLATE ? RARE : 1;
      this.#samples.visit(hash, count);
    }
    return shared;
  }

  /** Samples of the shorter document that the other one would have kept as well. */
  #comparable(a: number, b: number): number {
    const counts = this.#isDense(a) && this.#isDense(b) ? this.#own : this.#sparse;
    return Math.min(counts[a] as number, counts[b] as number);
  }

  #isDense(document: number): boolean {
    return (this.#own[document] as number) > (this.#sparse[document] as number);
  }
}

/** 49 bits of each band beside its number. */
function bandKeys(bands: Uint32Array): Float64Array {
  const bits = (band: number): number =>
    (bands[2 * band] as number) + ((bands[2 * band + 1] as number) & 0x1ffff) * 2 ** 32;
  return Float64Array.from({ length: bands.length / 2 }, (_, band) => bits(band) * 16 + band);
}
