/**
 * Calls that take files elsewhere: copy, move, remove; of a folder, all that is in it. Labels go
 * along; what was there is kept as versions.
 */
import { DeviceError } from "../kernel/device-error.ts";
import type { CallContext } from "../kernel/syscall.ts";
import { join } from "../security/label.ts";
import type { Labelled } from "../security/labelled.ts";
import { type Current, changeFiles, finishCall, type Next } from "./files-change.ts";
import { filesBelow, hostFolder, lookUp } from "./files-content.ts";
import { chosenBy, placedBy } from "./files-labels.ts";
import { type FilesSetting, findPlace, type Place } from "./files-place.ts";
import { contentAt } from "./files-read.ts";
import { newestBelow, type Version } from "./files-versions.ts";
import { removeHostFolder } from "./files-walk.ts";

/** Of one call that moves, copies or removes a folder. */
const MAX_FILES = 1000;

type Changed = Promise<readonly Version[]>;

interface Source {
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

export async function transfer(
  setting: FilesSetting,
  call: "files.copy" | "files.move",
  args: Labelled,
  context: CallContext,
): Changed {
  const { from, to } = args.value as unknown as Source;
  const moves = call === "files.move";
  const source = await findPlace(setting, call, from, context, moves ? "write" : "read");
  const target = await findPlace(setting, call, to, context, "write");
  if (moves && source.view.tree !== target.view.tree)
    throw new DeviceError("files.move: both paths must be in one tree. Copy, then remove.");
  checkApart(call, source, target);
  const known = await finishCall(setting, context.key);
  if (known.length > 0) return known;
  const pairs = (await filesAt(setting, source)).map((path): Source => {
    return { from: path, to: target.path + path.slice(source.path.length) };
  });
  for (const pair of pairs) await checkRoom(setting, { view: target.view, path: pair.to });
  const placed = placedBy(args, context);
  const removed = moves ? pairs.map((pair) => pair.from) : [];
  const paths = [...pairs.map((pair) => pair.to), ...removed];
  const changed = await changeFiles(
    setting,
    target.view,
    context,
    call,
    paths,
    async (current, client) => {
      const nexts: Next[] = [];
      for (const pair of pairs) {
        checkFree(call, current, pair.to);
        const content = await contentAt(setting, { ...source, path: pair.from }, undefined, client);
        const hash = await setting.blobs.put(await content.read());
        const label = join(content.label, chosenBy(args, context));
        nexts.push({ path: pair.to, hash, bytes: content.bytes, label, placed });
      }
      const gone = { bytes: 0, label: placed, placed };
      return [...nexts, ...removed.map((path): Next => ({ path, ...gone }))];
    },
  );
  if (moves) await removeEmptied(source, removed);
  return changed;
}

function checkApart(call: string, source: Place, target: Place): void {
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
  const gone = paths.map((path): Next => ({ path, bytes: 0, label, placed: label }));
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
