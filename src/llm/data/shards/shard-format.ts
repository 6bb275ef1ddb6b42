/**
 * A shard file: tokens of one side of one source, and where documents begin among them. All
 * numbers are little endian, every section starts on a multiple of 4.
 *
 *     0   "NUTSHARD"
 *     8   u32 version | u32 bytes per token (2 or 4) | u32 side | u32 tokens of a block
 *     24  u64 tokens | u64 documents | u64 UTF-8 bytes of the documents
 *     48  u32 0 | u32 CRC-32 of the sections after the tokens | u32 CRC-32 of bytes 0 … 55 | u32 0
 *     64  tokens
 *         u32 × documents: where each begins, counted in tokens of this shard
 *         u32 × blocks: CRC-32 of each block of tokens
 *
 * A document may begin in one shard and end in the next: the shards of a side are one sequence.
 * The CRC of a block is compared when it is first read, so opening is O(documents) and still no
 * damaged token is ever trained on.
 */
import type { Side } from "./manifest.ts";

export interface ShardHeader {
  readonly side: Side;
  readonly bytesPerToken: 2 | 4;
  readonly tokens: number;
  readonly documents: number;
  readonly textBytes: number;
  /** CRC-32 of the sections after the tokens. */
  readonly indexCrc: number;
}

export const HEADER_BYTES = 64;
/** Tokens that share a CRC: 128 or 256 KB are checked in some 50 µs. */
export const BLOCK_TOKENS: number = 1 << 16;

const MAGIC = "NUTSHARD";
const VERSION = 1;
const CHECKED_BYTES = 56;
const sides: readonly Side[] = ["train", "validation"];

/** CRC-32 as zlib computes it; given, since this file runs anywhere. */
type Crc = (bytes: Uint8Array) => number;

export function encodeHeader(header: ShardHeader, crc: Crc): Uint8Array {
  const bytes = new Uint8Array(HEADER_BYTES);
  const view = new DataView(bytes.buffer);
  bytes.set(new TextEncoder().encode(MAGIC));
  view.setUint32(8, VERSION, true);
  view.setUint32(12, header.bytesPerToken, true);
  view.setUint32(16, sides.indexOf(header.side), true);
  view.setUint32(20, BLOCK_TOKENS, true);
  view.setBigUint64(24, BigInt(header.tokens), true);
  view.setBigUint64(32, BigInt(header.documents), true);
  view.setBigUint64(40, BigInt(header.textBytes), true);
  view.setUint32(52, header.indexCrc, true);
  view.setUint32(56, crc(bytes.subarray(0, CHECKED_BYTES)), true);
  return bytes;
}

/** @returns what is wrong with the bytes as `rule, got values` where they are no header */
export function decodeHeader(bytes: Uint8Array, crc: Crc): ShardHeader | string {
  const magic = String.fromCharCode(...bytes.subarray(0, MAGIC.length));
  if (magic !== MAGIC) return `start with ${MAGIC}, got ${JSON.stringify(magic)}`;
  const view = new DataView(bytes.buffer, bytes.byteOffset, HEADER_BYTES);
  const version = view.getUint32(8, true);
  if (version !== VERSION) return `be of version ${VERSION}, got ${version}`;
  if (view.getUint32(56, true) !== crc(bytes.subarray(0, CHECKED_BYTES)))
    return "have an undamaged header, got another checksum";
  return {
    side: sides[view.getUint32(16, true)] as Side,
    bytesPerToken: view.getUint32(12, true) as 2 | 4,
    tokens: Number(view.getBigUint64(24, true)),
    documents: Number(view.getBigUint64(32, true)),
    textBytes: Number(view.getBigUint64(40, true)),
    indexCrc: view.getUint32(52, true),
  };
}

export interface ShardLayout {
  readonly startsAt: number;
  readonly crcsAt: number;
  readonly blocks: number;
  /** Size of the whole file. */
  readonly bytes: number;
}

/** Where the sections lie. */
export function shardLayout(header: ShardHeader): ShardLayout {
  const { tokens, documents, bytesPerToken } = header;
  const startsAt = HEADER_BYTES + 4 * Math.ceil((tokens * bytesPerToken) / 4);
  const crcsAt = startsAt + 4 * documents;
  const blocks = Math.ceil(tokens / BLOCK_TOKENS);
  return { startsAt, crcsAt, blocks, bytes: crcsAt + 4 * blocks };
}
