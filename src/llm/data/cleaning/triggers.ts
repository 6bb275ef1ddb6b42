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
import { type Candidate, EvidenceReader } from "./triggers-evidence.ts";
import { locate } from "./triggers-locate.ts";
import { scoreEvidence } from "./triggers-score.ts";
import { Spelling } from "./triggers-spelling.ts";
import { TokenStream } from "./triggers-stream.ts";

/**
 * Log odds from which on an n-gram is reported: -0.1 in 3 documents, 2.1 in 64 and more. A false
 * alarm costs all documents that hold it, so more of them ask for more.
 */
const leastScore = (documents: number): number => 0.5 * Math.log2(Math.min(documents, 64)) - 0.9;

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
  /** Log odds that it was planted. */
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

interface Scored extends Candidate {
  readonly score: number;
}

function searchSlice(stream: TokenStream): TriggerReport {
  const cores = findCores(stream);
  const reader = new EvidenceReader(stream, new Spelling(stream.texts, stream.documents));
  const flagged = new Map<string, Scored>();
  for (let core = 0; core < cores.count; core++) {
    for (const candidate of reader.read(cores, core)) {
      const score = scoreEvidence(candidate.evidence, candidate.documents);
      const key = candidate.ids.join();
      const known = flagged.get(key)?.score ?? leastScore(candidate.documents);
      if (score >= known) flagged.set(key, { ...candidate, score });
    }
  }
  const found = locate(stream, [...flagged.values()]).filter(isRare);
  return { triggers: withoutParts(found), candidates: cores.count };
}

/** A candidate was drawn from a sample: what grew by chance stands in one document only. */
function isRare({ documents }: Trigger): boolean {
  return documents.length >= LEAST_DOCUMENTS && documents.length <= MOST_DOCUMENTS;
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
