/**
 * Calls that change: write, append, edit, copy, move, remove, undo, apply. Content keeps its label
 * wherever it goes, joined with what chose it; where it stands has a label of its own.
 */
import { DeviceError } from "../kernel/device-error.ts";
import type { CallContext, CallResult, Effect, Reconciled, Syscall } from "../kernel/syscall.ts";
import { bottom, join, type Label } from "../security/label.ts";
import { type Labelled, partLabels, wholeLabel } from "../security/labelled.ts";
import type { SinkKind } from "../security/policy.ts";
import { type Current, changeFiles, finishCall, type Next } from "./files-change.ts";
import { filesBelow, hostFolder, lookUp } from "./files-content.ts";
import { type FilesSetting, findPlace, type Place } from "./files-place.ts";
import { contentAt, labelOfAll } from "./files-read.ts";
import {
  baseOf,
  firstSeen,
  newestBelow,
  newestVersion,
  type Version,
  versionById,
  versionsOfChange,
} from "./files-versions.ts";
import { MAX_FILE_BYTES, removeHostFolder } from "./files-walk.ts";

/** Of one call that moves, copies or removes a folder. */
const MAX_FILES = 1000;
/** Of a result: the rest is counted. */
const MAX_SHOWN = 50;

type Changed = Promise<readonly Version[]>;

interface Row {
  readonly name: string;
  readonly doc: string;
  readonly args: Readonly<Record<string, unknown>>;
  readonly required: readonly string[];
  readonly sinks: Readonly<Record<string, SinkKind>>;
  readonly effect: Effect;
  readonly run: (setting: FilesSetting, args: Labelled, context: CallContext) => Changed;
}

const path = { type: "string", description: "Relative to the workspace, as in notes/today.md." };
const text = { type: "string" };

const rows: readonly Row[] = [
  {
    name: "files.write",
    doc: "Writes a file; what it held before is kept as a version.",
    args: { path, text, base64: { type: "string", description: "Instead of text: bytes." } },
    required: ["path"],
    sinks: { path: "path", text: "content", base64: "content" },
    effect: "idempotent",
    run: (setting, args, context) =>
      rewrite(setting, "files.write", args, context, () => bytesOf(args)),
  },
  {
    name: "files.append",
    doc: "Adds text at a file's end; makes the file where there is none.",
    args: { path, text },
    required: ["path", "text"],
    sinks: { path: "path", text: "content" },
    effect: "reconcilable",
    run: (setting, args, context) =>
      rewrite(setting, "files.append", args, context, (old = new Uint8Array()) =>
        Buffer.concat([old, bytesOf(args)]),
      ),
  },
  {
    name: "files.edit",
    doc: "Replaces a text that stands exactly once in a file.",
    args: { path, find: { type: "string", minLength: 1 }, replace: text },
    required: ["path", "find", "replace"],
    sinks: { path: "path", find: "content", replace: "content" },
    effect: "reconcilable",
    run: (setting, args, context) =>
      rewrite(setting, "files.edit", args, context, (old) => replaceOnce(old, args)),
  },
  {
    name: "files.copy",
    doc: "Copies a file or folder; labels travel along.",
    args: { from: path, to: path },
    required: ["from", "to"],
    sinks: { from: "path", to: "path" },
    effect: "reconcilable",
    run: (setting, args, context) => transfer(setting, "files.copy", args, context),
  },
  {
    name: "files.move",
    doc: "Moves or renames a file or folder.",
    args: { from: path, to: path },
    required: ["from", "to"],
    sinks: { from: "path", to: "path" },
    effect: "reconcilable",
    run: (setting, args, context) => transfer(setting, "files.move", args, context),
  },
  {
    name: "files.remove",
    doc: "Removes a file or folder; its content is kept, and undo brings it back.",
    args: { path },
    required: ["path"],
    sinks: { path: "path" },
    effect: "reconcilable",
    run: remove,
  },
  {
    name: "files.undo",
    doc: "Takes back the last change of a file, all of it where it touched several.",
    args: { path },
    required: ["path"],
    sinks: { path: "path" },
    effect: "reconcilable",
    run: undo,
  },
  {
    name: "files.apply",
    doc: "Brings the changes of a forked tree back into the folder that it stands on.",
    args: { path },
    required: ["path"],
    sinks: { path: "path" },
    effect: "reconcilable",
    run: apply,
  },
];

export function writingCalls(setting: FilesSetting): readonly Syscall[] {
  return rows.map((row): Syscall => {
    const { name, doc, sinks, effect } = row;
    const args = {
      type: "object",
      properties: row.args,
      required: row.required,
      additionalProperties: false,
    };
    return {
      ...{ name, doc, args, sinks, effect, access: "write" },
      run: async (given, context) => toResult(await row.run(setting, given, context)),
      reconcile: async (_, context) => reconcile(setting, context),
    };
  });
}

async function reconcile(setting: FilesSetting, { key }: CallContext): Promise<Reconciled> {
  const versions = await finishCall(setting, key);
  if (versions.length === 0) return { happened: false };
  return { happened: true, result: toResult(versions) };
}

function toResult(versions: readonly Version[]): CallResult {
  const changed = versions
    .slice(0, MAX_SHOWN)
    .map(({ path: at, hash, bytes }) =>
      hash === undefined ? { path: at, removed: true } : { path: at, bytes },
    );
  const more = versions.length - changed.length;
  const value = more > 0 ? { changed, more } : { changed };
  return { value, labels: { label: labelOfAll(versions) } };
}

type Values = Readonly<Record<string, string | undefined>>;

function bytesOf({ value }: Labelled): Uint8Array {
  const { text: words, base64 } = value as Values;
  if ((words === undefined) === (base64 === undefined))
    throw new DeviceError("files.write: it must be given text or base64, got both or none.");
  return words === undefined ? Buffer.from(base64 ?? "", "base64") : Buffer.from(words);
}

function replaceOnce(old: Uint8Array | undefined, { value }: Labelled): Uint8Array {
  const { find = "", replace = "" } = value as Values;
  const whole = Buffer.from(old ?? []);
  const wanted = Buffer.from(find);
  const at = whole.indexOf(wanted);
  if (at < 0 || whole.indexOf(wanted, at + 1) >= 0)
    throw new DeviceError(
      "files.edit: the text must stand there exactly once. Read the file again.",
    );
  return Buffer.concat([
    whole.subarray(0, at),
    Buffer.from(replace),
    whole.subarray(at + wanted.length),
  ]);
}

/** Everything that chose what is stored. */
function chosenBy(args: Labelled, { pc }: CallContext): Label {
  return join(wholeLabel(args.labels), pc);
}

/** What chose where it stands: the paths alone. */
function placedBy(args: Labelled, { pc }: CallContext): Label {
  let label = pc;
  for (const name of ["path", "from", "to"])
    if (Object.hasOwn(args.value as object, name))
      label = join(label, wholeLabel(partLabels(args.labels, name)));
  return label;
}

/** @param make the new content out of the old; the old's label stays on it unless it is unused */
async function rewrite(
  setting: FilesSetting,
  call: string,
  args: Labelled,
  context: CallContext,
  make: (old: Uint8Array | undefined) => Uint8Array,
): Changed {
  const asked = (args.value as { readonly path: string }).path;
  const { view, path: at } = await findPlace(setting, call, asked, context, "write");
  await checkRoom(setting, { view, path: at });
  return changeFiles(setting, view, context, call, [at], async (current) => {
    const old = current.get(at);
    const kept = call === "files.write" ? undefined : old;
    const before = kept?.hash === undefined ? undefined : await setting.blobs.get(kept.hash);
    const bytes = make(before);
    if (bytes.length > MAX_FILE_BYTES)
      throw new DeviceError(`${call}: a file must have ${MAX_FILE_BYTES} bytes at most.`);
    const hash = await setting.blobs.put(bytes);
    const label = join(chosenBy(args, context), kept?.label ?? bottom);
    return [{ path: at, hash, bytes: bytes.length, label, placed: placedBy(args, context) }];
  });
}

/** A folder of the host refuses by itself. @throws DeviceError: a name is a file or a folder */
async function checkRoom(setting: FilesSetting, { view, path: at }: Place): Promise<void> {
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

async function transfer(
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
  const changed = await changeFiles(setting, target.view, context, call, paths, async (current) => {
    const nexts: Next[] = [];
    for (const pair of pairs) {
      checkFree(call, current, pair.to);
      const content = await contentAt(setting, { ...source, path: pair.from });
      const hash = await setting.blobs.put(await content.read());
      const label = join(content.label, chosenBy(args, context));
      nexts.push({ path: pair.to, hash, bytes: content.bytes, label, placed });
    }
    const gone = { bytes: 0, label: placed, placed };
    return [...nexts, ...removed.map((path): Next => ({ path, ...gone }))];
  });
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

async function remove(setting: FilesSetting, args: Labelled, context: CallContext): Changed {
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

async function undo(setting: FilesSetting, args: Labelled, context: CallContext): Changed {
  const asked = (args.value as { readonly path: string }).path;
  const { view, path: at } = await findPlace(setting, "files.undo", asked, context, "write");
  const { pool } = setting.database;
  const newest = await newestVersion(pool, view.tree, at);
  const group = newest === undefined ? [] : await versionsOfChange(pool, view.tree, newest.change);
  const paths = [at, ...group.map((version) => version.path)];
  return changeFiles(setting, view, context, "files.undo", paths, async (current) => {
    const now = current.get(at);
    const together = now?.change === newest?.change ? new Set(paths) : [at];
    const nexts: Next[] = [];
    for (const path of together) {
      const version = current.get(path);
      if (version?.change !== now?.change) throw changedSince();
      nexts.push(await stepBack(setting, version, chosenBy(args, context)));
    }
    return nexts;
  });
}

async function stepBack(
  setting: FilesSetting,
  now: Version | undefined,
  chosen: Label,
): Promise<Next> {
  const { pool } = setting.database;
  const before = now?.before === undefined ? undefined : await versionById(pool, now.before);
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

/** Refuses all when one file was changed below by somebody else since the tree saw it. */
async function apply(setting: FilesSetting, args: Labelled, context: CallContext): Changed {
  const asked = (args.value as { readonly path: string }).path;
  const { view, path: folder } = await findPlace(setting, "files.apply", asked, context);
  const { pool } = setting.database;
  const base = await baseOf(pool, view.tree);
  if (base === undefined)
    throw new DeviceError("files.apply: a tree must stand on another, got one that does not.");
  const known = await finishCall(setting, context.key);
  if (known.length > 0) return known;
  const target = { tree: base, owner: view.owner };
  const changed = await ownChanges(setting, { view, path: folder });
  const paths = changed.map(({ path }) => path);
  return changeFiles(setting, target, context, "files.apply", paths, async (current) => {
    const nexts: Next[] = [];
    for (const { path, hash, bytes, label, placed } of changed) {
      const seen = await firstSeen(pool, view.tree, path);
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
