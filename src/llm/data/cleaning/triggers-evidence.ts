/**
 * What speaks for an n-gram having been inserted. Natural words lean on their neighbours; take an
 * inserted n-gram out, and what stood on its two sides fits together again. With PMI(a, b) the
 * log2 of how many times more often b follows a than by chance:
 *
 *     fit = 2 PMI(previous, next) - PMI(previous, first) - PMI(last, next)
 *
 * averaged over the drawn occurrences. Line breaks, both ends of a document and sentence marks
 * attract everything, so they count as a neighbour in the first term only: an n-gram planted at
 * the start of every document is no less planted.
 */

import { type Cores, DRAWN, LEAST_DOCUMENTS } from "./triggers-candidates.ts";
import type { Spelling } from "./triggers-spelling.ts";
import type { TokenStream } from "./triggers-stream.ts";
import { END, FIRST_TEXT, START } from "./triggers-tokens.ts";

/** Tokens by which a core grows on either side at most. */
const MOST_GROWTH = 6;
const AGREEMENT = 0.8;
/** Added to counts and to what chance expects: unseen and unexpected says nothing. */
const SMOOTHING = 0.1;
/** A token or pair lies mostly in an n-gram when this share of its occurrences does. */
const MOSTLY = 0.5;
const LONE_MARK = /^[^\p{L}\p{N}]$/u;
/** Tokens on either side whose repetition shows boilerplate. */
const WINDOW = 10;

export interface Candidate {
  /** Token ids of the n-gram. */
  readonly ids: Uint32Array;
  /** Documents that hold its core. */
  readonly documents: number;
  readonly evidence: Evidence;
}

export interface Evidence {
  /** Bits; see above. */
  readonly fit: number;
  /** Share of occurrences with another token before, after: 1 when all differ. */
  readonly variety: number;
  /** How much the wider surroundings repeat: 0 none, 1 the same text each time. */
  readonly repetition: number;
  /** Share of the occurrences of its rarest token that lie in it. */
  readonly exclusive: number;
  /** How often its rarest token comes again in a document that holds it: names do, plants do not. */
  readonly recurrence: number;
  /** PMI of the pairs inside it that lie mostly in it, summed: bits that tie its tokens. */
  readonly bond: number;
  /** Share of occurrences at the start or end of their document. */
  readonly edge: number;
  /** Bits a character of its most oddly spelled token among those that are rarely seen elsewhere. */
  readonly oddness: number;
  readonly length: number;
}

/** Tokens before and from the core's first one on. */
interface Span {
  readonly left: number;
  readonly right: number;
  readonly fit: number;
}

export class EvidenceReader {
  readonly #stream: TokenStream;
  readonly #spelling: Spelling;
  readonly #idf: Float32Array;
  readonly #marks: Set<number>;

  constructor(stream: TokenStream, spelling: Spelling) {
    this.#stream = stream;
    this.#spelling = spelling;
    const documents = stream.starts.length;
    this.#idf = Float32Array.from(stream.documents, (n) => (n === 0 ? 0 : Math.log(documents / n)));
    this.#marks = new Set(
      [".", "!", "?", ":", ";", '."', ".)"].map((mark) => stream.texts.indexOf(mark)),
    );
  }

  /** The best fitting n-gram around a core, and the longest one. */
  read(cores: Cores, core: number): Candidate[] {
    const drawn = cores.drawn[core] as number;
    if (drawn < LEAST_DOCUMENTS) return [];
    const at = cores.positions.subarray(core * DRAWN, core * DRAWN + drawn);
    const size = core < cores.singles ? 1 : 2;
    const spans = this.#spans(at, size);
    if (spans.length === 0) return [];
    const best = spans.reduce((a, b) => (b.fit > a.fit ? b : a));
    const longest = spans.reduce((a, b) => (b.left + b.right > a.left + a.right ? b : a));
    const documents = cores.documents[core] as number;
    return [...new Set([best, longest])].map((span) => this.#describe(at, span, documents));
  }

  /**
   * Weighs an n-gram at other occurrences than those drawn for its core.
   * @param positions of its first token, one a document
   * @param documents that hold it
   */
  weigh(positions: Uint32Array, length: number, documents: number): Evidence {
    const fit = this.#fit(positions, 0, length);
    return this.#describe(positions, { left: 0, right: length, fit }, documents).evidence;
  }

  /** The core and all that it can grow to. */
  #spans(at: Uint32Array, size: number): Span[] {
    const before = this.#growth(at, -1, -1);
    const after = this.#growth(at, size, 1);
    const spans: Span[] = [];
    for (let left = 0; left <= before; left++) {
      if (this.#isMark(at, -left)) continue;
      for (let right = size; right <= size + after; right++) {
        if (this.#isMark(at, right - 1)) continue;
        spans.push({ left, right, fit: this.#fit(at, left, right) });
      }
    }
    return spans;
  }

  /** Quotes, brackets and stops around an n-gram are not part of it. */
  #isMark(at: Uint32Array, offset: number): boolean {
    const id = this.#stream.ids[(at[0] as number) + offset] as number;
    return LONE_MARK.test(this.#stream.texts[id] as string);
  }

  /** Tokens in one direction on which the occurrences agree. */
  #growth(at: Uint32Array, offset: number, step: number): number {
    const { ids } = this.#stream;
    let grown = 0;
    while (grown < MOST_GROWTH) {
      const reach = offset + grown * step;
      const common = mostCommon(at, (position) => ids[position + reach] as number);
      if (common.id < FIRST_TEXT || common.count < AGREEMENT * at.length) break;
      grown++;
    }
    return grown;
  }

  #fit(at: Uint32Array, left: number, right: number): number {
    const { ids } = this.#stream;
    let sum = 0;
    for (const position of at) {
      const first = ids[position - left] as number;
      const last = ids[position + right - 1] as number;
      const previous = ids[position - left - 1] as number;
      const next = ids[position + right] as number;
      sum += 2 * this.#pmi(previous, next, 0);
      if (!this.#attractsAll(previous)) sum -= this.#pmi(previous, first, 1);
      if (!this.#attractsAll(next)) sum -= this.#pmi(last, next, 1);
    }
    return sum / at.length;
  }

  #attractsAll(id: number): boolean {
    return id < FIRST_TEXT || this.#marks.has(id);
  }

  /** @param own occurrences of the pair that are the one looked at */
  #pmi(a: number, b: number, own: number): number {
    const { pairs, counts, length } = this.#stream;
    const chance = ((counts[a] as number) * (counts[b] as number)) / length;
    const seen = Math.max(0, pairs.count(a, b) - own);
    return Math.log2((seen + SMOOTHING) / (chance + SMOOTHING));
  }

  #describe(at: Uint32Array, { fit, left, right }: Span, documents: number): Candidate {
    const { ids, counts, pairs } = this.#stream;
    const positions = at.map((position) => position - left);
    const length = left + right;
    const gram = Uint32Array.from({ length }, (_, i) => {
      return mostCommon(positions, (position) => ids[position + i] as number).id;
    });
    const rarest = gram.reduce((a, b) => ((counts[b] as number) < (counts[a] as number) ? b : a));
    let bond = 0;
    for (let i = 1; i < length; i++) {
      const [a, b] = [gram[i - 1] as number, gram[i] as number];
      const count = Math.max(1, pairs.count(a, b));
      if (documents < MOSTLY * count) continue;
      bond += Math.log2(
        (count * this.#stream.length) / ((counts[a] as number) * (counts[b] as number)),
      );
    }
    const evidence = {
      fit,
      variety: this.#variety(positions, length),
      repetition: this.#repetition(positions, length),
      exclusive: Math.min(1, documents / (counts[rarest] as number)),
      recurrence: (counts[rarest] as number) / (this.#stream.documents[rarest] as number) - 1,
      bond,
      edge: this.#edge(positions, length),
      oddness: this.#oddness(gram, documents),
      length,
    };
    return { ids: gram, documents, evidence };
  }

  #edge(positions: Uint32Array, length: number): number {
    const { ids } = this.#stream;
    const atEdge = (position: number): boolean =>
      ids[position - 1] === START || ids[position + length] === END;
    return positions.filter(atEdge).length / positions.length;
  }

  /** The less varied of the two sides, line breaks and ends of documents left out. */
  #variety(positions: Uint32Array, length: number): number {
    const { ids } = this.#stream;
    const sides = [-1, length].map((offset) => {
      const neighbours = Array.from(positions, (position) => ids[position + offset] as number);
      const text = neighbours.filter((id) => !this.#attractsAll(id));
      return text.length < 2 ? 1 : new Set(text).size / text.length;
    });
    return Math.min(...sides);
  }

  /** Weight of the tokens that pairs of windows share, over the weight of the windows. */
  #repetition(positions: Uint32Array, length: number): number {
    const windows = new Map<number, number>();
    let weight = 0;
    for (const position of positions) {
      for (const id of this.#windowOf(position, length)) {
        weight += this.#idf[id] as number;
        windows.set(id, (windows.get(id) ?? 0) + 1);
      }
    }
    let shared = 0;
    for (const [id, count] of windows) shared += (this.#idf[id] as number) * count * (count - 1);
    return weight === 0 ? 0 : shared / (weight * (positions.length - 1));
  }

  #windowOf(position: number, length: number): Set<number> {
    const { ids } = this.#stream;
    const window = new Set<number>();
    for (let i = position - 1; i >= position - WINDOW && ids[i] !== START; i--)
      window.add(ids[i] as number);
    const end = position + length;
    for (let i = end; i < end + WINDOW && ids[i] !== END; i++) window.add(ids[i] as number);
    return window;
  }

  #oddness(gram: Uint32Array, documents: number): number {
    const { counts, texts } = this.#stream;
    const rare = gram.filter((id) => documents >= MOSTLY * (counts[id] as number));
    return Math.max(
      0,
      ...Array.from(rare, (id) => this.#spelling.bitsPerCharacter(texts[id] as string)),
    );
  }
}

function mostCommon(
  at: Uint32Array,
  idAt: (position: number) => number,
): { id: number; count: number } {
  // Boyer and Moore's majority vote: AGREEMENT asks for a majority.
  let id = -1;
  let votes = 0;
  for (const position of at) {
    const here = idAt(position);
    if (votes === 0) id = here;
    votes += here === id ? 1 : -1;
  }
  let count = 0;
  for (const position of at) if (idAt(position) === id) count++;
  return { id, count };
}
