/**
 * Changes to a tree, each all or nothing and done once for its key, whatever dies in between.
 * First the versions are recorded in one transaction, content in the blob store before them; a
 * private tree is changed with that. A folder of the host is then brought to what was recorded;
 * what a crash left pending is finished by the next change of the path, or by the same call again.
 *
 * The old content is always kept. What somebody else put on the disk in the meantime stays.
 */

import { createHash } from "node:crypto";
import { DeviceError } from "../kernel/device-error.ts";
import type { CallContext } from "../kernel/syscall.ts";
import { bottom, type Label } from "../security/label.ts";
import { type FileStore, hostFolder, lookUp, ofVersion, type View } from "./files-content.ts";
import { checkWritable } from "./files-path.ts";
import {
  addVersion,
  baseOf,
  keepForTreesAbove,
  lockPath,
  newestTwo,
  newestVersion,
  type Queryable,
  setState,
  type Version,
  versionsOfKey,
} from "./files-versions.ts";
import { readHostFile, removeHostFile, writeHostFile } from "./files-walk.ts";

export type Caller = Pick<CallContext, "key" | "pid" | "call" | "since">;

/** What a path is to become. */
export interface Next {
  readonly path: string;
  /** Of content that the blob store has; absent: nothing is to be there. */
  readonly hash?: string;
  readonly bytes: number;
  readonly label: Label;
  readonly placed: Label;
  /** Default: this call's own, and the version that it replaces. */
  readonly undo?: { readonly change: string; readonly before: number | undefined };
}

/** What each path has now, as a version; undefined: nothing, ever. */
export type Current = ReadonlyMap<string, Version | undefined>;

/**
 * @param decide what the paths become; what it throws is thrown, and nothing has changed. It asks
 *   the client alone: with one more connection a change, many at once would wait for each other
 * @returns the versions, also when an earlier attempt made them
 * @throws DeviceError when the disk was changed by others meanwhile; NutshellError DISK
 */
export async function changeFiles(
  store: FileStore,
  view: View,
  caller: Caller,
  cause: string,
  paths: readonly string[],
  decide: (current: Current, client: Queryable) => Promise<readonly Next[]>,
): Promise<readonly Version[]> {
  const sorted = [...new Set(paths)].sort();
  // Also of a folder's files, which the call did not name.
  for (const path of sorted) checkWritable(cause, path);
  const recorded = await store.database.transaction(async (client) => {
    for (const path of sorted) await lockPath(client, view.tree, path);
    const known = await versionsOfKey(client, caller.key);
    if (known.length > 0) return known;
    const current = new Map<string, Version | undefined>();
    for (const path of sorted) current.set(path, await adopt(store, client, view, caller, path));
    const made: Version[] = [];
    for (const next of await decide(current, client)) {
      const version = toVersion(view, caller, cause, next, current.get(next.path));
      made.push(await addVersion(client, version));
    }
    return made;
  });
  return finish(store, recorded);
}

/** What an earlier attempt recorded is brought to its end. @returns empty when there was none */
export async function finishCall(store: FileStore, key: string): Promise<readonly Version[]> {
  return finish(store, await versionsOfKey(store.database.pool, key));
}

function toVersion(
  view: View,
  caller: Caller,
  cause: string,
  next: Next,
  replaced: Version | undefined,
): Omit<Version, "id"> {
  const { key, pid, call, since } = caller;
  const { undo = { change: key, before: replaced?.id }, ...content } = next;
  const state = hostFolder(view.tree) === undefined ? "done" : "pending";
  const hash = content.hash;
  return { ...content, hash, ...undo, tree: view.tree, cause, key, state, pid, call, at: since };
}

/** What is at a path now becomes a version, if it is none yet. */
async function adopt(
  store: FileStore,
  client: Queryable,
  view: View,
  caller: Caller,
  path: string,
): Promise<Version | undefined> {
  const onHost = hostFolder(view.tree) !== undefined;
  if (onHost) await settle(store, client, view.tree, path);
  const newest = await newestVersion(client, view.tree, path);
  const base = onHost ? undefined : await baseOf(client, view.tree);
  if (!onHost && (newest !== undefined || base === undefined)) return newest;
  const now = await lookUp(store, client, view, path);
  const bytes = now.hash === undefined ? 0 : now.bytes;
  const labels = now.hash === undefined ? { label: bottom, placed: bottom } : now;
  const { label, placed } = labels;
  const found = { tree: view.tree, path, hash: now.hash, bytes, label, placed, at: caller.since };
  if (onHost) await keepForTreesAbove(client, found);
  if (onHost && newest?.hash === now.hash) return newest;
  if (now.hash !== undefined) await store.blobs.put(await now.read());
  const cause = onHost ? "found" : "base";
  const change = onHost ? `found:${caller.key}:${path}` : `base:${path}`;
  const rest = { key: undefined, pid: undefined, call: undefined, state: "done" as const };
  return addVersion(client, { ...found, ...rest, cause, change, before: newest?.id });
}

async function finish(store: FileStore, recorded: readonly Version[]): Promise<readonly Version[]> {
  for (const { tree, path, state } of recorded) {
    if (state === "lost") throw changedMeanwhile();
    if (state === "done") continue;
    const failure = await store.database.transaction(async (client) => {
      await lockPath(client, tree, path);
      return settle(store, client, tree, path);
    });
    if (failure !== undefined) throw failure;
  }
  return recorded;
}

/** Brings the disk to a version that is pending. @returns why it could not be, never thrown */
async function settle(
  store: FileStore,
  client: Queryable,
  tree: string,
  path: string,
): Promise<unknown> {
  const [now, replaced] = await newestTwo(client, tree, path);
  const root = hostFolder(tree);
  if (now?.state !== "pending" || root === undefined) return undefined;
  const failure = await tryApply(store, root, now, replaced?.hash);
  await setState(client, now.id, failure === undefined ? "done" : "lost");
  return failure;
}

async function tryApply(
  store: FileStore,
  root: string,
  version: Version,
  replaced: string | undefined,
): Promise<unknown> {
  const { path, hash } = version;
  try {
    const there = await readHostFile(root, path);
    const found = there && createHash("sha256").update(there).digest("hex");
    if (found === hash) return undefined;
    if (found !== replaced) return changedMeanwhile();
    if (hash === undefined) await removeHostFile(root, path);
    else await writeHostFile(root, path, await contentOf(store, version));
    return undefined;
  } catch (error) {
    return error;
  }
}

async function contentOf(store: FileStore, version: Version): Promise<Uint8Array> {
  const content = ofVersion(store, version);
  return content.hash === undefined ? new Uint8Array() : content.read();
}

function changedMeanwhile(): DeviceError {
  return new DeviceError(
    "files: a file must stay as it was read while it is changed, got another's change. " +
      "Read it again; both contents are kept as versions.",
  );
}
