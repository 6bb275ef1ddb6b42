/**
 * Writing so that power may fail: bytes reach the disk before a function returns, and what the
 * system refuses (no space, no right, read-only) becomes one DISK error that names the path.
 */
import { createHash } from "node:crypto";
import { mkdir, open, readFile, rename, rm } from "node:fs/promises";
import { dirname } from "node:path";
import { NutshellError } from "./error.ts";

/** What the manifest keeps of a file. */
export interface FileDigest {
  readonly bytes: number;
  /** Lower-case hexadecimal. */
  readonly sha256: string;
}

export type Chunks = Iterable<Uint8Array> | AsyncIterable<Uint8Array>;

const CHUNK_BYTES = 1 << 26;

const reasons: Readonly<Record<string, string>> = {
  ENOSPC: "the disk is full. Free some space",
  EDQUOT: "the disk quota is used up. Free some space",
  EFBIG: "the file grew over the allowed size. Raise the limit",
  EROFS: "the disk is read-only. Choose another folder",
  EACCES: "permission is missing. Choose another folder or change its owner",
  EPERM: "permission is missing. Choose another folder or change its owner",
  ENOENT: "the folder is gone or cannot be made. Choose another folder",
  EEXIST: "a file is where a folder must be. Choose another folder",
  ENOTDIR: "a part of the path is a file. Choose another folder",
  EIO: "the disk does not answer. Check the machine's log",
};

/** @returns a DISK error when the system's code is known, else the error as it came */
export function diskError(path: string, error: unknown, consequence: string): unknown {
  const code = (error as NodeJS.ErrnoException).code ?? "";
  const reason = reasons[code];
  if (error instanceof NutshellError || reason === undefined) return error;
  return new NutshellError(
    "DISK",
    `${path}: writing must succeed, got ${code}: ${reason}. ${consequence}`,
    {
      cause: error,
    },
  );
}

/** Writes a new file and waits until the disk has it. @throws the system's error */
export async function writeDurably(path: string, chunks: Chunks): Promise<FileDigest> {
  const hash = createHash("sha256");
  const file = await open(path, "wx");
  let bytes = 0;
  try {
    for await (const chunk of chunks) {
      hash.update(chunk);
      for (let at = 0; at < chunk.length; ) {
        const length = Math.min(CHUNK_BYTES, chunk.length - at);
        at += (await file.write(chunk, at, length)).bytesWritten;
      }
      bytes += chunk.length;
    }
    await file.sync();
  } finally {
    await file.close();
  }
  return { bytes, sha256: hash.digest("hex") };
}

/** @returns size and SHA-256 of a file as it lies on the disk */
export async function digestFile(path: string): Promise<FileDigest> {
  const hash = createHash("sha256");
  const file = await open(path, "r");
  let bytes = 0;
  try {
    const buffer = new Uint8Array(1 << 20);
    for (;;) {
      const { bytesRead } = await file.read(buffer, 0, buffer.length, bytes);
      if (bytesRead === 0) break;
      hash.update(buffer.subarray(0, bytesRead));
      bytes += bytesRead;
    }
  } finally {
    await file.close();
  }
  return { bytes, sha256: hash.digest("hex") };
}

/** Makes new names in a folder durable. Windows has no such call and needs none. */
export async function syncFolder(path: string): Promise<void> {
  if (process.platform === "win32") return;
  const folder = await open(path, "r");
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}

/** @returns the text of a file, or undefined when there is none */
export async function tryReadText(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
}

/**
 * Runs `fill` on an empty folder beside `target` and renames it to `target` when all of it is on
 * the disk: readers see nothing or everything. A failure removes the temporary folder again.
 */
export async function writeFolderAtomically(
  temporary: string,
  target: string,
  parent: string,
  fill: () => Promise<void>,
): Promise<void> {
  try {
    await mkdir(temporary);
    await fill();
    await syncFolder(temporary);
    await rename(temporary, target);
    await syncFolder(parent);
  } catch (error) {
    // A second failure must not hide the first; the folder's name marks it as torn anyway.
    await rm(temporary, { recursive: true, force: true }).catch(() => {});
    throw error;
  }
}

/** Replaces a small text file: readers see the old one or the new one, whole. */
export async function replaceFile(path: string, text: string): Promise<void> {
  const temporary = `${path}.${process.pid}.tmp`;
  try {
    await writeDurably(temporary, [new TextEncoder().encode(text)]);
    await rename(temporary, path);
    await syncFolder(dirname(path));
  } catch (error) {
    await rm(temporary, { force: true }).catch(() => {});
    throw error;
  }
}
