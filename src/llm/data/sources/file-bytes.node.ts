/**
 * The bytes of one file as a stream of chunks, unpacked when they are gzip. Memory stays at a few
 * chunks whatever the size. A file that changes while it is read is refused: its hash, taken at
 * another moment, would promise what was not read.
 */

import { type BigIntStats, constants } from "node:fs";
import { type FileHandle, open } from "node:fs/promises";
import { pipeline, Readable } from "node:stream";
import { createGunzip } from "node:zlib";
import { badFile, oneLine, readError } from "./file-error.node.ts";
import { foreignKind, isEncryptedGzip, isGzip, isParquet } from "./file-kind.ts";

const CHUNK_BYTES = 1 << 18;

/**
 * The file as it lies on disk.
 * @throws DATA when it is missing, not a plain file, unreadable, or changes meanwhile
 */
export async function* rawBytes(path: string): AsyncGenerator<Buffer> {
  const file = await openFile(path);
  try {
    const before = await file.stat({ bigint: true });
    for (;;) {
      const { buffer, bytesRead } = await file.read(Buffer.allocUnsafeSlow(CHUNK_BYTES));
      if (bytesRead === 0) break;
      yield buffer.subarray(0, bytesRead);
    }
    requireUnchanged(path, before, await file.stat({ bigint: true }));
  } catch (cause) {
    throw readError(path, cause);
  } finally {
    await file.close();
  }
}

/** Without waiting for a writer, should the path be a pipe. */
async function openFile(path: string): Promise<FileHandle> {
  let file: FileHandle | undefined;
  try {
    file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
    const stats = await file.stat();
    if (stats.isFile()) return file;
    const kind = stats.isDirectory() ? "a folder" : "a device or pipe";
    throw badFile(path, "a source must be a plain file here", kind, "Copy it to a file first.");
  } catch (cause) {
    await file?.close();
    throw readError(path, cause);
  }
}

function requireUnchanged(path: string, before: BigIntStats, after: BigIntStats): void {
  if (before.size === after.size && before.mtimeNs === after.mtimeNs) return;
  const got = `${before.size} bytes, then ${after.size}`;
  const fix = "Wait until it is finished and run again: what was finished stays.";
  throw badFile(path, "a source must not change while it is read", got, fix);
}

/** @returns the first bytes of a file, at most `count` */
export async function fileHead(path: string, count: number): Promise<Uint8Array> {
  return readAt(path, count, () => 0);
}

/** @returns the last `count` bytes of a file that holds as many */
export async function fileTail(path: string, count: number): Promise<Buffer> {
  return readAt(path, count, (size) => size - count);
}

async function readAt(
  path: string,
  count: number,
  offset: (size: number) => number,
): Promise<Buffer> {
  const file = await openFile(path);
  try {
    const { size } = await file.stat();
    const { buffer, bytesRead } = await file.read(Buffer.alloc(count), 0, count, offset(size));
    return buffer.subarray(0, bytesRead);
  } catch (cause) {
    throw readError(path, cause);
  } finally {
    await file.close();
  }
}

/**
 * The text of a file as bytes, gzip unpacked by content and not by name.
 * @throws DATA when the file is another container, or gzip that is torn, damaged or encrypted
 */
export async function* textBytes(path: string): AsyncGenerator<Buffer> {
  const head = await fileHead(path, 32);
  requireText(path, head);
  const bytes = isGzip(head) ? unpacked(path) : rawBytes(path);
  let first = true;
  for await (const chunk of bytes) {
    if (first && isGzip(head)) requireInside(path, chunk);
    first = false;
    yield chunk;
  }
}

function requireText(path: string, head: Uint8Array): void {
  const kind = foreignKind(head);
  if (kind !== undefined) throw badFile(path, "a source must be text", kind.kind, kind.fix);
  if (isEncryptedGzip(head)) {
    throw badFile(path, "gzip must not be encrypted", "its flag for it", "Decrypt it first.");
  }
  if (!/\.gz$/i.test(path) || isGzip(head) || head.length === 0) return;
  const got = `${Buffer.from(head.subarray(0, 4)).toString("hex")}…`;
  const fix =
    "If it is encrypted, decrypt it; if it is plain text, take .gz off its name; else download " +
    "it again.";
  throw badFile(path, "a .gz file must be gzip, which starts with 1f8b", got, fix);
}

/** What gzip unpacks to must be text as well. */
function requireInside(path: string, head: Uint8Array): void {
  const parquet = { kind: "a Parquet file", fix: "Unpack it first (gunzip)." };
  const kind = isParquet(head) ? parquet : foreignKind(head);
  if (kind === undefined) return;
  throw badFile(path, "gzip must hold text", kind.kind, kind.fix);
}

async function* unpacked(path: string): AsyncGenerator<Buffer> {
  const gunzip = createGunzip({ chunkSize: CHUNK_BYTES });
  // The error reaches the loop below; the callback only keeps it from being thrown twice.
  pipeline(Readable.from(rawBytes(path)), gunzip, () => {});
  try {
    yield* gunzip;
  } catch (cause) {
    const { code, message } = cause as NodeJS.ErrnoException;
    if (!code?.startsWith("Z_")) throw cause;
    const fix = "It is torn, damaged or encrypted: decrypt it, or copy or download it again.";
    throw badFile(path, "a gzip file must be whole", oneLine(message), fix, cause);
  }
}
