/** One shard file opened for reading: checked against its row of the manifest, blocks on demand. */
import { statSync } from "node:fs";
import { crc32 } from "node:zlib";
import { NutshellError } from "../../../error.ts";
import type { ManifestShard } from "./manifest.ts";
import { type Access, type FileBytes, mapFile } from "./map-file.node.ts";
import {
  BLOCK_TOKENS,
  decodeHeader,
  HEADER_BYTES,
  type ShardHeader,
  shardLayout,
} from "./shard-format.ts";
import type { TokenArray } from "./token-documents.ts";

export interface ShardFile extends Disposable {
  readonly access: Access;
  readonly header: ShardHeader;
  /** Where documents begin, counted in tokens of this shard. */
  readonly starts: Uint32Array;
  /** @throws DATA when a block that holds any of these tokens is damaged */
  copyTo(out: Int32Array, at: number, start: number, count: number): void;
}

/**
 * @param expected the manifest's row; its checksum of the whole file is not compared here
 * @param load how the bytes come into memory
 * @throws DATA when the file is missing, cut off, or not the one that the manifest names
 */
export function openShard(
  path: string,
  expected: ManifestShard,
  load: (path: string) => FileBytes = mapFile,
): ShardFile {
  const found = statSync(path, { throwIfNoEntry: false });
  if (found === undefined) throw badShard(path, "be there, got no file");
  if (found.size !== expected.bytes || found.size < HEADER_BYTES)
    throw badShard(path, `have ${expected.bytes} bytes, got ${found.size}`);
  const file = load(path);
  try {
    return viewShard(path, file.bytes, expected, file);
  } catch (error) {
    file[Symbol.dispose]();
    throw error;
  }
}

function viewShard(
  path: string,
  bytes: Uint8Array,
  expected: ManifestShard,
  file: Disposable & { readonly access: Access },
): ShardFile {
  const header = decodeHeader(bytes, crc32);
  if (typeof header === "string") throw badShard(path, header);
  for (const key of ["side", "tokens", "documents", "textBytes"] as const)
    if (header[key] !== expected[key])
      throw badShard(path, `have ${key} ${expected[key]}, got ${header[key]}`);
  const { startsAt, crcsAt, blocks, bytes: size } = shardLayout(header);
  if (size !== bytes.length || crc32(bytes.subarray(startsAt)) !== header.indexCrc)
    throw badShard(path, "have an undamaged index, got another checksum");
  const words = (at: number, count: number) => new Uint32Array(bytes.buffer, at, count);
  const crcs = words(crcsAt, blocks);
  const check = (block: number): void => {
    const width = BLOCK_TOKENS * header.bytesPerToken;
    const from = HEADER_BYTES + block * width;
    const to = Math.min(from + width, HEADER_BYTES + header.tokens * header.bytesPerToken);
    if (crc32(bytes.subarray(from, to)) !== crcs[block])
      throw badShard(path, `have undamaged tokens, got another checksum at byte ${from}`);
  };
  return {
    ...{ header, access: file.access, starts: words(startsAt, header.documents) },
    copyTo: checkedCopy(tokensOf(bytes, header), blocks, check),
    [Symbol.dispose]: () => file[Symbol.dispose](),
  };
}

function tokensOf({ buffer }: Uint8Array, { bytesPerToken, tokens }: ShardHeader): TokenArray {
  const View = bytesPerToken === 2 ? Uint16Array : Int32Array;
  return new View(buffer as ArrayBuffer, HEADER_BYTES, tokens);
}

/** Copies, but checks each block before the first of its tokens goes out. */
function checkedCopy(
  tokens: TokenArray,
  blocks: number,
  check: (block: number) => void,
): ShardFile["copyTo"] {
  const checked = new Uint8Array(blocks);
  return (out, at, start, count) => {
    for (
      let block = Math.floor(start / BLOCK_TOKENS);
      block * BLOCK_TOKENS < start + count;
      block++
    ) {
      if (checked[block] === 1) continue;
      check(block);
      checked[block] = 1;
    }
    for (let i = 0; i < count; i++) out[at + i] = tokens[start + i] as number;
  };
}

/** @param rule what a shard must, and what it got instead */
export function badShard(path: string, rule: string): NutshellError {
  return new NutshellError(
    "DATA",
    `${path}: a shard must ${rule}. Run \`nutshell data prepare\` again: it rebuilds what is ` +
      "damaged, and nothing else.",
  );
}
