/**
 * Content-addressed files: a blob's name is its SHA-256. Written to a temporary file, synced and
 * renamed, so that a name is either absent or whole; never changed, so that anybody may cache.
 * What a crash leaves behind is a `.tmp` file that no name leads to.
 */
import { createHash, randomUUID } from "node:crypto";
import { mkdir, readFile, rename, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { digestFile, diskError, syncFolder, writeDurably } from "../durable-file.node.ts";
import { NutshellError } from "../error.ts";

export interface BlobStore {
  /** @returns SHA-256 in lower-case hex. @throws NutshellError DISK; what was stored stays whole */
  put(bytes: Uint8Array): Promise<string>;
  /** @throws NutshellError DATABASE when it is not there, or not what its name says */
  get(hash: string): Promise<Uint8Array>;
  has(hash: string): Promise<boolean>;
}

export function createBlobStore(dir: string): BlobStore {
  return {
    put: (bytes) => put(dir, bytes),
    get: (hash) => get(dir, hash),
    has: (hash) => exists(pathOf(dir, hash)),
  };
}

async function put(dir: string, bytes: Uint8Array): Promise<string> {
  const hash = digestOf(bytes);
  const path = pathOf(dir, hash);
  const folder = join(dir, hash.slice(0, 2));
  const temporary = join(folder, `${hash}.${randomUUID()}.tmp`);
  try {
    // What is there and damaged is replaced.
    if ((await exists(path)) && (await digestFile(path)).sha256 === hash) return hash;
    // Content is for its owner, whatever may pass through the folder above.
    await mkdir(folder, { recursive: true, mode: 0o700 });
    await writeDurably(temporary, [bytes]);
    await rename(temporary, path);
    await syncFolder(folder);
  } catch (error) {
    await rm(temporary, { force: true }).catch(() => {});
    throw diskError(path, error, "Nothing that was stored is lost.");
  }
  return hash;
}

async function get(dir: string, hash: string): Promise<Uint8Array> {
  const path = pathOf(dir, hash);
  const bytes = await readFile(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== "ENOENT") throw error;
    return undefined;
  });
  if (bytes === undefined) throw broken(path, "nothing");
  const got = digestOf(bytes);
  if (got !== hash) throw broken(path, `bytes of ${got}`);
  return bytes;
}

function broken(path: string, got: string): NutshellError {
  return new NutshellError(
    "DATABASE",
    `${path}: a stored file must be as it was written, got ${got}. Bring it back from a backup.`,
  );
}

/** @throws NutshellError DATABASE when it is no hash, and so could lead out of the folder */
function pathOf(dir: string, hash: string): string {
  if (/^[0-9a-f]{64}$/.test(hash)) return join(dir, hash.slice(0, 2), hash);
  const got = JSON.stringify(hash.slice(0, 80));
  throw new NutshellError(
    "DATABASE",
    `blobs: a name must be a SHA-256 in lower-case hex, got ${got}. Use what put returned.`,
  );
}

async function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    (error: NodeJS.ErrnoException) => {
      if (error.code !== "ENOENT") throw error;
      return false;
    },
  );
}

function digestOf(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}
