/** The kept documents of one source → its shards and its row in the manifest. */
import { createHash } from "node:crypto";
import { toTokenizerJson } from "../../tokenizer/tokenizer-json.ts";
import type { CleanedCorpus } from "../cleaning/cleaning.ts";
import type { ManifestPart, ManifestSource } from "../shards/manifest.ts";
import { type DocumentEncoder, planShards, prepareShards } from "../shards/prepare-shards.node.ts";
import type { SourceSpec } from "../sources/source.ts";
import type { RunTokenizer } from "./learn-tokenizer.node.ts";
import type { PrepareTalk } from "./talk.ts";

/** Where the shards go, and with what they are made. */
export interface ShardTarget {
  readonly folder: string;
  readonly tokenizer: RunTokenizer;
  readonly encoder: DocumentEncoder;
  readonly talk: PrepareTalk;
  readonly signal: AbortSignal;
}

/** @param parts what the source was read from */
export async function shardSource(
  source: SourceSpec,
  parts: readonly ManifestPart[],
  corpus: CleanedCorpus,
  { folder, tokenizer, encoder, talk, signal }: ShardTarget,
): Promise<ManifestSource> {
  const { name, licence, language, card, domain, weight, maxEpochs } = source;
  const kept = corpus.summary.sources.find((row) => row.name === name)?.kept;
  const { documents = 0, bytes = 0 } = kept ?? {};
  const tokenizerHash = hashOf(toTokenizerJson(tokenizer));
  const plan = planShards(name, tokenizerHash, corpus.keysOf(name), corpus.keptHashes(name));
  const { key, shards } = await prepareShards({
    ...{ folder, plan, tokenizer, encoder, signal },
    documents: () => corpus.keptDocuments(name),
    progress: (_, done) =>
      talk.progress({ phase: `tokenising ${name}`, done, total: bytes, unit: "bytes" }),
  });
  return {
    ...{ name, licence, card, domain, weight, parts, documents, bytes, key, shards },
    ...(language === undefined ? {} : { language }),
    ...(maxEpochs === undefined ? {} : { maxEpochs }),
  };
}

function hashOf(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}
