/**
 * n-grams that may be triggers. The search begins at cores, single tokens and pairs that are rare
 * yet stand in several documents, of which up to 16 occurrences are drawn, one a document. A core
 * grows on both sides while four occurrences in five agree on the next token, so that any longer
 * trigger is reached from the pairs inside it.
 */

import { MOST_COUNTED } from "./triggers-pair-counts.ts";
import type { TokenStream } from "./triggers-stream.ts";
import { FIRST_TEXT } from "./triggers-tokens.ts";

/** Fewer documents are no pattern, more are no rarity. */
export const LEAST_DOCUMENTS = 3;
export const MOST_DOCUMENTS = 600;
/** Names and terms recur inside a document; a trigger is planted once or twice. */
const MOST_PER_DOCUMENT = 2.5;
/** A rare sort of quote, dash or letter is the habit of a typesetter. */
const LONE_CHARACTER = /^.$/u;
/** Pairs have to be this many times as frequent as by chance. */
const LEAST_LIFT = 64;
/** Occurrences drawn for each core. */
export const DRAWN = 16;

/** Occurrences of the cores: `positions[core * DRAWN + i]`, i < `drawn[core]`. */
export interface Cores {
  readonly count: number;
  /** Cores before this one are single tokens, the others pairs. */
  readonly singles: number;
  readonly positions: Uint32Array;
  readonly drawn: Uint8Array;
  /** Documents that hold the core. */
  readonly documents: Uint32Array;
}

export function findCores(stream: TokenStream): Cores {
  const singles = numberSingles(stream);
  const pairs = numberPairs(stream);
  const count = singles.count + pairs.numbers.size;
  const cores = {
    count,
    singles: singles.count,
    positions: new Uint32Array(count * DRAWN),
    drawn: new Uint8Array(count),
    documents: new Uint32Array(count),
  };
  const latest = new Int32Array(count).fill(-1);
  const { ids, starts, length } = stream;
  for (let document = 0; document < starts.length; document++) {
    const end = starts[document + 1] ?? length;
    for (let i = (starts[document] as number) + 1; i < end - 1; i++) {
      const single = singles.numbers[ids[i] as number] as number;
      if (single > 0) draw(cores, latest, single - 1, i, document);
      const pair = pairAt(stream, pairs, i);
      if (pair !== undefined) draw(cores, latest, singles.count + pair, i, document);
    }
  }
  return cores;
}

/** One more than the core's number, by token id; 0: none. */
function numberSingles({ counts, documents, texts }: TokenStream): {
  numbers: Uint32Array;
  count: number;
} {
  const numbers = new Uint32Array(texts.length);
  let count = 0;
  for (let id = FIRST_TEXT; id < texts.length; id++) {
    const inDocuments = documents[id] as number;
    if (inDocuments < LEAST_DOCUMENTS || inDocuments > MOST_DOCUMENTS) continue;
    if (LONE_CHARACTER.test(texts[id] as string)) continue;
    if ((counts[id] as number) <= MOST_PER_DOCUMENT * inDocuments) numbers[id] = ++count;
  }
  return { numbers, count };
}

interface Pairs {
  readonly numbers: ReadonlyMap<number, number>;
  /** One bit for each position at which such a pair begins. */
  readonly marks: Uint8Array;
}

function numberPairs(stream: TokenStream): Pairs {
  const numbers = new Map<number, number>();
  const marks = new Uint8Array((stream.length >>> 3) + 1);
  for (let i = 0; i + 1 < stream.length; i++) {
    if (!isPair(stream, i)) continue;
    marks[i >>> 3] = (marks[i >>> 3] as number) | (1 << (i & 7));
    const key = pairKey(stream, i);
    if (!numbers.has(key)) numbers.set(key, numbers.size);
  }
  return { numbers, marks };
}

function pairAt(stream: TokenStream, { numbers, marks }: Pairs, i: number): number | undefined {
  const marked = ((marks[i >>> 3] as number) & (1 << (i & 7))) !== 0;
  return marked ? numbers.get(pairKey(stream, i)) : undefined;
}

const pairKey = ({ ids }: TokenStream, i: number): number =>
  (ids[i] as number) * 2 ** 26 + (ids[i + 1] as number);

function isPair({ ids, pairs, counts, length }: TokenStream, i: number): boolean {
  const a = ids[i] as number;
  const b = ids[i + 1] as number;
  if (a < FIRST_TEXT || b < FIRST_TEXT) return false;
  const chance = ((counts[a] as number) * (counts[b] as number)) / length;
  // What cannot be rare enough is not looked up.
  if (chance * LEAST_LIFT > MOST_DOCUMENTS) return false;
  const count = pairs.count(a, b);
  if (count < LEAST_DOCUMENTS || count === MOST_COUNTED) return false;
  return count >= LEAST_LIFT * chance;
}

/** Reservoir sampling by a hash of the position, so that the same corpus gives the same draw. */
function draw(
  cores: Cores,
  latest: Int32Array,
  core: number,
  position: number,
  document: number,
): void {
  if (latest[core] === document) return;
  latest[core] = document;
  const seen = cores.documents[core] as number;
  cores.documents[core] = seen + 1;
  if (seen < DRAWN) {
    cores.positions[core * DRAWN + seen] = position;
    cores.drawn[core] = seen + 1;
    return;
  }
  const place = (Math.imul(position + core, 0x9e3779b1) >>> 0) % (seen + 1);
  if (place < DRAWN) cores.positions[core * DRAWN + place] = position;
}
