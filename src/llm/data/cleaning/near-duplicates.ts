/**
 * Near-duplicates of a whole corpus: candidates by MinHash bands and shared samples, compared on
 * their texts, so that nothing goes on the strength of a signature alone.
 *
 *   - Jaccard similarity of five-word shingles ≥ 0.7: two versions of one document. Such documents
 *     form clusters; the first of each in corpus order stays.
 *   - Otherwise, most of the shorter document lies in five-word runs of the longer one (0.7 of its
 *     words; 0.8 where they share only what many documents have): a part, or a copy edited all
 *     over. The longer one stays. Below 100 words 0.8, and shared boilerplate proves nothing: pages
 *     of one template differ in the few words that matter.
 *
 * With 10 % of all words replaced at random 0.9^5 = 59 % of the shingles survive: Jaccard
 * similarity is 0.42, out of reach of the bands, but 83 % of the words are still covered. Out of
 * reach of both: copies with more than about 15 % of their words replaced, any change of words in
 * a document under 40 words, parts of fewer than 40 words, paraphrase, translation.
 */

import { hashShingles, SHORT_DOCUMENT } from "./minhash-shingles.ts";
import { hashWords, type Words } from "./minhash-words.ts";
import { CandidateIndex } from "./near-duplicates-candidates.ts";
import { Clusters } from "./near-duplicates-clusters.ts";
import { compareShingles, type Likeness, type ShingledText } from "./near-duplicates-compare.ts";
import type { Corpus } from "./near-duplicates-corpus.ts";

export const LEAST_JACCARD = 0.7;

/** A part of at least this many words needs the lower coverage. */
const LONG_PART = 100;
const LEAST_COVERAGE = { usual: 0.7, doubtful: 0.8 } as const;

export interface DocumentSignature {
  readonly document: number;
  /** What `signDocument` returned. */
  readonly signature: Uint8Array;
}

/** One document that goes because another one says the same. */
export interface NearDuplicate {
  readonly document: number;
  /** The document that stays instead; of a chain of copies the last. */
  readonly keeper: number;
  /** What it was compared with: the keeper, or another document dropped in its favour. */
  readonly twin: number;
  /** Exact Jaccard similarity to the twin, of the two sets of five-word shingles. */
  readonly jaccard: number;
  /** Share of this document's words in five-word runs that the twin has too. */
  readonly coverage: number;
}

export interface NearDuplicateReport {
  /** By document, rising. */
  readonly duplicates: readonly NearDuplicate[];
  /** Pairs compared on their texts. */
  readonly candidates: number;
  /** Those that the comparison refused: false positives of the signatures, not dropped. */
  readonly refused: number;
}

/** A candidate; `a` comes before `b` in the corpus. */
interface Pair {
  readonly a: number;
  readonly b: number;
  /** Only boilerplate speaks for it. */
  readonly boilerplate: boolean;
}

interface ComparedPair extends Likeness, Pair {
  readonly shorter: 0 | 1;
  readonly words: readonly [a: number, b: number];
}

/**
 * @param signatures every document that is still kept, rising; iterated twice
 * @param corpus gives the texts of candidates
 */
export async function findNearDuplicates(
  signatures: AsyncIterable<DocumentSignature>,
  corpus: Corpus,
): Promise<NearDuplicateReport> {
  const pairs = await comparePairs(await findCandidates(signatures, corpus.size), corpus);
  const whole = pairs.filter(({ jaccard }) => jaccard >= LEAST_JACCARD);
  const parts = pairs.filter((pair) => pair.jaccard < LEAST_JACCARD && isPart(pair));
  const duplicates = chooseKeepers(corpus.size, whole, parts);
  return {
    duplicates,
    candidates: pairs.length,
    refused: pairs.length - whole.length - parts.length,
  };
}

async function findCandidates(
  signatures: AsyncIterable<DocumentSignature>,
  size: number,
): Promise<Pair[]> {
  const index = new CandidateIndex(size);
  for await (const { document, signature } of signatures) index.add(document, signature);
  const pairs: Pair[] = [];
  for await (const { document, signature } of signatures) {
    for (const { document: a, boilerplate } of index.pair(document, signature)) {
      pairs.push({ a, b: document, boilerplate });
    }
  }
  return pairs;
}

async function comparePairs(pairs: readonly Pair[], corpus: Corpus): Promise<ComparedPair[]> {
  const texts = new Map<number, ShingledText>();
  const needed = Uint32Array.from(new Set(pairs.flatMap(({ a, b }) => [a, b]))).sort();
  for await (const { document, text } of corpus.texts(needed)) texts.set(document, shingle(text));
  return pairs.flatMap((pair) => {
    const [left, right] = [texts.get(pair.a), texts.get(pair.b)];
    if (left === undefined || right === undefined) return [];
    const shorter = left.words <= right.words ? 0 : 1;
    const words = [left.words, right.words] as const;
    return [{ ...pair, shorter, words, ...compareShingles(left, right) }];
  });
}

let scratch: Words | undefined;

function shingle(text: string): ShingledText {
  const words = hashWords(text, scratch);
  scratch = words;
  const shingles = hashShingles(words);
  return { words: words.count, shingles, set: new Set(shingles) };
}

function isPart({ words, coverage, shorter, boilerplate }: ComparedPair): boolean {
  const short = words[shorter] < LONG_PART;
  if (words[shorter] < SHORT_DOCUMENT || (short && boilerplate)) return false;
  return coverage[shorter] >= LEAST_COVERAGE[short || boilerplate ? "doubtful" : "usual"];
}

/** Versions first; then parts go in favour of the document that they are part of. */
function chooseKeepers(
  size: number,
  whole: readonly ComparedPair[],
  parts: readonly ComparedPair[],
): NearDuplicate[] {
  const clusters = new Clusters(size);
  for (const { a, b } of whole) clusters.join(a, b);
  const dropped = new Map<number, Omit<NearDuplicate, "keeper">>();
  for (const { a, b, jaccard, coverage } of [...whole].sort((x, y) => y.jaccard - x.jaccard)) {
    for (const [document, twin, side] of [
      [b, a, 1],
      [a, b, 0],
    ] as const) {
      if (clusters.first(document) === document || dropped.has(document)) continue;
      dropped.set(document, { document, twin, jaccard, coverage: coverage[side] });
    }
  }
  const keepers = keepLongest(clusters, parts, dropped);
  const list = [...dropped.values()].sort((x, y) => x.document - y.document);
  return list.map((duplicate) => ({ ...duplicate, keeper: keepers(duplicate.document) }));
}

/**
 * Drops parts, the longest container first, so that a part of a part ends at the whole.
 * @returns the document that stays for any document
 */
function keepLongest(
  clusters: Clusters,
  parts: readonly ComparedPair[],
  dropped: Map<number, Omit<NearDuplicate, "keeper">>,
): (document: number) => number {
  const containers = new Map<number, number>();
  const keeper = (document: number): number => {
    let at = clusters.first(document);
    for (let next = containers.get(at); next !== undefined; next = containers.get(at)) {
      at = clusters.first(next);
    }
    return at;
  };
  const longest = (pair: ComparedPair): number => Math.max(...pair.words);
  for (const pair of [...parts].sort((x, y) => longest(y) - longest(x))) {
    const { a, b, shorter, jaccard, coverage } = pair;
    const [document, twin] = shorter === 0 ? [a, b] : [b, a];
    if (dropped.has(document) || keeper(twin) === document) continue;
    containers.set(document, twin);
    dropped.set(document, { document, twin, jaccard, coverage: coverage[shorter] });
  }
  return keeper;
}
