/**
 * gpt2 and cl100k_base to compare with, where they can be found: GPT-2's two files beside the
 * checkout, and the ranks of `js-tiktoken`, which is installed for development only.
 */
import { existsSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { gunzipSync } from "node:zlib";
import { fromTiktokenRanks, type TiktokenRanks } from "../../llm/tokenizer/tiktoken.ts";
import type { Tokenizer } from "../../llm/tokenizer/tokenizer.ts";
import { fromTokenizerJson } from "../../llm/tokenizer/tokenizer-json.ts";

export interface KnownVocabulary {
  readonly name: string;
  /** What to do where it is missing. */
  readonly hint: string;
  tryLoad(): Promise<Tokenizer | undefined>;
}

const BESIDE = fileURLToPath(new URL("../../../../shared/data/tokenizer/gpt2/", import.meta.url));
const INSTALL = "npm install --no-save js-tiktoken";

export const knownVocabularies: readonly KnownVocabulary[] = [
  {
    name: "gpt2",
    hint: `needs ../shared/data/tokenizer/gpt2, or: ${INSTALL}`,
    tryLoad: async () => tryGpt2Files() ?? (await tryRanks(() => import("js-tiktoken/ranks/gpt2"))),
  },
  {
    name: "cl100k_base",
    hint: `needs: ${INSTALL}`,
    tryLoad: () => tryRanks(() => import("js-tiktoken/ranks/cl100k_base")),
  },
];

/** @throws TOKENIZER when the ranks are damaged; a package that is not installed is no failure */
async function tryRanks(
  load: () => Promise<{ default: TiktokenRanks }>,
): Promise<Tokenizer | undefined> {
  try {
    return fromTiktokenRanks((await load()).default);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ERR_MODULE_NOT_FOUND") return undefined;
    throw error;
  }
}

/** `encoder.json` is a vocabulary, `vocab.bpe` the merges below a line with their version. */
function tryGpt2Files(): Tokenizer | undefined {
  const [vocabFile, mergeFile] = ["encoder.json.gz", "vocab.bpe.gz"].map((name) => BESIDE + name);
  if (!existsSync(vocabFile as string) || !existsSync(mergeFile as string)) return undefined;
  const vocab = JSON.parse(gunzipText(vocabFile as string)) as Record<string, number>;
  const [, ...merges] = gunzipText(mergeFile as string)
    .trimEnd()
    .split("\n");
  return fromTokenizerJson(
    JSON.stringify({
      added_tokens: [{ content: "<|endoftext|>", id: vocab["<|endoftext|>"] }],
      pre_tokenizer: { type: "ByteLevel", add_prefix_space: false },
      model: { type: "BPE", vocab, merges },
    }),
    vocabFile,
  );
}

function gunzipText(file: string): string {
  return gunzipSync(readFileSync(file)).toString("utf8");
}
