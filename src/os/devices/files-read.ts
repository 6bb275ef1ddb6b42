/** Calls that look: read, list, stat, search, versions. Labels say who shaped what is seen. */
import { isUtf8 } from "node:buffer";
import { DeviceError } from "../kernel/device-error.ts";
import type { CallResult, Syscall } from "../kernel/syscall.ts";
import { join, type Label, labelOf } from "../security/label.ts";
import type { Json, LabelTree } from "../security/labelled.ts";
import { type Content, filesBelow, listFolder, lookUp, ofVersion } from "./files-content.ts";
import { labelOfAll } from "./files-labels.ts";
import { type FilesSetting, findPlace, type Place } from "./files-place.ts";
import { type Queryable, type Version, versionById, versionsOfPath } from "./files-versions.ts";

/** Of one result; more is read in parts. */
export const MAX_RESULT_BYTES: number = 1 << 20;
const MAX_ENTRIES = 1000;
const MAX_SEARCHED = 5000;
const MAX_MATCHES = 200;
const MAX_LINE_LENGTH = 400;

const path = { type: "string", description: "Relative to the workspace, as in notes/today.md." };
const folder = { type: "string", description: 'A folder, relative to the workspace; "." = all.' };
const count = { type: "integer", minimum: 1 };

function args(properties: Record<string, unknown>, required: readonly string[]): Syscall["args"] {
  return { type: "object", properties, required, additionalProperties: false };
}

interface ReadArgs {
  readonly path: string;
  readonly encoding?: "text" | "base64";
  readonly line?: number;
  readonly lines?: number;
  readonly version?: number;
}

export function readingCalls(setting: FilesSetting): readonly Syscall[] {
  const reads = { effect: "idempotent", access: "read", sinks: {} } as const;
  return [
    {
      ...reads,
      name: "files.read",
      doc: "The text of a file, whole or some lines of it; base64 for what is not text.",
      args: args(
        {
          path,
          encoding: { enum: ["text", "base64"] },
          line: { ...count, description: "First line wanted, from 1." },
          lines: { ...count, description: "How many." },
          version: { ...count, description: "An older version, by its number." },
        },
        ["path"],
      ),
      run: async ({ value }, context) => {
        const asked = value as unknown as ReadArgs;
        const place = await findPlace(setting, "files.read", asked.path, context);
        return readFile(await contentAt(setting, place, asked.version), asked);
      },
    },
    {
      ...reads,
      name: "files.list",
      doc: "Names in a folder, each a file or a folder.",
      args: args({ path: folder }, ["path"]),
      run: async ({ value }, context) =>
        listNames(setting, await findPlace(setting, "files.list", pathOf(value), context)),
    },
    {
      ...reads,
      name: "files.stat",
      doc: "Size and SHA-256 of a file, and its label.",
      args: args({ path }, ["path"]),
      run: async ({ value }, context) =>
        statFile(setting, await findPlace(setting, "files.stat", pathOf(value), context)),
    },
    {
      ...reads,
      name: "files.search",
      doc: "Lines that hold a text, in all files below a folder.",
      args: args(
        {
          path: folder,
          text: { type: "string", minLength: 1, maxLength: 1000 },
          ignoreCase: { type: "boolean" },
          name: { type: "string", description: "Files whose names end so, as in .md." },
        },
        ["path", "text"],
      ),
      run: async ({ value }, context) => {
        const asked = value as unknown as SearchArgs;
        return search(
          setting,
          await findPlace(setting, "files.search", asked.path, context),
          asked,
        );
      },
    },
    {
      ...reads,
      name: "files.versions",
      doc: "What a file was before, newest first; each can be read by its number.",
      args: args({ path, most: { ...count, maximum: 100 } }, ["path"]),
      run: async ({ value }, context) => {
        const { most = 20 } = value as { readonly most?: number };
        const place = await findPlace(setting, "files.versions", pathOf(value), context);
        const { database } = setting;
        const found = await versionsOfPath(database.pool, place.view.tree, place.path, most);
        return { value: found.map(showVersion), labels: { label: labelOfAll(found) } };
      },
    },
  ];
}

function pathOf(value: Json): string {
  return (value as { readonly path: string }).path;
}

/** @throws DeviceError when nothing is there, with the label of who saw to that */
export async function contentAt(
  setting: FilesSetting,
  { view, path: at }: Place,
  id?: number,
  db: Queryable = setting.database.pool,
): Promise<Content> {
  const version = id === undefined ? undefined : await versionById(db, id);
  const isOfPath = version?.tree === view.tree && version.path === at;
  const known = version !== undefined && isOfPath ? ofVersion(setting, version) : undefined;
  const found = id === undefined ? await lookUp(setting, db, view, at) : known;
  if (found?.hash !== undefined) return found;
  const rule = "files: there must be a file, got none. List the folder for the names there are.";
  throw new DeviceError(rule, found?.placed && { labels: { label: found.placed } });
}

async function readFile(content: Content, asked: ReadArgs): Promise<CallResult> {
  const labels = { label: join(content.label, content.placed) };
  const bytes = await content.read();
  const fail = (rule: string) => new DeviceError(`files.read: ${rule}`, { labels });
  const rest = { bytes: content.bytes, hash: content.hash };
  if (asked.encoding === "base64") {
    if (bytes.length > MAX_RESULT_BYTES) throw fail(`a file must have ${MAX_RESULT_BYTES} bytes.`);
    return { value: { base64: Buffer.from(bytes).toString("base64"), ...rest }, labels };
  }
  if (!isUtf8(bytes) || bytes.includes(0))
    throw fail('a file must be UTF-8 text, got other bytes. Ask for encoding "base64".');
  const text = Buffer.from(bytes).toString("utf8");
  const lines = text.split("\n");
  const { line = 1, lines: most = lines.length } = asked;
  const wanted = lines.slice(line - 1, line - 1 + most).join("\n");
  if (Buffer.byteLength(wanted) > MAX_RESULT_BYTES)
    throw fail(`a result must have ${MAX_RESULT_BYTES} bytes at most. Ask for line and lines.`);
  return { value: { text: wanted, lines: lines.length, ...rest }, labels };
}

async function listNames(setting: FilesSetting, place: Place): Promise<CallResult> {
  const listing = await listFolder(setting.database.pool, place.view, place.path);
  if (listing === undefined)
    throw new DeviceError("files.list: there must be a folder, got none. List the one above it.");
  const shown = listing.entries.slice(0, MAX_ENTRIES);
  const more = listing.entries.length - shown.length;
  const value = {
    entries: shown.map(({ name, kind }) => ({ name, kind })),
    ...(more > 0 ? { more } : {}),
    ...(listing.unlisted > 0 ? { unlisted: listing.unlisted } : {}),
  };
  const entries: LabelTree = {
    label: listing.placed,
    parts: shown.map(({ placed }) => ({ label: placed })),
  };
  return { value, labels: { label: listing.placed, parts: new Map([["entries", entries]]) } };
}

async function statFile(setting: FilesSetting, place: Place): Promise<CallResult> {
  const { hash, bytes, label, placed } = await contentAt(setting, place);
  const sources = [...label.integrity].sort();
  const readers = label.readers === "public" ? "public" : [...label.readers].sort();
  return { value: { bytes, hash, sources, readers }, labels: { label: join(label, placed) } };
}

interface SearchArgs {
  readonly path: string;
  readonly text: string;
  readonly ignoreCase?: boolean;
  readonly name?: string;
}

interface Match {
  readonly path: string;
  readonly line: number;
  readonly text: string;
}

/** All files that were looked into shape the result: also that one of them holds nothing. */
async function search(
  setting: FilesSetting,
  { view, path: at }: Place,
  asked: SearchArgs,
): Promise<CallResult> {
  const { pool } = setting.database;
  const below = await filesBelow(pool, view, at, MAX_SEARCHED);
  const matches: Match[] = [];
  let label = below.placed;
  let skipped = 0;
  for (const one of below.paths) {
    if (!one.endsWith(asked.name ?? "") || matches.length >= MAX_MATCHES) continue;
    const content = await lookUp(setting, pool, view, one).catch(skipRefused);
    if (content?.hash === undefined) continue;
    label = join(label, sourceOfMany(content.label, at));
    const found = findLines(one, await content.read(), asked);
    if (found === undefined) skipped++;
    else matches.push(...found);
  }
  const shown = matches.slice(0, MAX_MATCHES);
  const more = below.more || shown.length < matches.length || shown.length === MAX_MATCHES;
  const value = { matches: shown.map((match) => ({ ...match })), more, skipped };
  return { value, labels: { label } };
}

/** Unknown files of a folder are one source, or a label would grow with their number. */
function sourceOfMany(label: Label, folderPath: string): Label {
  const isUnknown = [...label.integrity].every((source) => source.startsWith("file:"));
  if (!isUnknown) return label;
  const { integrity } = labelOf(`file:${folderPath === "" ? "." : folderPath}`);
  return { ...label, integrity };
}

/** Links, hard links, too large ones: not looked into. */
function skipRefused(error: unknown): undefined {
  if (!(error instanceof DeviceError)) throw error;
}

/** @returns undefined for what is not text */
function findLines(at: string, bytes: Uint8Array, asked: SearchArgs): Match[] | undefined {
  if (!isUtf8(bytes) || bytes.includes(0)) return undefined;
  const fold = (text: string) => (asked.ignoreCase === true ? text.toLowerCase() : text);
  const wanted = fold(asked.text);
  return Buffer.from(bytes)
    .toString("utf8")
    .split("\n")
    .map((text, i) => ({ path: at, line: i + 1, text }))
    .filter(({ text }) => fold(text).includes(wanted))
    .map((match) => ({ ...match, text: match.text.slice(0, MAX_LINE_LENGTH) }));
}

function showVersion({ id, bytes, hash, cause, pid, at }: Version): Json {
  const by = pid === undefined ? {} : { pid };
  return { version: id, ...(hash === undefined ? { removed: true } : { bytes }), cause, ...by, at };
}
