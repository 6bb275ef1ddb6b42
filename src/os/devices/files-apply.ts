/** Apply: what a forked tree changed goes back into the folder that it stands on, all or nothing. */
import { DeviceError } from "../kernel/device-error.ts";
import type { CallContext } from "../kernel/syscall.ts";
import { join } from "../security/label.ts";
import type { Labelled } from "../security/labelled.ts";
import { changeFiles, finishCall, type Next } from "./files-change.ts";
import { chosenBy } from "./files-labels.ts";
import { type FilesSetting, findPlace, type Place } from "./files-place.ts";
import { baseOf, firstSeen, newestBelow, newestVersion, type Version } from "./files-versions.ts";

/** Refuses all when one file was changed below by somebody else since the tree saw it. */
export async function apply(
  setting: FilesSetting,
  args: Labelled,
  context: CallContext,
): Promise<readonly Version[]> {
  const asked = (args.value as { readonly path: string }).path;
  const { view, path: folder } = await findPlace(setting, "files.apply", asked, context);
  // Whoever may read another's tree, or write to it, may not thereby write to what it stands on.
  if (view.tree !== context.fileTree)
    throw new DeviceError("files.apply: a tree must be one's own, got another's.", {
      code: "CAPABILITY",
    });
  const { pool } = setting.database;
  const base = await baseOf(pool, view.tree);
  if (base === undefined)
    throw new DeviceError("files.apply: a tree must stand on another, got one that does not.");
  const known = await finishCall(setting, context.key);
  if (known.length > 0) return known;
  const target = { tree: base, owner: view.owner };
  const changed = await ownChanges(setting, { view, path: folder });
  const paths = changed.map(({ path }) => path);
  return changeFiles(setting, target, context, "files.apply", paths, async (current, client) => {
    const nexts: Next[] = [];
    for (const { path, hash, bytes, label, placed } of changed) {
      const seen = await firstSeen(client, view.tree, path);
      const now = current.get(path)?.hash;
      if (now === hash) continue;
      if (now !== seen) throw conflict();
      const chosen = chosenBy(args, context);
      const content = hash === undefined ? {} : { hash };
      const labels = { label: join(label, chosen), placed: join(placed, chosen) };
      nexts.push({ path, ...content, bytes, ...labels });
    }
    return nexts;
  });
}

async function ownChanges(setting: FilesSetting, { view, path }: Place): Promise<Version[]> {
  const { pool } = setting.database;
  const newest = await newestVersion(pool, view.tree, path);
  const below = await newestBelow(pool, view.tree, path);
  const all = newest === undefined ? below : [newest, ...below];
  return all.filter(({ cause }) => cause !== "base");
}

function conflict(): DeviceError {
  return new DeviceError(
    "files.apply: a file must be as it was when the tree first saw it, got another's change. " +
      "Nothing was applied; read both and write the one that is wanted.",
  );
}
