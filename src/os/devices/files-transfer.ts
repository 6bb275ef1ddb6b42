/**
 * Calls that take files elsewhere: copy, move, remove; of a folder, all that is in it. Labels go
 * along; what was there is kept as versions.
 */
import { DeviceError } from "../kernel/device-error.ts";
import type { CallContext } from "../kernel/syscall.ts";
import { join, type Label } from "../security/label.ts";
import type { Labelled } from "../security/labelled.ts";
import { type Current, changeFiles, finishCall, type Next } from "./files-change.ts";
import { filesBelow, hostFolder, lookUp } from "./files-content.ts";
import { chosenBy, placedBy } from "./files-labels.ts";
import { type FilesSetting, findPlace, type Place } from "./files-place.ts";
import { contentAt } from "./files-read.ts";
import { newestBelow, type Queryable, type Version } from "./files-versions.ts";
import { removeHostFolder } from "./files-walk.ts";

/** Of one call that moves, copies or removes a folder. */
const MAX_FILES = 1000;

type Changed = Promise<readonly Version[]>;

interface Pair {
  readonly from: string;
  readonly to: string;
}

/** Of a file, itself; of a folder, all below. @throws DeviceError when there is nothing */
async function filesAt(
  setting: FilesSetting,
  { view, path: at }: Place,
): Promise<readonly string[]> {
  const { pool } = setting.database;
  if ((await lookUp(setting, pool, view, at)).hash !== undefined) return [at];
  const below = await filesBelow(pool, view, at, MAX_FILES);
  if (below.paths.length === 0) throw new DeviceError("files: there must be a file, got none.");
  if (!below.more) return below.paths;
  throw new DeviceError(`files: a folder must hold ${MAX_FILES} files at most. Go part by part.`);
}

/** Copies, or moves: then what is left where it was is nothing. */
export async function transfer(
  setting: FilesSetting,
  call: "files.copy" | "files.move",
  args: Labelled,
  context: CallContext,
): Changed {
  const { from, to } = args.value as unknown as Pair;
  const moves = call === "files.move";
  const source = await findPlace(setting, call, from, context, moves ? "write" : "read");
  const target = await findPlace(setting, call, to, context, "write");
  checkApart(call, source, target);
  const known = await finishCall(setting, context.key);
  if (known.length > 0) return known;
  const pairs = await pairsOf(setting, source, target);
  const placed = placedBy(args, context);
  const left = moves ? pairs.map(({ from: path }) => goneAt(path, placed)) : [];
  const paths = [...pairs.map((pair) => pair.to), ...left.map(({ path }) => path)];
  const { view } = target;
  const changed = await changeFiles(
    setting,
    view,
    context,
    call,
    paths,
    async (current, client) => {
      for (const pair of pairs) checkFree(call, current, pair.to);
      const labels = { chosen: chosenBy(args, context), placed };
      const copies: Next[] = [];
      for (const pair of pairs) copies.push(await copyOf(setting, client, source, pair, labels));
      return [...copies, ...left];
    },
  );
  if (moves)
    await removeEmptied(
      source,
      left.map(({ path }) => path),
    );
  return changed;
}

/** What goes where: a folder's files keep their places in it. */
async function pairsOf(
  setting: FilesSetting,
  source: Place,
  { view, path: to }: Place,
): Promise<readonly Pair[]> {
  const files = await filesAt(setting, source);
  const pairs = files.map((from) => ({ from, to: to + from.slice(source.path.length) }));
  for (const pair of pairs) await checkRoom(setting, { view, path: pair.to });
  return pairs;
}

/** Content keeps its label, joined with what chose it. */
async function copyOf(
  setting: FilesSetting,
  client: Queryable,
  { view }: Place,
  { from, to }: Pair,
  { chosen, placed }: { readonly chosen: Label; readonly placed: Label },
): Promise<Next> {
  const content = await contentAt(setting, { view, path: from }, undefined, client);
  const hash = await setting.blobs.put(await content.read());
  return { path: to, hash, bytes: content.bytes, label: join(content.label, chosen), placed };
}

function goneAt(path: string, placed: Label): Next {
  return { path, bytes: 0, label: placed, placed };
}

function checkApart(call: string, source: Place, target: Place): void {
  if (call === "files.move" && source.view.tree !== target.view.tree)
    throw new DeviceError("files.move: both paths must be in one tree. Copy, then remove.");
  const inside = `${target.path}/`.startsWith(`${source.path}/`);
  if (source.view.tree === target.view.tree && (inside || source.path === ""))
    throw new DeviceError(`${call}: "to" must lie outside of "from", got a path in it.`);
}

function checkFree(call: string, current: Current, to: string): void {
  if (current.get(to)?.hash !== undefined)
    throw new DeviceError(`${call}: nothing must be at "to" yet, got a file. Remove it first.`);
}

export async function remove(setting: FilesSetting, args: Labelled, context: CallContext): Changed {
  const asked = (args.value as { readonly path: string }).path;
  const place = await findPlace(setting, "files.remove", asked, context, "write");
  const known = await finishCall(setting, context.key);
  if (known.length > 0) return known;
  const paths = await filesAt(setting, place);
  const label = placedBy(args, context);
  const gone = paths.map((path) => goneAt(path, label));
  const { view } = place;
  const changed = await changeFiles(
    setting,
    view,
    context,
    "files.remove",
    paths,
    async () => gone,
  );
  await removeEmptied(place, paths);
  return changed;
}

/** Folders of the host that the call took all files out of. */
async function removeEmptied(
  { view, path: folder }: Place,
  paths: readonly string[],
): Promise<void> {
  const root = hostFolder(view.tree);
  if (root === undefined || paths.includes(folder)) return;
  const folders = new Set([folder]);
  for (const path of paths)
    for (const { index } of path.matchAll(/\//g))
      if (index > folder.length) folders.add(path.slice(0, index));
  const deepestFirst = [...folders].sort((a, b) => b.length - a.length);
  for (const one of deepestFirst) await removeHostFolder(root, one);
}

/** A folder of the host refuses by itself. @throws DeviceError: a name is a file or a folder */
export async function checkRoom(setting: FilesSetting, { view, path: at }: Place): Promise<void> {
  const { pool } = setting.database;
  const parents = [...at.matchAll(/\//g)].map(({ index }) => at.slice(0, index));
  if (hostFolder(view.tree) !== undefined) return;
  for (const parent of parents) {
    const found = await lookUp(setting, pool, view, parent);
    if (found.hash !== undefined)
      throw new DeviceError("files: a path must lead through folders, got a file on the way.");
  }
  const below = await newestBelow(pool, view.tree, at);
  if (below.some(({ hash }) => hash !== undefined))
    throw new DeviceError("files: a path must name a file, got a folder. Name a file in it.");
}
