/**
 * Makes newly made shards the state of a prepared folder. The manifest is written last and in one
 * piece, so whenever this is killed the folder is in its old state or in its new one; what the new
 * one does not need is removed afterwards.
 */
import { createHash } from "node:crypto";
import { mkdir, open, readdir, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { diskError, syncFolder } from "../../../durable-file.node.ts";
import { MANIFEST_FILE, MANIFEST_VERSION, type Manifest } from "./manifest.ts";
import { SHARDS_FOLDER } from "./prepare-shards.node.ts";

export interface PreparedTokenizer {
  /** As `toTokenizerJson` gives it. */
  readonly json: string;
  readonly vocabSize: number;
  readonly bos: number | undefined;
}

/** @throws DISK */
export async function finishPrepared(
  folder: string,
  { json, vocabSize, bos }: PreparedTokenizer,
  rest: Omit<Manifest, "version" | "tokenizer">,
): Promise<Manifest> {
  const sha256 = createHash("sha256").update(json).digest("hex");
  const file = `tokenizer-${sha256.slice(0, 16)}.json`;
  const row = { file, sha256, vocabSize, ...(bos === undefined ? {} : { bos }) };
  const manifest: Manifest = { version: MANIFEST_VERSION, tokenizer: row, ...rest };
  try {
    await mkdir(folder, { recursive: true });
    await replaceFile(folder, file, json);
    await replaceFile(folder, MANIFEST_FILE, `${JSON.stringify(manifest, null, 2)}\n`);
    await removeLeftOver(folder, manifest);
  } catch (error) {
    throw diskError(folder, error, "The folder is as it was before. Then prepare again.");
  }
  return manifest;
}

/** Readers see the old file or the new one. */
async function replaceFile(folder: string, name: string, text: string): Promise<void> {
  const temporary = join(folder, `.${name}-${process.pid}`);
  const file = await open(temporary, "w");
  try {
    await file.writeFile(text);
    await file.sync();
  } finally {
    await file.close();
  }
  await rename(temporary, join(folder, name));
  await syncFolder(folder);
}

/** Removes shards and tokenizers that the manifest does not name; other files are not touched. */
async function removeLeftOver(folder: string, { sources, tokenizer }: Manifest): Promise<void> {
  const used = new Set(
    sources.flatMap(({ shards }) => shards.map(({ file }) => file.split("/")[1])),
  );
  const parent = join(folder, SHARDS_FOLDER);
  for (const name of await readdir(parent).catch(() => []))
    if (!used.has(name)) await rm(join(parent, name), { recursive: true, force: true });
  for (const name of await readdir(folder)) {
    const ours = /^(tokenizer-[0-9a-f]{16}\.json|\.(manifest|tokenizer-[0-9a-f]{16})\.json-\d+)$/;
    if (ours.test(name) && name !== tokenizer.file) await rm(join(folder, name), { force: true });
  }
}
