/**
 * What a part holds, as a hash and as a size: the hash decides whether it has to be read again,
 * the size, a quick estimate, how much of a budget it may take.
 */

import { createHash } from "node:crypto";
import { statSync } from "node:fs";
import { join } from "node:path";
import { builtinBytes, builtinVersion } from "../builtin/builtin.node.ts";
import { fileHead, fileTail, rawBytes } from "./file-bytes.node.ts";
import { readError } from "./file-error.node.ts";
import { isGzip } from "./file-kind.ts";
import { parquetTextBytes } from "./read-parquet.node.ts";
import type { SourcePart } from "./source.ts";

/**
 * SHA-256 in hex: of a file's bytes as they lie on disk; of the names and bytes of several; of what
 * a built-in text is made from.
 * @throws DATA when a file cannot be read
 */
export async function hashPart(part: SourcePart): Promise<string> {
  const hash = createHash("sha256");
  if (part.kind === "builtin") return hash.update(builtinVersion(part.name)).digest("hex");
  if (part.kind === "file") {
    for await (const chunk of rawBytes(part.path)) hash.update(chunk);
    return hash.digest("hex");
  }
  for (const file of part.files) {
    const one = createHash("sha256");
    for await (const chunk of rawBytes(join(part.root, file))) one.update(chunk);
    hash.update(`${one.digest("hex")} ${file}\n`);
  }
  return hash.digest("hex");
}

/**
 * Bytes of text in a part, without reading it: exact for plain files, nearly so for gzip (its
 * trailer, which counts modulo 4 GiB and the last member only) and Parquet (its metadata).
 * @throws DATA when a file is missing or may not be read
 */
export async function estimateBytes(part: SourcePart): Promise<number> {
  if (part.kind === "builtin") return builtinBytes(part.name);
  if (part.kind === "file") {
    return part.format === "parquet" ? parquetTextBytes(part.path) : fileTextBytes(part.path);
  }
  return part.files.reduce((sum, file) => sum + sizeOf(join(part.root, file)), 0);
}

/** English text packs to about a third. */
const USUAL_RATIO = 3;

async function fileTextBytes(path: string): Promise<number> {
  const size = sizeOf(path);
  if (size < 20 || !isGzip(await fileHead(path, 2))) return size;
  const trailer = await fileTail(path, 4);
  const unpacked = trailer.readUInt32LE(0);
  return unpacked >= size / 2 ? unpacked : size * USUAL_RATIO;
}

function sizeOf(path: string): number {
  try {
    return statSync(path).size;
  } catch (cause) {
    throw readError(path, cause);
  }
}
