/**
 * Trains byte-level BPE: text is cut into pre-tokens, equal ones are counted once, and the most
 * frequent adjacent pair becomes a token until the vocabulary is full or no pair occurs twice.
 * Ids: 0–255 are the bytes, then the merges in order, then the special tokens.
 *
 * This is the whole of it in one thread, for browsers too; `train-team.node.ts` counts the words
 * in several threads and finds the same merges.
 */

import { NutshellError } from "../../error.ts";
import { type BpeTokenizer, createBpeTokenizer, type Merge } from "./bpe.ts";
import { learnMerges, type TieRule } from "./learn-merges.ts";
import { SPLIT_PATTERN } from "./pattern.ts";
import { BOS } from "./tokenizer.ts";
import { createWordCounter, type WordCounts } from "./word-counts.ts";

export interface TrainOptions {
  /** Ids in all: 256 bytes + merges + special tokens. Fewer come out when the text runs dry. */
  readonly vocabSize: number;
  /** Default: only `<|bos|>`. */
  readonly specialTokens?: readonly string[];
  /** Split pattern in the dialect of `pattern.ts`. */
  readonly pattern?: string;
  /** Default "smaller-ids". */
  readonly ties?: TieRule;
}

/** @throws TOKENIZER when vocabSize leaves no room for the bytes and special tokens */
export function trainBpe(texts: Iterable<string>, options: TrainOptions): BpeTokenizer {
  checkRoom(options);
  const counter = createWordCounter(options.pattern ?? SPLIT_PATTERN);
  for (const text of texts) counter.add(text, 0);
  return trainOnCounts(counter.result(), options);
}

/** The second half of training, for words that were counted elsewhere. */
export function trainOnCounts(counted: WordCounts, options: TrainOptions): BpeTokenizer {
  const { vocabSize, specialTokens = [BOS], pattern = SPLIT_PATTERN } = options;
  const mergeCount = vocabSize - 256 - specialTokens.length;
  const merges = learnMerges(counted, mergeCount, options.ties ?? "smaller-ids");
  return createBpeTokenizer({ ...layOut(merges, specialTokens), merges, pattern });
}

/** @throws TOKENIZER when vocabSize leaves no room for the bytes and special tokens */
export function checkRoom({ vocabSize, specialTokens = [BOS] }: TrainOptions): void {
  const least = 256 + specialTokens.length;
  if (Number.isInteger(vocabSize) && vocabSize >= least) return;
  throw new NutshellError(
    "TOKENIZER",
    `tokenizer train: vocabSize must be an integer of at least ${least} (256 bytes and ` +
      `${specialTokens.length} special tokens), got ${vocabSize}. Try 4096.`,
  );
}

/** Byte tokens, merged tokens, then special tokens without bytes. */
function layOut(
  merges: readonly Merge[],
  specials: readonly string[],
): { tokens: Uint8Array[]; byteIds: number[]; specialTokens: Map<string, number> } {
  const byteIds = Array.from({ length: 256 }, (_, byte) => byte);
  const tokens = byteIds.map((byte) => Uint8Array.of(byte));
  for (const [left, right] of merges) {
    tokens.push(Uint8Array.of(...(tokens[left] as Uint8Array), ...(tokens[right] as Uint8Array)));
  }
  const first = tokens.length;
  for (const _ of specials) tokens.push(new Uint8Array());
  return { tokens, byteIds, specialTokens: new Map(specials.map((name, i) => [name, first + i])) };
}
