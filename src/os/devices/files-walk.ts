/**
 * Files of a host folder, reached one segment at a time from an open folder on: no segment is ever
 * looked up by its whole path, so that nobody can put a symbolic link in between. Links are never
 * followed, files with a second name (hard links) and things that are no files are refused.
 *
 * On Linux `/proc/self/fd/N/name` is openat(2); elsewhere the path is used, and a folder that is
 * swapped for a link in the very moment would be followed.
 */
import { randomUUID } from "node:crypto";
import { constants } from "node:fs";
import { type FileHandle, lstat, mkdir, open, readdir, rename, rm, rmdir } from "node:fs/promises";
import { diskError } from "../../durable-file.node.ts";
import { DeviceError } from "../kernel/device-error.ts";
import { findNameFault } from "./files-path.ts";

const { O_RDONLY, O_WRONLY, O_CREAT, O_EXCL, O_DIRECTORY, O_NOFOLLOW, O_NONBLOCK } = constants;
const FOLDER = O_RDONLY | O_DIRECTORY | O_NOFOLLOW;

/** Of one file: what is kept of old versions must be readable whole. */
export const MAX_FILE_BYTES: number = 64 << 20;

export interface HostEntry {
  readonly name: string;
  readonly kind: "file" | "folder" | "other";
}

interface Folder {
  readonly handle: FileHandle;
  readonly path: string;
}

/** @returns bytes; undefined when there is nothing. @throws DeviceError for what is not a file */
export async function readHostFile(root: string, path: string): Promise<Uint8Array | undefined> {
  const [folders, name] = cut(path);
  return withFolder(root, folders, false, async (folder) => {
    const file = await absentAs(undefined, open(at(folder, name), READ));
    return file === undefined ? undefined : readWhole(file);
  });
}

const READ = O_RDONLY | O_NOFOLLOW | O_NONBLOCK;

async function readWhole(file: FileHandle): Promise<Uint8Array | undefined> {
  try {
    const found = await file.stat();
    if (found.isDirectory()) return undefined;
    if (!found.isFile()) throw refused("be a plain file");
    if (found.nlink > 1) throw refused("have one name only, got a hard link");
    if (found.size > MAX_FILE_BYTES) throw refused(`have ${MAX_FILE_BYTES} bytes at most`);
    return await file.readFile();
  } finally {
    await file.close();
  }
}

/** Readers see the old content or the new one, whole; the folders above are made. */
export async function writeHostFile(root: string, path: string, bytes: Uint8Array): Promise<void> {
  const [folders, name] = cut(path);
  const written = await withFolder(root, folders, true, async (folder) => {
    const mode = await modeOf(folder, name);
    const temporary = at(folder, `.nutshell-${randomUUID()}.tmp`);
    try {
      await writeNew(temporary, bytes, mode);
      await rename(temporary, at(folder, name));
      await folder.handle.sync();
    } catch (error) {
      await rm(temporary, { force: true }).catch(() => {});
      throw diskError("files", error, "What was there before is whole.");
    }
    return true;
  });
  if (written === undefined) throw refused("stand in folders");
}

async function writeNew(path: string, bytes: Uint8Array, mode: number): Promise<void> {
  const file = await open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, mode);
  try {
    await file.writeFile(bytes);
    await file.sync();
  } finally {
    await file.close();
  }
}

/** Rights of the file that is replaced, without set-user-id and the like. */
async function modeOf(folder: Folder, name: string): Promise<number> {
  const found = await absentAs(undefined, lstat(at(folder, name)));
  if (found === undefined) return 0o644;
  if (!found.isFile()) throw refused("be a plain file");
  return found.mode & 0o777;
}

export async function removeHostFile(root: string, path: string): Promise<void> {
  const [folders, name] = cut(path);
  await withFolder(root, folders, false, async (folder) => {
    const found = await absentAs(undefined, lstat(at(folder, name)));
    if (found?.isFile() !== true) return;
    await rm(at(folder, name));
    await folder.handle.sync();
  });
}

/** Empty folders only; one that is not empty stays. */
export async function removeHostFolder(root: string, path: string): Promise<void> {
  const [folders, name] = cut(path);
  await withFolder(root, folders, false, async (folder) => {
    await rmdir(at(folder, name)).catch(() => {});
  });
}

/** @returns in order of names, without those that no path may have; undefined: no such folder */
export async function listHostFolder(
  root: string,
  path: string,
): Promise<{ entries: readonly HostEntry[]; unlisted: number } | undefined> {
  const folders = path === "" ? [] : path.split("/");
  return withFolder(root, folders, false, async (folder) => {
    const found = await readdir(at(folder, "."), { withFileTypes: true });
    const entries = found
      .filter(({ name }) => findNameFault(name) === undefined)
      .map((one): HostEntry => ({ name: one.name, kind: kindOf(one) }))
      .sort((a, b) => (a.name < b.name ? -1 : 1));
    return { entries, unlisted: found.length - entries.length };
  });
}

function kindOf(entry: { isFile(): boolean; isDirectory(): boolean }): HostEntry["kind"] {
  if (entry.isFile()) return "file";
  return entry.isDirectory() ? "folder" : "other";
}

/** @returns what `use` returned; undefined when a folder on the way is not there */
async function withFolder<T>(
  root: string,
  names: readonly string[],
  make: boolean,
  use: (folder: Folder) => Promise<T>,
): Promise<T | undefined> {
  let folder: Folder = { handle: await openRoot(root), path: root };
  try {
    for (const name of names) {
      const next = await openBelow(folder, name, make);
      if (next === undefined) return undefined;
      await folder.handle.close();
      folder = next;
    }
    return await use(folder);
  } finally {
    await folder.handle.close();
  }
}

async function openRoot(root: string): Promise<FileHandle> {
  try {
    return await open(root, O_RDONLY | O_DIRECTORY);
  } catch (cause) {
    throw new DeviceError("files: the workspace's folder must be there, got none.", { cause });
  }
}

async function openBelow(folder: Folder, name: string, make: boolean): Promise<Folder | undefined> {
  const path = at(folder, name);
  if (make) await mkdir(path).catch(ignoreExisting);
  const handle = await absentAs(undefined, open(path, FOLDER));
  return handle === undefined ? undefined : { handle, path: `${folder.path}/${name}` };
}

function ignoreExisting(error: NodeJS.ErrnoException): void {
  if (error.code !== "EEXIST") throw diskError("files", error, "Nothing was written.");
}

function at({ handle, path }: Folder, name: string): string {
  return process.platform === "linux" ? `/proc/self/fd/${handle.fd}/${name}` : `${path}/${name}`;
}

function cut(path: string): [folders: string[], name: string] {
  const segments = path.split("/");
  return [segments.slice(0, -1), segments.at(-1) ?? ""];
}

/** @throws DeviceError for a link on the way or at its end; other errors of the system as DISK */
async function absentAs<T>(absent: undefined, found: Promise<T>): Promise<T | undefined> {
  try {
    return await found;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "ENOENT") return absent;
    if (code === "ELOOP" || code === "ENOTDIR")
      throw refused("lead through folders, without links");
    if (code === "ENXIO") throw refused("be a plain file");
    throw diskError("files", error, "Nothing was changed.");
  }
}

function refused(rule: string): DeviceError {
  return new DeviceError(`files: what a path names must ${rule}.`);
}
