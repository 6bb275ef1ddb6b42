/** A small corpus of several sources, prepared into a folder as `nutshell data prepare` does. */
import { contentHash } from "../../../../src/llm/data/cleaning/content-hash.ts";
import { finishPrepared } from "../../../../src/llm/data/shards/finish-prepared.node.ts";
import type { Manifest, ManifestSource } from "../../../../src/llm/data/shards/manifest.ts";
import {
  type PrepareShardsOptions,
  planShards,
  prepareShards,
  type ShardDocument,
} from "../../../../src/llm/data/shards/prepare-shards.node.ts";
import type { BpeTokenizer } from "../../../../src/llm/tokenizer/bpe.ts";
import { toTokenizerJson } from "../../../../src/llm/tokenizer/tokenizer-json.ts";
import { trainBpe } from "../../../../src/llm/tokenizer/train.ts";

export const tokenizer: BpeTokenizer = trainBpe(["the cat sat on the mat über 日本 0123456789"], {
  vocabSize: 290,
});
export const bos: number = tokenizer.special("<|bos|>");

export interface Texts {
  readonly name: string;
  readonly texts: readonly string[];
}

/** Documents that no two calls with other seeds share. */
export function textsOf(seed: number, count: number): string[] {
  return Array.from(
    { length: count },
    (_, i) => `${seed}: the cat ${i} sat on the mat, über ${i * i}`,
  );
}

export function documentsOf(texts: readonly string[]): ShardDocument[] {
  return texts.map((text) => ({ text, contentHash: contentHash(text) }));
}

export interface PrepareTextsOptions {
  readonly maxShardTokens?: number;
  /** Before each document. */
  readonly onDocument?: () => void;
  /** When all shards are made and the manifest is not. */
  readonly onShards?: () => void;
}

/** @returns the manifest and the sources that were found made */
export async function prepareTexts(
  folder: string,
  sources: readonly Texts[],
  { maxShardTokens = 500, onDocument = () => {}, onShards = () => {} }: PrepareTextsOptions = {},
): Promise<{ manifest: Manifest; kept: string[] }> {
  const rows: ManifestSource[] = [];
  const kept: string[] = [];
  for (const { name, texts } of sources) {
    const documents = documentsOf(texts);
    const options: PrepareShardsOptions = {
      ...{ folder, tokenizer, maxShardTokens },
      plan: planShards(
        name,
        "tokenizer 1",
        [],
        documents.map((row) => row.contentHash),
      ),
      encoder: { encodeBatch: async (batch) => batch.map((text) => tokenizer.encode(text)) },
      *documents() {
        for (const document of documents) {
          onDocument();
          yield document;
        }
      },
    };
    const { kept: wasThere, ...made } = await prepareShards(options);
    if (wasThere) kept.push(name);
    const facts = { licence: "CC0", card: "", domain: "other", weight: 1, parts: [] } as const;
    rows.push({ name, ...facts, ...made, documents: texts.length, bytes: 0 });
  }
  onShards();
  const json = toTokenizerJson(tokenizer);
  const { vocabSize } = tokenizer;
  const rest = { origin: "a test", stamp: "", cleaning: "none", mixture: {}, sources: rows };
  return { kept, manifest: await finishPrepared(folder, { json, vocabSize, bos }, rest) };
}
