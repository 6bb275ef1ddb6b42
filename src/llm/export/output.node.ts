/**
 * Where an export goes: a file or a folder that is not there yet, or whole again after `force`.
 * Written beside under another name, synced, renamed; a failure leaves what was there before.
 */
import { mkdir, readdir, rename, rm, stat } from "node:fs/promises";
import { basename, dirname, join, resolve } from "node:path";
import {
  type Chunks,
  diskError,
  type FileDigest,
  syncFolder,
  writeDurably,
} from "../../durable-file.node.ts";
import { NutshellError } from "../../error.ts";

export interface OutputOptions {
  /** Replace an earlier export; else an output that exists is refused. */
  readonly force: boolean;
  /** Told of the bytes written so far. */
  readonly onBytes?: (bytes: number) => void;
  /** Between two tensors. */
  readonly signal?: AbortSignal;
}

/** One file of a folder. */
export type WriteFile = (name: string, chunks: Chunks) => Promise<FileDigest>;

/** @throws CONFIG when `path` exists and may not be replaced; DISK */
export async function writeOutputFile(
  path: string,
  chunks: Chunks,
  options: OutputOptions,
): Promise<FileDigest> {
  const target = resolve(path);
  await refuseExisting(target, options.force, "file");
  const temporary = temporaryName(target);
  try {
    await mkdir(dirname(target), { recursive: true });
    await rm(temporary, { force: true });
    const digest = await writeDurably(temporary, counted(chunks, options));
    await rename(temporary, target);
    await syncFolder(dirname(target));
    return digest;
  } catch (error) {
    await rm(temporary, { force: true }).catch(() => {});
    throw diskError(path, error, "Nothing was changed.");
  }
}

/** @throws CONFIG when `path` exists and may not be replaced; DISK */
export async function writeOutputFolder(
  path: string,
  fill: (write: WriteFile) => Promise<void>,
  options: OutputOptions,
): Promise<void> {
  const target = resolve(path);
  const replaces = await refuseExisting(target, options.force, "folder");
  const temporary = temporaryName(target);
  // Not a torn one: until the new one has its place it is the only one.
  const old = join(dirname(target), `.old-${basename(target)}-${process.pid}`);
  let written = 0;
  const write: WriteFile = async (name, chunks) => {
    const before = written;
    const onBytes = (bytes: number): void => options.onBytes?.(before + bytes);
    const all = counted(chunks, { ...options, onBytes });
    const digest = await writeDurably(join(temporary, name), all);
    written += digest.bytes;
    return digest;
  };
  try {
    await rm(temporary, { recursive: true, force: true });
    await mkdir(temporary, { recursive: true });
    await fill(write);
    await syncFolder(temporary);
    if (replaces) await rename(target, old);
    await rename(temporary, target);
  } catch (error) {
    // The old one comes back if the new one could not take its place.
    if (replaces) await rename(old, target).catch(() => {});
    await rm(temporary, { recursive: true, force: true }).catch(() => {});
    throw diskError(path, error, "Nothing was changed.");
  }
  try {
    await syncFolder(dirname(target));
    if (replaces) await rm(old, { recursive: true });
  } catch (error) {
    throw diskError(path, error, "It is written; what it replaces may lie beside it.");
  }
}

const temporaryName = (target: string): string =>
  join(dirname(target), `.torn-${basename(target)}-${process.pid}`);

async function* counted(
  chunks: Chunks,
  { onBytes, signal }: Pick<OutputOptions, "onBytes" | "signal">,
): AsyncGenerator<Uint8Array> {
  let bytes = 0;
  for await (const chunk of chunks) {
    signal?.throwIfAborted();
    yield chunk;
    bytes += chunk.length;
    onBytes?.(bytes);
  }
}

/** What an export's folder holds, one of them at least. */
const OURS = ["model.safetensors", "weights.bin"];

/** @returns whether there is something to be replaced */
async function refuseExisting(
  path: string,
  force: boolean,
  wanted: "file" | "folder",
): Promise<boolean> {
  const found = await stat(path).catch(() => undefined);
  if (found === undefined) return false;
  const refuse = (rule: string, got: string, hint: string): NutshellError =>
    new NutshellError("CONFIG", `${path}: ${rule}, got ${got}. ${hint}`);
  const empty = found.isDirectory() && (await readdir(path)).length === 0;
  if (found.isDirectory() !== (wanted === "folder"))
    throw refuse(`output must be a ${wanted}`, "the other", "Choose another --out.");
  if (!force && !empty)
    throw refuse(`output must not exist`, `a ${wanted}`, "Choose another --out, or add --force.");
  if (wanted === "file" || empty) return true;
  const names = await readdir(path);
  if (OURS.some((name) => names.includes(name))) return true;
  throw refuse(
    "only a model's folder is replaced",
    `one with ${names.slice(0, 3).join(", ")}`,
    "Choose another --out.",
  );
}
