/**
 * What a tree has at a path right now, with its labels. A private tree is its versions; a folder of
 * the host (`host:/…`) is its disk, where a version only gives a label to content that it has the
 * hash of: a file that somebody else changed is untrusted, `file:PATH`, for its owner's eyes. A
 * forked tree stands on a folder of the host, which shows through where it has no version.
 */
import { createHash } from "node:crypto";
import type { BlobStore } from "../../durable/blobs.ts";
import type { Database } from "../../durable/database.ts";
import { bottom, join, type Label, labelOf } from "../security/label.ts";
import {
  baseOf,
  newestBelow,
  newestVersion,
  type Queryable,
  type Version,
  versionOfContent,
} from "./files-versions.ts";
import { listHostFolder, readHostFile } from "./files-walk.ts";

export interface FileStore {
  readonly database: Database;
  readonly blobs: BlobStore;
}

/** A tree through the eyes of whom a process runs for. */
export interface View {
  readonly tree: string;
  /** Reader of what nothing is known of. */
  readonly owner: string;
}

export interface Content {
  /** SHA-256 in hex. */
  readonly hash: string;
  readonly bytes: number;
  readonly label: Label;
  /** Of its name and that it is there. */
  readonly placed: Label;
  read(): Promise<Uint8Array>;
}

/** Nothing there; the label says who saw to that, as far as it is known. */
export interface Absence {
  readonly hash?: undefined;
  readonly placed: Label | undefined;
}

const HOST = "host:";

/** @returns the host's folder; undefined for a tree that has no disk */
export function hostFolder(tree: string): string | undefined {
  return tree.startsWith(HOST) ? tree.slice(HOST.length) : undefined;
}

/** @throws DeviceError for what must not be read; NutshellError DATABASE for content that is lost */
export async function lookUp(
  store: FileStore,
  db: Queryable,
  view: View,
  path: string,
): Promise<Content | Absence> {
  const root = hostFolder(view.tree);
  if (root !== undefined) return lookUpOnHost(db, view, root, path);
  const version = await newestVersion(db, view.tree, path);
  if (version !== undefined) return ofVersion(store, version);
  const base = await baseOf(db, view.tree);
  if (base === undefined) return { placed: undefined };
  return lookUp(store, db, { ...view, tree: base }, path);
}

export function ofVersion({ blobs }: FileStore, version: Version): Content | Absence {
  const { hash, bytes, label, placed } = version;
  if (hash === undefined) return { placed };
  return { hash, bytes, label, placed, read: () => blobs.get(hash) };
}

async function lookUpOnHost(
  db: Queryable,
  view: View,
  root: string,
  path: string,
): Promise<Content | Absence> {
  const content = path === "" ? undefined : await readHostFile(root, path);
  if (content === undefined) return { placed: unknownLabel(view, path) };
  const hash = createHash("sha256").update(content).digest("hex");
  const known = await versionOfContent(db, view.tree, path, hash);
  const label = known?.label ?? unknownLabel(view, path);
  const placed = known?.placed ?? label;
  return { hash, bytes: content.length, label, placed, read: async () => content };
}

/** Of what no version speaks for. */
export function unknownLabel({ owner }: View, path: string): Label {
  return labelOf(`file:${path}`, new Set([owner]));
}

export interface Entry {
  readonly name: string;
  readonly kind: "file" | "folder" | "other";
  readonly placed: Label;
}

export interface Listing {
  readonly entries: readonly Entry[];
  /** Names that no path may have. */
  readonly unlisted: number;
  /** Who shaped which names there are, removed ones included. */
  readonly placed: Label;
}

/** @returns by name; undefined when there is no such folder */
export async function listFolder(
  db: Queryable,
  view: View,
  folder: string,
): Promise<Listing | undefined> {
  const root = hostFolder(view.tree);
  if (root !== undefined) return listOnHost(view, root, folder);
  const base = await baseOf(db, view.tree);
  const below =
    base === undefined ? undefined : await listFolder(db, { ...view, tree: base }, folder);
  const versions = await newestBelow(db, view.tree, folder);
  const entries = overlay(below?.entries ?? [], versions, folder);
  if (entries.length === 0 && below === undefined && folder !== "") return undefined;
  let placed = below?.placed ?? bottom;
  for (const version of versions) placed = join(placed, version.placed);
  return { entries, unlisted: below?.unlisted ?? 0, placed };
}

async function listOnHost(view: View, root: string, folder: string): Promise<Listing | undefined> {
  const found = await listHostFolder(root, folder);
  if (found === undefined) return undefined;
  // One source for all names: the folder. A label for each would grow without end.
  const placed = unknownLabel(view, folder === "" ? "." : folder);
  const entries = found.entries.map((entry) => ({ ...entry, placed }));
  return { entries, unlisted: found.unlisted, placed };
}

/** @param versions of all paths below the folder */
function overlay(below: readonly Entry[], versions: readonly Version[], folder: string): Entry[] {
  const entries = new Map(below.map((entry) => [entry.name, entry]));
  for (const { path, hash, placed } of versions) {
    const rest = folder === "" ? path : path.slice(folder.length + 1);
    const slash = rest.indexOf("/");
    const name = slash < 0 ? rest : rest.slice(0, slash);
    const known = entries.get(name);
    if (slash >= 0 && hash === undefined) continue;
    if (hash === undefined) entries.delete(name);
    else if (slash < 0) entries.set(name, { name, kind: "file", placed });
    else entries.set(name, { name, kind: "folder", placed: join(placed, known?.placed ?? bottom) });
  }
  return [...entries.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
}

export interface Below {
  readonly paths: readonly string[];
  /** There are others. */
  readonly more: boolean;
  /** Who shaped which files there are. */
  readonly placed: Label;
}

/** Paths of all files below a folder, in order; at most `most`. */
export async function filesBelow(
  db: Queryable,
  view: View,
  folder: string,
  most: number,
): Promise<Below> {
  const root = hostFolder(view.tree);
  if (root !== undefined) return filesOnHost(view, root, folder, most);
  const base = await baseOf(db, view.tree);
  const below =
    base === undefined ? undefined : await filesBelow(db, { ...view, tree: base }, folder, most);
  const paths = new Set(below?.paths);
  let placed = below?.placed ?? bottom;
  for (const version of await newestBelow(db, view.tree, folder)) {
    placed = join(placed, version.placed);
    if (version.hash === undefined) paths.delete(version.path);
    else paths.add(version.path);
  }
  const more = (below?.more ?? false) || paths.size > most;
  return { paths: [...paths].sort().slice(0, most), more, placed };
}

async function filesOnHost(view: View, root: string, folder: string, most: number): Promise<Below> {
  const paths: string[] = [];
  const folders = [folder];
  const placed = unknownLabel(view, folder === "" ? "." : folder);
  for (let at = folders.pop(); at !== undefined; at = folders.pop()) {
    const { entries } = (await listHostFolder(root, at)) ?? { entries: [] };
    for (const { name, kind } of entries) {
      const path = at === "" ? name : `${at}/${name}`;
      if (kind === "folder") folders.push(path);
      if (kind === "file") paths.push(path);
    }
    if (paths.length > most) return { paths: paths.slice(0, most), more: true, placed };
  }
  return { paths: paths.sort(), more: false, placed };
}
