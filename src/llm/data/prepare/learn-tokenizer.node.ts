/**
 * The tokenizer of a prepared folder: learned from kept training documents in the proportions of
 * the mixture, the same whatever the number of threads.
 */
import type { BpeTokenizer } from "../../tokenizer/bpe.ts";
import { type CharacterTokenizer, characterTokenizer } from "../../tokenizer/character.ts";
import { specialTokens } from "../../tokenizer/special-tokens.ts";
import { trainBpeTeam } from "../../tokenizer/train-team.node.ts";
import type { CleanedCorpus } from "../cleaning/cleaning.ts";
import { readFractions } from "../mixture/budget.ts";
import { isHeldOut } from "../shards/split.ts";

export type RunTokenizer = BpeTokenizer | CharacterTokenizer;

/** Text that a vocabulary is learned from; more of it changes few merges. */
const TOKENIZER_BYTES = 32_000_000;
/** Of one document at most: a single book should not name its heroes in the vocabulary. */
const MOST_CHARACTERS = 1 << 16;

export interface LearnOptions {
  readonly kind: "bpe" | "character";
  readonly vocabSize: number;
  readonly sources: readonly { readonly name: string; readonly weight: number }[];
  readonly threads: number;
}

/** @throws TOKENIZER when the vocabulary leaves no room for bytes and special tokens */
export async function learnTokenizer(
  corpus: CleanedCorpus,
  options: LearnOptions,
): Promise<RunTokenizer> {
  if (options.kind === "character") return characterTokenizer(await allCharacters(corpus, options));
  return trainBpeTeam(sampleTexts(corpus, options), { ...options, specialTokens }, options.threads);
}

/** Every character once: what is validated on must be writable too. */
async function allCharacters(corpus: CleanedCorpus, { sources }: LearnOptions): Promise<string> {
  const found = new Set<string>();
  for (const { name } of sources)
    for await (const { text } of corpus.keptDocuments(name)) for (const c of text) found.add(c);
  return [...found].join("");
}

async function* sampleTexts(corpus: CleanedCorpus, options: LearnOptions): AsyncGenerator<string> {
  const { sources } = options;
  const sizes = sources.map(({ name }) => keptBytes(corpus, name));
  const weights = sources.map(({ weight }) => weight);
  const fractions = readFractions(sizes, weights, TOKENIZER_BYTES);
  for (const [i, { name }] of sources.entries()) {
    const below = BigInt(Math.ceil((fractions[i] as number) * 2 ** 32));
    for await (const { text, contentHash } of corpus.keptDocuments(name)) {
      // The upper half of the hash: the side of the split follows from the whole of it.
      const taken = contentHash >> 32n < below && !isHeldOut(contentHash);
      if (taken) yield text.slice(0, MOST_CHARACTERS);
    }
  }
}

function keptBytes({ summary }: CleanedCorpus, name: string): number {
  return summary.sources.find((source) => source.name === name)?.kept.bytes ?? 0;
}
