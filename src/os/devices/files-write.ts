/**
 * Calls that change: write, append, edit, copy, move, remove, undo, apply. Content keeps its label
 * wherever it goes, joined with what chose it; where it stands has a label of its own.
 */
import { DeviceError } from "../kernel/device-error.ts";
import type { CallContext, CallResult, Effect, Reconciled, Syscall } from "../kernel/syscall.ts";
import { bottom, join } from "../security/label.ts";
import type { Labelled } from "../security/labelled.ts";
import type { SinkKind } from "../security/policy.ts";
import { apply } from "./files-apply.ts";
import { changeFiles, finishCall } from "./files-change.ts";
import { chosenBy, labelOfAll, placedBy } from "./files-labels.ts";
import { type FilesSetting, findPlace } from "./files-place.ts";
import { checkRoom, remove, transfer } from "./files-transfer.ts";
import { undo } from "./files-undo.ts";
import type { Version } from "./files-versions.ts";
import { MAX_FILE_BYTES } from "./files-walk.ts";

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
