/** Which tokenizer a prepared folder gets: the one it has while that is what is asked for. */

import { NutshellError } from "../../../error.ts";
import { fromTokenizerJson } from "../../tokenizer/tokenizer-json.ts";
import type { CleanedCorpus } from "../cleaning/cleaning.ts";
import type { Manifest } from "../shards/manifest.ts";
import { readTokenizer } from "../shards/prepared-folder.node.ts";
import type { PrepareConfig } from "./config.ts";
import { learnTokenizer, type RunTokenizer } from "./learn-tokenizer.node.ts";
import type { PrepareInputs } from "./prepare-inputs.node.ts";

/** @throws TOKENIZER when the vocabulary leaves no room for bytes and special tokens */
export async function chooseTokenizer(
  { tokenizer: kind, vocabSize }: PrepareConfig,
  folder: string,
  before: Manifest | undefined,
  { sources, threads }: PrepareInputs,
  corpus: CleanedCorpus,
): Promise<RunTokenizer> {
  const kept = before === undefined ? undefined : tryReadKept(folder, before);
  // A character vocabulary may lack what new text brings.
  if (kind === "bpe" && kept?.kind === kind && kept.vocabSize === vocabSize) return kept;
  return learnTokenizer(corpus, { kind, vocabSize, sources, threads });
}

/** @returns undefined where the file is gone or damaged */
function tryReadKept(folder: string, { tokenizer }: Manifest): RunTokenizer | undefined {
  try {
    return fromTokenizerJson(readTokenizer(folder, tokenizer), tokenizer.file);
  } catch (error) {
    if (error instanceof NutshellError) return undefined;
    throw error;
  }
}
