/**
 * Words as decontamination counts them: those of `hashWords` without single Latin letters and the
 * labels of question sheets, so that "Question: … A. … B. … Answer: …" and the bare texts one after
 * the other give the same n-grams.
 */

import { hashWords, type Words } from "./minhash-words.ts";

const LABELS = "question answer choices context sentence";
const labels = new Set(hashAll(LABELS));

let scratch: Words | undefined;

/**
 * A letter stands for its word, as in "A. yes B. no".
 * @returns words in text order; valid until the next call
 */
export function contentWords(text: string): Words {
  const words = hashWords(text, scratch);
  scratch = words;
  const { hashes, starts, ends } = words;
  let count = 0;
  for (let i = 0; i < words.count; i++) {
    const start = starts[i] as number;
    const end = ends[i] as number;
    if (end - start === 1 && isLatinLetter(text.charCodeAt(start))) continue;
    if (labels.has(hashes[i] as number)) continue;
    hashes[count] = hashes[i] as number;
    starts[count] = start;
    ends[count++] = end;
  }
  return { ...words, count };
}

function isLatinLetter(unit: number): boolean {
  const upper = unit & ~0x20;
  return upper >= 65 && upper <= 90;
}

function hashAll(text: string): Uint32Array {
  const { hashes, count } = hashWords(text);
  return hashes.slice(0, count);
}
