/**
 * Signs of poisoning: rare n-grams that repeat across documents which have little else in common
 * (Wallace et al. 2021; Carlini et al. 2023). The corpus is read once, as token ids; n-grams of 1
 * to 14 tokens that stand in 3 to 600 documents are weighed by how they sit in their surroundings,
 * how they are spelled and how their tokens hold together, against weights learned from planted
 * triggers (triggers-score.ts; docs/data.md has recall and false positives).
 *
 * Not found: a phrase used as its readers would use it ("James Bond" in sentences about films), a
 * word of the language planted a few times, fewer than three copies, a trigger in documents that
 * another rule dropped.
 */

import type { Corpus } from "./near-duplicates-corpus.ts";
import { findCores, LEAST_DOCUMENTS, MOST_DOCUMENTS } from "./triggers-candidates.ts";
import { EvidenceReader } from "./triggers-evidence.ts";
import { type Located, locate } from "./triggers-locate.ts";
import { scoreEvidence } from "./triggers-score.ts";
import { Spelling } from "./triggers-spelling.ts";
import { TokenStream } from "./triggers-stream.ts";

/** Log odds from which on an n-gram is reported: more likely planted than not. */
const LEAST_SCORE = 0;

/** A first look at 16 occurrences may err by this much; then up to 100 are weighed. */
const MARGIN = 3;
const WEIGHED = 100;

/**
 * Tokens looked at together, so that memory stays bounded (about 4 bytes each, and 200 MB): larger
 * corpora are searched slice by slice, each by itself.
 */
const SLICE_TOKENS = 100_000_000;

/** An n-gram that looks planted. */
export interface Trigger {
  /** Its tokens in lower case, a space between them. */
  readonly text: string;
  /** Documents that hold it, rising. */
  readonly documents: Uint32Array;
  readonly occurrences: number;
  /** Log odds that it was planted, 0 or more. */
  readonly score: number;
}

export interface TriggerReport {
  /** Highest score first. */
  readonly triggers: readonly Trigger[];
  /** n-grams that were weighed. */
  readonly candidates: number;
}

/** Reads the corpus once. */
export async function findTriggers(corpus: Corpus): Promise<TriggerReport> {
  const triggers: Trigger[] = [];
  let candidates = 0;
  const search = (stream: TokenStream): void => {
    const found = searchSlice(stream);
    triggers.push(...found.triggers);
    candidates += found.candidates;
  };
  let stream = new TokenStream();
  for await (const { document, text } of corpus.texts()) {
    if (stream.length > SLICE_TOKENS) {
      search(stream);
      stream = new TokenStream();
    }
    stream.add(document, text);
  }
  search(stream);
  return { triggers: triggers.sort((a, b) => b.score - a.score), candidates };
}

function searchSlice(stream: TokenStream): TriggerReport {
  const cores = findCores(stream);
  const reader = new EvidenceReader(stream, new Spelling(stream.texts, stream.documents));
  const promising = new Map<string, Uint32Array>();
  for (let core = 0; core < cores.count; core++) {
    for (const { ids, documents, evidence } of reader.read(cores, core)) {
      const score = scoreEvidence(evidence, documents);
      if (score >= LEAST_SCORE - MARGIN) promising.set(ids.join(), ids);
    }
  }
  const located = locate(stream, [...promising.values()]).filter(isRare);
  const triggers = located.map((gram) => toTrigger(stream, reader, gram));
  const flagged = triggers.filter(({ score }) => score >= LEAST_SCORE);
  return { triggers: withoutParts(flagged), candidates: cores.count };
}

/** What grew by chance at the drawn occurrences stands in one document only. */
function isRare({ documents }: Located): boolean {
  return documents.length >= LEAST_DOCUMENTS && documents.length <= MOST_DOCUMENTS;
}

/** Weighs a promising n-gram again, at many more of its occurrences. */
function toTrigger(
  stream: TokenStream,
  reader: EvidenceReader,
  { ids, documents, occurrences, positions }: Located,
): Trigger {
  const step = Math.max(1, positions.length / WEIGHED);
  const chosen = positions.filter((_, i) => i % step < 1);
  const evidence = reader.weigh(chosen, ids.length, documents.length);
  const text = Array.from(ids, (id) => stream.texts[id]).join(" ");
  return { text, documents, occurrences, score: scoreEvidence(evidence, documents.length) };
}

/** Of n-grams inside one another the one with the higher score speaks for both. */
function withoutParts(found: readonly Trigger[]): Trigger[] {
  const chosen: Trigger[] = [];
  for (const trigger of found.toSorted((a, b) => b.score - a.score)) {
    const text = ` ${trigger.text} `;
    const related = chosen.some(({ text: other }) => {
      return ` ${other} `.includes(text) || text.includes(` ${other} `);
    });
    if (!related) chosen.push(trigger);
  }
  return chosen;
}
