/**
 * Documents of one source → its shards, in a folder of their own whose name holds the key of what
 * they were made from. The folder is filled under another name and renamed when all of it is on
 * the disk, so a killed run leaves it whole or not at all, and what is whole is never made again.
 */
import { createHash } from "node:crypto";
import { mkdir, rm } from "node:fs/promises";
import { join } from "node:path";
import {
  digestFile,
  diskError,
  tryReadText,
  writeDurably,
  writeFolderAtomically,
} from "../../../durable-file.node.ts";
import { utf8Length } from "../document.ts";
import type { ManifestShard, Side, SourceShards } from "./manifest.ts";
import { createSideWriter, type SideWriter } from "./shard-writer.node.ts";
import { type SplitFacts, splitFacts, splitText } from "./split.ts";

/** A document that cleaning kept. */
export interface ShardDocument {
  readonly text: string;
  /** 64 bits; see `cleaning/content-hash.ts`. */
  readonly contentHash: bigint;
}

/** What shards follow from, known before any document is tokenised. */
export interface ShardPlan {
  readonly name: string;
  readonly key: string;
  readonly facts: SplitFacts;
}

/** Turns texts into tokens, without specials: a team of threads, or one that runs here. */
export interface DocumentEncoder {
  encodeBatch(texts: readonly string[]): Promise<ArrayLike<number>[]>;
}

export interface PrepareShardsOptions {
  /** The prepared folder. */
  readonly folder: string;
  readonly plan: ShardPlan;
  readonly tokenizer: { readonly vocabSize: number; readonly bos: number | undefined };
  readonly encoder: DocumentEncoder;
  /** Called only when shards must be made; the order is that of the plan's hashes. */
  documents(): AsyncIterable<ShardDocument> | Iterable<ShardDocument>;
  /** Tokens of a shard at most; default 64 Mi. */
  readonly maxShardTokens?: number;
  readonly signal?: AbortSignal;
  /** Told after each batch what was done so far. */
  progress?(documents: number, textBytes: number): void;
}

export const SHARDS_FOLDER = "shards";
const TORN = ".torn-";
const MAX_SHARD_TOKENS = 1 << 26;
/** Of texts that are encoded together: enough to keep threads busy, little enough to hold twice. */
const BATCH_CHARACTERS = 1 << 21;

/**
 * @param madeFrom hashes of everything else that the texts follow from: files, cleaning options
 * @param hashes content hashes of the kept documents, in order
 */
export function planShards(
  name: string,
  tokenizerHash: string,
  madeFrom: readonly string[],
  hashes: Iterable<bigint>,
): ShardPlan {
  const list = BigUint64Array.from(hashes);
  const hash = createHash("sha256").update(JSON.stringify([1, name, tokenizerHash, madeFrom]));
  return { name, key: hash.update(list).digest("hex"), facts: splitFacts(list) };
}

/**
 * Makes the shards of one source, or finds them made and undamaged.
 * @throws DISK; what `documents` and the encoder throw; the signal's reason
 */
export async function prepareShards(
  options: PrepareShardsOptions,
): Promise<SourceShards & { readonly kept: boolean }> {
  const { folder, plan } = options;
  const place = `${plan.name.replace(/[^\w.-]/g, "_").slice(0, 80)}-${plan.key.slice(0, 16)}`;
  const kept = await tryKeep(folder, place, plan.key);
  if (kept !== undefined) return { ...kept, kept: true };
  const parent = join(folder, SHARDS_FOLDER);
  const target = join(parent, place);
  const temporary = join(parent, `${TORN}${place}-${process.pid}`);
  try {
    await mkdir(parent, { recursive: true });
    await rm(temporary, { recursive: true, force: true });
    let made: SourceShards | undefined;
    await writeFolderAtomically(temporary, target, parent, async () => {
      made = { key: plan.key, shards: placeIn(place, await writeSides(options, temporary)) };
      const record = new TextEncoder().encode(`${JSON.stringify(made, null, 2)}\n`);
      await writeDurably(join(temporary, RECORD), [record]);
      // What is there under this name is damaged, or it had been kept.
      await rm(target, { recursive: true, force: true });
    });
    return { ...(made as SourceShards), kept: false };
  } catch (error) {
    throw diskError(target, error, "What was finished stays. Then prepare again.");
  }
}

/** Beside the shards: what they are, for a run that was killed before it wrote a manifest. */
const RECORD = "source.json";

/** @returns undefined where the shards are not there, or not as they were written */
async function tryKeep(
  folder: string,
  place: string,
  key: string,
): Promise<SourceShards | undefined> {
  const text = await tryReadText(join(folder, SHARDS_FOLDER, place, RECORD));
  if (text === undefined) return undefined;
  try {
    const record = JSON.parse(text) as SourceShards;
    if (record.key !== key) return undefined;
    for (const { file, bytes, sha256 } of record.shards) {
      const found = await digestFile(join(folder, file));
      if (found.bytes !== bytes || found.sha256 !== sha256) return undefined;
    }
    return { key, shards: record.shards };
  } catch {
    return undefined; // Torn or missing files: the shards are made again.
  }
}

function placeIn(place: string, shards: readonly ManifestShard[]): ManifestShard[] {
  return shards.map((shard) => ({ ...shard, file: `${SHARDS_FOLDER}/${place}/${shard.file}` }));
}

async function writeSides(options: PrepareShardsOptions, folder: string): Promise<ManifestShard[]> {
  const { tokenizer, maxShardTokens = MAX_SHARD_TOKENS } = options;
  const bytesPerToken = tokenizer.vocabSize <= 65536 ? 2 : 4;
  const writerOf = (side: Side) =>
    createSideWriter({
      folder,
      side,
      bytesPerToken,
      maxTokens: maxShardTokens,
      bos: tokenizer.bos,
    });
  const writers = { train: writerOf("train"), validation: writerOf("validation") };
  try {
    await writeDocuments(options, writers);
    return [...(await writers.train.finish()), ...(await writers.validation.finish())];
  } catch (error) {
    await Promise.allSettled([writers.train.abandon(), writers.validation.abandon()]);
    throw error;
  }
}

interface SidedText {
  readonly side: Side;
  readonly text: string;
}

/** While one batch is encoded, by threads, the next one is read. */
async function writeDocuments(
  { documents, encoder, plan, signal, progress }: PrepareShardsOptions,
  writers: Readonly<Record<Side, SideWriter>>,
): Promise<void> {
  let [done, bytes] = [0, 0];
  let before = async (): Promise<void> => {};
  for await (const batch of batchesOf(documents(), plan.facts)) {
    signal?.throwIfAborted();
    const encoded = encoder.encodeBatch(batch.map(({ text }) => text));
    // A failure of the batch before ends the loop, and nobody waits for this one any more.
    encoded.catch(() => {});
    await before();
    before = async () => {
      for (const [i, tokens] of (await encoded).entries()) {
        const { side, text } = batch[i] as SidedText;
        const textBytes = utf8Length(text);
        await writers[side].add(tokens, textBytes);
        bytes += textBytes;
      }
      done += batch.length;
      progress?.(done, bytes);
    };
  }
  await before();
}

async function* batchesOf(
  documents: AsyncIterable<ShardDocument> | Iterable<ShardDocument>,
  facts: SplitFacts,
): AsyncGenerator<SidedText[]> {
  let [batch, characters]: [SidedText[], number] = [[], 0];
  for await (const { text, contentHash } of documents) {
    for (const part of splitText(text, contentHash, facts)) batch.push(part);
    characters += text.length;
    if (characters < BATCH_CHARACTERS) continue;
    yield batch;
    [batch, characters] = [[], 0];
  }
  if (batch.length > 0) yield batch;
}
