/**
 * Decontamination by 13-grams (Brown et al. 2020, appendix C): the n-grams of evaluation rows, and
 * where a document holds them. What follows from that is judged over the whole corpus
 * (decontaminate-judge.ts).
 *
 * An n-gram of little content is no evidence: at least 4 of its words have to be different words
 * of 3 characters or more, which leaves out counting, tables and lists of letters.
 */

import { type EvalRow, rowForms } from "./decontaminate-forms.ts";
import {
  findGrams,
  GRAM_WORDS,
  type GramTable,
  GramTableBuilder,
  LEAST_WORDS,
} from "./decontaminate-grams.ts";
import { contentWords } from "./decontaminate-words.ts";
import type { Words } from "./minhash-words.ts";

const LEAST_CONTENT = 4;
const CONTENT_LENGTH = 3;

/** A short text of more rows than this is a manner of asking, not a question. */
const MOST_ROWS = 2;

/** Plain data over shared buffers: crosses into worker threads without a copy. */
export interface EvalIndex {
  /** SHA-256 hex of what it was built from: part of every cache key that hits depend on. */
  readonly hash: string;
  readonly sets: readonly EvalSet[];
  readonly grams: GramTable;
  /** Words of each row, by number over all sets. */
  readonly rowWords: Uint32Array;
}

export interface EvalSet {
  /** The file's path below the folder of evaluation sets. */
  readonly name: string;
  /** Number of its first row among the rows of all sets. */
  readonly firstRow: number;
  readonly rows: number;
  /** Rows that cannot be checked: no form of theirs has 8 words of content. */
  readonly tooShort: number;
}

/** Rows of one evaluation file. */
export interface EvalRows {
  readonly name: string;
  readonly rows: Iterable<EvalRow>;
}

export function buildEvalIndex(hash: string, files: Iterable<EvalRows>): EvalIndex {
  const builder = new GramTableBuilder();
  const questions = new ShortTexts();
  const rowWords: number[] = [];
  const sets: EvalSet[] = [];
  for (const { name, rows } of files) {
    const firstRow = rowWords.length;
    let tooShort = 0;
    for (const row of rows) {
      const words = addRow(builder, questions, row, rowWords.length);
      if (words === 0) tooShort++;
      rowWords.push(words);
    }
    sets.push({ name, firstRow, rows: rowWords.length - firstRow, tooShort });
  }
  questions.addTo(builder);
  return { hash, sets, grams: builder.finish(), rowWords: Uint32Array.from(rowWords) };
}

/** @returns words of the row's longest indexed form; 0 when nothing of it could be indexed */
function addRow(
  builder: GramTableBuilder,
  questions: ShortTexts,
  row: EvalRow,
  number: number,
): number {
  const { whole, long } = rowForms(row);
  return Math.max(
    0,
    ...whole.map((text) => questions.add(contentWords(text), number)),
    ...[...whole, ...long].map((text) => addGrams(builder, contentWords(text), number)),
  );
}

function addGrams(builder: GramTableBuilder, words: Words, row: number): number {
  let added = 0;
  for (let first = 0; first + GRAM_WORDS <= words.count; first++) {
    if (!hasContent(words, first, GRAM_WORDS)) continue;
    builder.add(words.hashes, first, GRAM_WORDS, row);
    added++;
  }
  return added === 0 ? 0 : words.count;
}

/**
 * Texts of 8 to 12 words. One that many rows share ("Which of the following statements is true")
 * belongs to none of them and is left out.
 */
class ShortTexts {
  readonly #texts = new Map<string, { readonly hashes: Uint32Array; readonly rows: Set<number> }>();

  /** @returns its words, or 0 when it is too short, too long or without content */
  add(words: Words, row: number): number {
    const { count } = words;
    if (count < LEAST_WORDS || count >= GRAM_WORDS || !hasContent(words, 0, count)) return 0;
    const hashes = words.hashes.slice(0, count);
    const text = this.#texts.get(hashes.join());
    if (text === undefined) this.#texts.set(hashes.join(), { hashes, rows: new Set([row]) });
    else text.rows.add(row);
    return count;
  }

  addTo(builder: GramTableBuilder): void {
    for (const { hashes, rows } of this.#texts.values()) {
      const [row] = rows;
      if (row !== undefined && rows.size <= MOST_ROWS) builder.add(hashes, 0, hashes.length, row);
    }
  }
}

const content = new Uint32Array(LEAST_CONTENT);

function hasContent({ hashes, starts, ends }: Words, first: number, size: number): boolean {
  let different = 0;
  for (let i = first; i < first + size && different < LEAST_CONTENT; i++) {
    if ((ends[i] as number) - (starts[i] as number) < CONTENT_LENGTH) continue;
    const at = content.indexOf(hashes[i] as number);
    if (at < 0 || at >= different) content[different++] = hashes[i] as number;
  }
  return different === LEAST_CONTENT;
}

/** Flat fours: n-gram, row, first and last-plus-one UTF-16 offset of the match in the text. */
export type EvalHits = Uint32Array;

/** Numbers per hit. */
export const HIT_FIELDS = 4;

/**
 * Runs in worker threads.
 * @returns an empty array for nearly all documents; hits in text order
 */
export function findEvalHits(text: string, index: EvalIndex): EvalHits {
  const { count, hashes, starts, ends } = contentWords(text);
  const hits: number[] = [];
  findGrams(hashes, count, index.grams, (gram, row, first, size) => {
    hits.push(gram, row, starts[first] as number, ends[first + size - 1] as number);
  });
  return Uint32Array.from(hits);
}
