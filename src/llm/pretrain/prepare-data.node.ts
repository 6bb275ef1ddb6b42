/**
 * Text → tokens for a run: reads the mixture, trains the tokenizer unless the run has one already,
 * tokenises (through a cache in the run's folder). All of it follows from the files and the config.
 */
import { createHash } from "node:crypto";
import { join } from "node:path";
import { setImmediate } from "node:timers/promises";
import { totalBytes } from "../data/document.ts";
import { loadMixture, type Mixture } from "../data/mixture.node.ts";
import { tokenizeCached } from "../data/token-cache.node.ts";
import { tokenizerText } from "../data/tokenizer-text.ts";
import type { TokenSource } from "../data/tokens.ts";
import type { BpeTokenizer } from "../tokenizer/bpe.ts";
import { type CharacterTokenizer, characterTokenizer } from "../tokenizer/character.ts";
import { trainBpe } from "../tokenizer/train.ts";
import type { PretrainConfig } from "./config.ts";
import type { SourceRow } from "./mixture-table.ts";
import { renderMixture } from "./mixture-table.ts";
import type { Talk } from "./talk.ts";

export type RunTokenizer = BpeTokenizer | CharacterTokenizer;

export interface PreparedData {
  readonly origin: string;
  readonly tokenizer: RunTokenizer;
  readonly sources: readonly TokenSource[];
  readonly rows: readonly SourceRow[];
  /** SHA-256 over names, weights and tokens: what training draws from. */
  readonly hash: string;
}

const TOKENIZER_BYTES = 8_000_000;

/**
 * @param known the tokenizer of a run that is resumed
 * @throws DATA, TOKENIZER; the signal's reason when it aborts between two parts of the work
 */
export async function prepareData(
  config: PretrainConfig,
  known: RunTokenizer | undefined,
  talk: Talk,
  signal: AbortSignal,
): Promise<PreparedData> {
  const { data, maxBytes } = config;
  const mixture = loadMixture({
    ...(data === undefined ? {} : { data }),
    ...(maxBytes === undefined ? {} : { maxBytes }),
  });
  await breathe(signal);
  const tokenizer = known ?? trainTokenizer(config, mixture);
  if (known === undefined) talk.say(`tokenizer: ${tokenizer.vocabSize} tokens, learned from it`);
  const sources: TokenSource[] = [];
  for (const source of mixture.sources) {
    await breathe(signal);
    talk.status(`tokenising ${source.name}`);
    const cache = join(config.out, "tokens", source.name);
    sources.push(...tokenizeCached([source], tokenizer, cache));
  }
  const rows = mixture.sources.map((source, i) => toRow(source, sources[i] as TokenSource));
  talk.say(`text from ${mixture.origin}\n${renderMixture(rows)}`);
  return { origin: mixture.origin, tokenizer, sources, rows, hash: hashSources(sources) };
}

/** Lets signals in: reading and tokenising hold the event loop. */
async function breathe(signal: AbortSignal): Promise<void> {
  await setImmediate();
  signal.throwIfAborted();
}

function trainTokenizer(config: PretrainConfig, { sources }: Mixture): RunTokenizer {
  if (config.tokenizer === "bpe")
    return trainBpe(tokenizerText(sources, TOKENIZER_BYTES), { vocabSize: config.vocabSize });
  const texts = sources.flatMap(({ train, validation }) => [...train, ...validation]);
  return characterTokenizer(texts.map(({ text }) => text).join(""));
}

function toRow(source: Mixture["sources"][number], tokens: TokenSource): SourceRow {
  const { name, licence, weight, train } = source;
  const trainBytes = totalBytes(train);
  return { name, licence, weight, trainBytes, trainTokens: tokens.train.length };
}

function hashSources(sources: readonly TokenSource[]): string {
  const hash = createHash("sha256");
  for (const { name, weight, train, validation } of sources) {
    hash.update(`${name}\0${weight}\0${train.length}\0${validation.length}\0`);
    for (const { buffer, byteOffset, byteLength } of [train, validation])
      hash.update(new Uint8Array(buffer, byteOffset, byteLength));
  }
  return hash.digest("hex");
}
