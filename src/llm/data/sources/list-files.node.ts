/**
 * The files below a folder, sorted by path. Hidden ones are skipped, symbolic links are followed;
 * a link back to a folder that it lies in is refused, or there would be no end.
 */

import { type Dirent, readdirSync, realpathSync, type Stats, statSync } from "node:fs";
import { join, sep } from "node:path";
import { badFile, readError } from "./file-error.node.ts";

export interface FoundFile {
  readonly path: string;
  /** Path below the folder, with forward slashes. */
  readonly name: string;
  /** On disk. */
  readonly bytes: number;
}

export interface Wanted {
  /** Told the bare name. */
  file(name: string): boolean;
  /** Told the bare name; default: every folder. */
  folder?(name: string): boolean;
}

/** @throws DATA for a folder or a wanted file that cannot be read, and for links in a circle */
export function listFiles(folder: string, wanted: Wanted): FoundFile[] {
  return listBelow(folder, "", wanted, []);
}

/** @param above real paths of the folders that `folder` lies in */
function listBelow(
  folder: string,
  prefix: string,
  wanted: Wanted,
  above: readonly string[],
): FoundFile[] {
  const real = tryFileSystem(folder, () => realpathSync(folder));
  if (above.some((path) => `${path}${sep}`.startsWith(`${real}${sep}`))) {
    const rule = "the links of a source must come to an end";
    throw badFile(folder, rule, `one back to ${real}`, "Remove the link.");
  }
  const entries = tryFileSystem(folder, () => readdirSync(folder, { withFileTypes: true }));
  return entries
    .filter(({ name }) => !name.startsWith("."))
    .sort((a, b) => (a.name < b.name ? -1 : 1))
    .flatMap((entry) => {
      const path = join(folder, entry.name);
      const kind = kindOf(path, entry, wanted);
      const name = `${prefix}${entry.name}`;
      if (kind === "folder") return listBelow(path, `${name}/`, wanted, [...above, real]);
      return kind === undefined ? [] : [{ path, name, bytes: kind.size }];
    });
}

/** @returns "folder" or a wanted file's stats; undefined for what nobody asked for */
function kindOf(path: string, entry: Dirent, wanted: Wanted): "folder" | Stats | undefined {
  const mayBeFolder = entry.isDirectory() || entry.isSymbolicLink();
  const asFolder = mayBeFolder && (wanted.folder?.(entry.name) ?? true);
  const asFile = wanted.file(entry.name);
  if (entry.isDirectory()) return asFolder ? "folder" : undefined;
  if (!asFile && !(entry.isSymbolicLink() && asFolder)) return undefined;
  const stats = asFile ? tryFileSystem(path, () => statSync(path)) : tryStat(path);
  if (stats?.isDirectory()) return asFolder ? "folder" : undefined;
  return asFile && stats?.isFile() ? stats : undefined;
}

/** For links that nobody asked for by name: one that leads nowhere is no concern. */
function tryStat(path: string): Stats | undefined {
  try {
    return statSync(path);
  } catch {
    return undefined;
  }
}

function tryFileSystem<T>(path: string, run: () => T): T {
  try {
    return run();
  } catch (cause) {
    throw readError(path, cause);
  }
}

/** @throws DATA when nothing is there or it may not be looked at */
export function isFolder(path: string): boolean {
  return tryFileSystem(path, () => statSync(path)).isDirectory();
}
