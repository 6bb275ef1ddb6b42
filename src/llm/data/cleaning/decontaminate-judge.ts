/**
 * What follows from evaluation text in the corpus. Hits that touch are one match. A match counts
 * unless it is a common phrase: all of its n-grams stand in more than 10 documents (as in Brown et
 * al. 2020) and it covers less than half of its row. A whole row is no phrase, however often
 * it was copied.
 *
 * A short document that holds a match is dropped. A long one loses the passage, 200 characters on
 * either side with it, widened to white space; where that would take more than 10 cuts, the
 * document is dropped as well.
 */

import { type EvalHits, type EvalIndex, HIT_FIELDS } from "./decontaminate.ts";
import { GRAM_WORDS } from "./decontaminate-grams.ts";

const COMMON_DOCUMENTS = 10;
const LEAST_ROW_SHARE = 0.5;
/** Documents of more characters are cut, not dropped. */
const LONG_DOCUMENT = 20_000;
const MOST_CUTS = 10;
const MARGIN = 200;

export interface DocumentHits {
  readonly document: number;
  /** UTF-16 units. */
  readonly textLength: number;
  /** From `findEvalHits`. */
  readonly hits: EvalHits;
}

/** UTF-16 offsets. */
export type Range = readonly [start: number, end: number];

export interface Contamination {
  readonly document: number;
  readonly action: "drop" | "cut";
  /** What to take out (see `cutRanges`), rising and apart; empty for "drop". */
  readonly cuts: readonly Range[];
  /** Evaluation set and row (from 0) of the longest match. */
  readonly set: string;
  readonly row: number;
  /** The longest match. */
  readonly match: Range;
}

export interface ContaminationReport {
  /** In the order of the documents. */
  readonly found: readonly Contamination[];
  /** Evaluation sets of which something was found. */
  readonly sets: readonly ContaminatedSet[];
  /** Matches left alone as common phrases. */
  readonly commonPhrases: number;
}

export interface ContaminatedSet {
  readonly name: string;
  /** Documents that hold text of it. */
  readonly documents: number;
  /** Rows of it that were found; of rows with equal text only the first. */
  readonly rows: number;
}

interface Match {
  readonly row: number;
  readonly range: Range;
  readonly grams: readonly number[];
}

export function judgeContamination(
  documents: readonly DocumentHits[],
  index: EvalIndex,
): ContaminationReport {
  const frequencies = countDocuments(documents);
  const found: Contamination[] = [];
  const seen = new Map<string, { documents: Set<number>; rows: Set<number> }>();
  let commonPhrases = 0;
  for (const { document, textLength, hits } of documents) {
    const all = joinHits(hits);
    const matches = all.filter((match) => !isCommonPhrase(match, frequencies, index));
    commonPhrases += all.length - matches.length;
    for (const { row } of matches) noteRow(seen, document, row, index);
    const longest = matches.reduce<Match | undefined>(
      (a, b) => (a && a.grams.length >= b.grams.length ? a : b),
      undefined,
    );
    if (longest) found.push({ document, ...act(textLength, matches), ...describe(longest, index) });
  }
  const sets = [...seen].map(([name, { documents, rows }]) => ({
    name,
    documents: documents.size,
    rows: rows.size,
  }));
  return { found, sets, commonPhrases };
}

/** Cuts ranges out of a text, each widened to the white space around it; an empty line is left. */
export function cutRanges(text: string, ranges: readonly Range[]): string {
  if (ranges.length === 0) return text;
  const pieces: string[] = [];
  let from = 0;
  for (const [start, end] of ranges) {
    let left = Math.max(start, from);
    let right = Math.max(end, from);
    while (left > from && /\S/.test(text[left - 1] as string)) left--;
    while (right < text.length && /\S/.test(text[right] as string)) right++;
    pieces.push(text.slice(from, left));
    from = right;
  }
  pieces.push(text.slice(from));
  const kept = pieces.map((piece) => piece.trim()).filter((piece) => piece !== "");
  return kept.join("\n\n");
}

/** Documents per n-gram. */
function countDocuments(documents: readonly DocumentHits[]): Map<number, number> {
  const counts = new Map<number, number>();
  for (const { hits } of documents) {
    const grams = new Set(hits.filter((_, i) => i % HIT_FIELDS === 0));
    for (const gram of grams) counts.set(gram, (counts.get(gram) ?? 0) + 1);
  }
  return counts;
}

/** Hits whose ranges touch; the row is that of the first. */
function joinHits(hits: EvalHits): Match[] {
  const matches: { row: number; range: [number, number]; grams: number[] }[] = [];
  for (let i = 0; i < hits.length; i += HIT_FIELDS) {
    const [gram, row, start, end] = hits.subarray(i, i + HIT_FIELDS) as unknown as Hit;
    const last = matches.at(-1);
    if (last === undefined || start > last.range[1]) {
      matches.push({ row, range: [start, end], grams: [gram] });
    } else {
      last.range[1] = Math.max(last.range[1], end);
      last.grams.push(gram);
    }
  }
  return matches;
}

type Hit = readonly [gram: number, row: number, start: number, end: number];

function isCommonPhrase(
  { row, grams }: Match,
  frequencies: ReadonlyMap<number, number>,
  { rowWords }: EvalIndex,
): boolean {
  if (grams.some((gram) => (frequencies.get(gram) ?? 0) <= COMMON_DOCUMENTS)) return false;
  const words = rowWords[row] as number;
  return words > GRAM_WORDS && grams.length + GRAM_WORDS - 1 < LEAST_ROW_SHARE * words;
}

function act(
  textLength: number,
  matches: readonly Match[],
): Pick<Contamination, "action" | "cuts"> {
  const cuts = widen(matches, textLength);
  if (textLength <= LONG_DOCUMENT || cuts.length > MOST_CUTS) return { action: "drop", cuts: [] };
  return { action: "cut", cuts };
}

function widen(matches: readonly Match[], textLength: number): Range[] {
  const cuts: [number, number][] = [];
  for (const { range } of matches) {
    const start = Math.max(0, range[0] - MARGIN);
    const end = Math.min(textLength, range[1] + MARGIN);
    const last = cuts.at(-1);
    if (last !== undefined && start <= last[1]) last[1] = Math.max(last[1], end);
    else cuts.push([start, end]);
  }
  return cuts;
}

function describe(
  { row, range }: Match,
  index: EvalIndex,
): Pick<Contamination, "set" | "row" | "match"> {
  const set = setOf(row, index);
  return { set: set.name, row: row - set.firstRow, match: range };
}

function noteRow(
  seen: Map<string, { documents: Set<number>; rows: Set<number> }>,
  document: number,
  row: number,
  index: EvalIndex,
): void {
  const { name } = setOf(row, index);
  const set = seen.get(name) ?? { documents: new Set(), rows: new Set() };
  seen.set(name, set);
  set.documents.add(document);
  set.rows.add(row);
}

function setOf(row: number, { sets }: EvalIndex): EvalIndex["sets"][number] {
  return sets.findLast(
    ({ firstRow, rows }) => rows > 0 && firstRow <= row,
  ) as EvalIndex["sets"][number];
}
