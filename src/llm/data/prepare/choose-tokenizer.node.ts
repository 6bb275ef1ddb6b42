/** Which tokenizer a prepared folder gets: the one it has while that is what is asked for. */

import { fromTokenizerJson } from "../../tokenizer/tokenizer-json.ts";
import type { CleanedCorpus } from "../cleaning/cleaning.ts";
import type { Manifest } from "../shards/manifest.ts";
import { readTokenizer } from "../shards/prepared-folder.node.ts";
import type { PrepareConfig } from "./config.ts";
import { learnTokenizer, type RunTokenizer } from "./learn-tokenizer.node.ts";
import type { PrepareInputs } from "./prepare-inputs.node.ts";

/** @throws TOKENIZER; DATA when the folder's own tokenizer is damaged */
export async function chooseTokenizer(
  { tokenizer: kind, vocabSize }: PrepareConfig,
  folder: string,
  before: Manifest | undefined,
  { sources, threads }: PrepareInputs,
  corpus: CleanedCorpus,
): Promise<RunTokenizer> {
  if (before !== undefined && kind === "bpe" && before.tokenizer.vocabSize === vocabSize) {
    const kept = fromTokenizerJson(readTokenizer(folder, before.tokenizer), before.tokenizer.file);
    if (kept.kind === kind) return kept;
  }
  return learnTokenizer(corpus, { kind, vocabSize, sources, threads });
}
