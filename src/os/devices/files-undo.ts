/** Undo: a file goes back to what stood there before its last change, and all that changed with it. */
import { DeviceError } from "../kernel/device-error.ts";
import type { CallContext } from "../kernel/syscall.ts";
import { bottom, join, type Label } from "../security/label.ts";
import type { Labelled } from "../security/labelled.ts";
import { changeFiles, type Next } from "./files-change.ts";
import { chosenBy } from "./files-labels.ts";
import { type FilesSetting, findPlace } from "./files-place.ts";
import {
  newestVersion,
  type Queryable,
  type Version,
  versionById,
  versionsOfChange,
} from "./files-versions.ts";

export async function undo(
  setting: FilesSetting,
  args: Labelled,
  context: CallContext,
): Promise<readonly Version[]> {
  const asked = (args.value as { readonly path: string }).path;
  const { view, path: at } = await findPlace(setting, "files.undo", asked, context, "write");
  const { pool } = setting.database;
  const newest = await newestVersion(pool, view.tree, at);
  const group = newest === undefined ? [] : await versionsOfChange(pool, view.tree, newest.change);
  const paths = [at, ...group.map((version) => version.path)];
  return changeFiles(setting, view, context, "files.undo", paths, async (current, client) => {
    const now = current.get(at);
    const together = now?.change === newest?.change ? new Set(paths) : [at];
    const nexts: Next[] = [];
    for (const path of together) {
      const version = current.get(path);
      if (version?.change !== now?.change) throw changedSince();
      nexts.push(await stepBack(client, version, chosenBy(args, context)));
    }
    return nexts;
  });
}

async function stepBack(client: Queryable, now: Version | undefined, chosen: Label): Promise<Next> {
  const before = now?.before === undefined ? undefined : await versionById(client, now.before);
  const isFirst = now?.before === undefined;
  if (now === undefined || (isFirst && (now.hash === undefined || isGiven(now))))
    throw new DeviceError("files.undo: a file must have a change to take back, got none.");
  const { change = `none:${now.path}`, hash, bytes = 0 } = before ?? {};
  const label = join(chosen, before?.label ?? bottom);
  const placed = join(chosen, join(now.placed, before?.placed ?? bottom));
  const content = hash === undefined ? {} : { hash };
  const to = { change, before: before?.before };
  return { path: now.path, ...content, bytes, label, placed, undo: to };
}

/** It stood there before any process came. */
function isGiven({ change }: Version): boolean {
  return change.startsWith("base:") || change.startsWith("found:");
}

function changedSince(): DeviceError {
  return new DeviceError(
    "files.undo: all files of a change must be as it left them, got one that was changed since. " +
      "Undo that first.",
  );
}
