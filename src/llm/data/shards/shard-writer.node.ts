/**
 * Writes the shards of one side of a source, one after another, each of at most `maxTokens`. Only
 * a megabyte of tokens and the index of the shard at hand are in memory. The header, which holds
 * the counts, goes in last; whoever calls makes the finished files visible.
 */
import { type FileHandle, open } from "node:fs/promises";
import { join } from "node:path";
import { crc32 } from "node:zlib";
import { digestFile } from "../../../durable-file.node.ts";
import type { ManifestShard, Side } from "./manifest.ts";
import { BLOCK_TOKENS, encodeHeader, HEADER_BYTES } from "./shard-format.ts";

export interface SideWriterOptions {
  readonly folder: string;
  readonly side: Side;
  readonly bytesPerToken: 2 | 4;
  readonly maxTokens: number;
  /** Put before every document. */
  readonly bos: number | undefined;
}

export interface SideWriter {
  /** Adds a document. @param textBytes its UTF-8 bytes */
  add(tokens: ArrayLike<number>, textBytes: number): Promise<void>;
  /** Completes the last shard. @returns rows of the manifest, `file` relative to the folder */
  finish(): Promise<ManifestShard[]>;
  /** Closes what is open after a failure. */
  abandon(): Promise<void>;
}

export function createSideWriter(options: SideWriterOptions): SideWriter {
  const { folder, side, maxTokens, bos } = options;
  const start = bos === undefined ? [] : [bos];
  const done: ManifestShard[] = [];
  let shard: ShardInProgress | undefined;

  async function endShard(): Promise<void> {
    if (shard !== undefined) done.push(await shard.finish());
    shard = undefined;
  }

  /** The shard at hand, or the next one when it is full. */
  async function openShard(): Promise<ShardInProgress> {
    if (shard?.tokens === maxTokens) await endShard();
    if (shard !== undefined) return shard;
    const file = `${side}-${String(done.length).padStart(4, "0")}.shard`;
    shard = await startShard(join(folder, file), file, options);
    return shard;
  }

  /** Writes on, into as many shards as it takes. */
  async function append(tokens: ArrayLike<number>): Promise<void> {
    for (let at = 0; at < tokens.length; ) {
      const current = await openShard();
      at += await current.write(tokens, at, maxTokens - current.tokens);
    }
  }

  return {
    async add(tokens, textBytes) {
      if (start.length + tokens.length === 0) return;
      (await openShard()).beginDocument(textBytes);
      await append(start);
      await append(tokens);
    },
    async finish() {
      await endShard();
      return done;
    },
    abandon: async () => shard?.close(),
  };
}

interface ShardInProgress {
  readonly tokens: number;
  beginDocument(textBytes: number): void;
  /** Takes tokens from `at` on, `most` at most. @returns how many */
  write(tokens: ArrayLike<number>, at: number, most: number): Promise<number>;
  finish(): Promise<ManifestShard>;
  close(): Promise<void>;
}

async function startShard(
  path: string,
  name: string,
  { side, bytesPerToken }: SideWriterOptions,
): Promise<ShardInProgress> {
  const file = await open(path, "wx");
  const block = bytesPerToken === 2 ? new Uint16Array(BLOCK_TOKENS) : new Int32Array(BLOCK_TOKENS);
  const starts: number[] = [];
  const crcs: number[] = [];
  let [tokens, filled, textBytes, position] = [0, 0, 0, HEADER_BYTES];

  async function append(bytes: Uint8Array): Promise<void> {
    await writeAll(file, bytes, position);
    position += bytes.length;
  }

  async function endBlock(): Promise<void> {
    if (filled === 0) return;
    const bytes = new Uint8Array(block.buffer, 0, filled * bytesPerToken);
    crcs.push(crc32(bytes));
    filled = 0;
    await append(bytes);
  }

  return {
    get tokens() {
      return tokens;
    },
    beginDocument(bytes) {
      starts.push(tokens);
      textBytes += bytes;
    },
    async write(from, at, most) {
      const count = Math.min(from.length - at, most, BLOCK_TOKENS - filled);
      for (let i = 0; i < count; i++) block[filled + i] = from[at + i] as number;
      filled += count;
      tokens += count;
      if (filled === BLOCK_TOKENS) await endBlock();
      return count;
    },
    async finish() {
      await endBlock();
      position = 4 * Math.ceil(position / 4);
      const index = new Uint8Array(Uint32Array.from(starts.concat(crcs)).buffer);
      await append(index);
      const counts = { side, tokens, documents: starts.length, textBytes };
      const header = encodeHeader({ ...counts, bytesPerToken, indexCrc: crc32(index) }, crc32);
      await writeAll(file, header, 0);
      await file.sync();
      await file.close();
      return { file: name, ...(await digestFile(path)), ...counts };
    },
    close: () => file.close(),
  };
}

async function writeAll(file: FileHandle, bytes: Uint8Array, position: number): Promise<void> {
  for (let at = 0; at < bytes.length; )
    at += (await file.write(bytes, at, bytes.length - at, position + at)).bytesWritten;
}
