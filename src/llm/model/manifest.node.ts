/**
 * `manifest.json`: size and SHA-256 of every file of a checkpoint, so that a truncated, changed or
 * missing file is found before any of it is used. A folder without one came from elsewhere.
 */
import { stat } from "node:fs/promises";
import { join } from "node:path";
import { digestFile, type FileDigest, tryReadText } from "../../durable-file.node.ts";
import { NutshellError } from "../../error.ts";

export const MANIFEST = "manifest.json";
const FORMAT = "nutshell-checkpoint-1";
const FILE_NAME = /^(training\/)?[\w][\w.-]*$/;
const FIX = "Use another checkpoint, e.g. the one before it, and delete this folder.";

export type Digests = Readonly<Record<string, FileDigest>>;

export function checkpointError(path: string, what: string, fix: string = FIX): NutshellError {
  return new NutshellError("CHECKPOINT", `${path}: ${what}. ${fix}`);
}

/** @returns whether a file of this name may lie in a checkpoint */
export function isCheckpointFile(name: string): boolean {
  return FILE_NAME.test(name);
}

export function renderManifest(files: Digests): string {
  return `${JSON.stringify({ format: FORMAT, files }, null, 2)}\n`;
}

/**
 * Compares every file with the manifest.
 * @returns the files' names, or undefined when the folder has no manifest
 * @throws CHECKPOINT naming the first file that is missing, cut or changed
 */
export async function verifyManifest(folder: string): Promise<string[] | undefined> {
  const path = join(folder, MANIFEST);
  const text = await tryReadText(path);
  if (text === undefined) return undefined;
  const files = parseManifest(path, text);
  for (const [name, digest] of Object.entries(files)) await verifyFile(join(folder, name), digest);
  return Object.keys(files);
}

function parseManifest(path: string, text: string): Digests {
  const manifest = parseJson(path, text) as { format?: unknown; files?: unknown } | null;
  if (manifest?.format !== FORMAT)
    throw checkpointError(
      path,
      `format must be "${FORMAT}", got ${JSON.stringify(manifest?.format)}`,
    );
  const files = Object.entries((manifest.files ?? {}) as Digests);
  const broken = files.find(([name, digest]) => !isCheckpointFile(name) || !isDigest(digest));
  if (broken !== undefined || files.length === 0)
    throw checkpointError(path, `must list files, got ${JSON.stringify(broken ?? {})}`);
  if (text !== renderManifest(Object.fromEntries(files)))
    throw checkpointError(path, "must be as it was written, got other text around its entries");
  return Object.fromEntries(files);
}

function isDigest(value: Partial<FileDigest> | null): boolean {
  const { bytes, sha256 } = value ?? {};
  return Number.isSafeInteger(bytes) && typeof sha256 === "string" && /^[0-9a-f]{64}$/.test(sha256);
}

async function verifyFile(path: string, expected: FileDigest): Promise<void> {
  const size = await stat(path).then(
    (found) => found.size,
    () => undefined,
  );
  if (size === undefined) throw checkpointError(path, "file of the manifest must exist, got none");
  if (size !== expected.bytes)
    throw checkpointError(path, `must have ${expected.bytes} bytes, got ${size}: the file is cut`);
  const { sha256 } = await digestFile(path);
  if (sha256 === expected.sha256) return;
  const [got, wanted] = [sha256, expected.sha256].map((digits) => digits.slice(0, 12));
  throw checkpointError(path, `SHA-256 must be ${wanted}…, got ${got}…: the file was changed`);
}

/** @throws CHECKPOINT when the text is not JSON */
export function parseJson(path: string, text: string, fix: string = FIX): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    const start = JSON.stringify(text.slice(0, 40));
    throw new NutshellError("CHECKPOINT", `${path}: must be JSON, got ${start}. ${fix}`, { cause });
  }
}
