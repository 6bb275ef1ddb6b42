/**
 * A prepared folder, opened for training: shards are mapped and their indexes read, but no tokens,
 * so a start takes the same time however much text there is. Blocks of tokens are checked when
 * they are first used; `findDamage` checks all of every file.
 */
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { digestFile } from "../../../durable-file.node.ts";
import { NutshellError } from "../../../error.ts";
import {
  MANIFEST_FILE,
  type Manifest,
  type ManifestSource,
  type ManifestTokenizer,
  parseManifest,
} from "./manifest.ts";
import type { Access } from "./map-file.node.ts";
import { type OpenShards, openSide } from "./open-shards.node.ts";
import { badShard } from "./shard-file.node.ts";
import type { TokenSource } from "./token-documents.ts";

export interface PreparedFolder extends Disposable {
  readonly manifest: Manifest;
  readonly sources: readonly TokenSource[];
  readonly tokenizerJson: string;
  /** How the shards are read: mapped into memory, or in whole where the system cannot map. */
  readonly access: Access;
}

/** @throws DATA when the manifest, the tokenizer or a shard is missing or not what it must be */
export function openPrepared(folder: string): PreparedFolder {
  const manifest = readManifest(folder);
  const { tokenizer, sources } = manifest;
  const tokenizerJson = readTokenizer(folder, tokenizer);
  const opened: OpenShards[] = [];
  const dispose = (): void => {
    for (const shards of opened) shards[Symbol.dispose]();
  };
  const openAll = (source: ManifestSource): TokenSource => {
    const [train, validation] = (["train", "validation"] as const).map((side) => {
      const shards = openSide(folder, source, side);
      opened.push(shards);
      return shards.documents;
    }) as [OpenShards["documents"], OpenShards["documents"]];
    const { name, weight, maxEpochs } = source;
    const limit = maxEpochs === undefined ? {} : { maxEpochs };
    return { name, weight, ...limit, bos: tokenizer.bos, train, validation };
  };
  try {
    const list = sources.map(openAll);
    const all = opened.flatMap(({ files }) => files);
    const access = all.every((file) => file.access === "mapped") ? "mapped" : "read";
    return { manifest, tokenizerJson, sources: list, access, [Symbol.dispose]: dispose };
  } catch (error) {
    dispose();
    throw error;
  }
}

/** @throws DATA */
export function readManifest(folder: string): Manifest {
  const path = join(folder, MANIFEST_FILE);
  const text = tryRead(path);
  if (text !== undefined) return parseManifest(text, path);
  throw new NutshellError(
    "DATA",
    `${folder}: a prepared folder must hold ${MANIFEST_FILE}, got none. ` +
      "Make it with `nutshell data prepare`.",
  );
}

/** @returns undefined where none is, or one that must be made again */
export function tryReadManifest(folder: string): Manifest | undefined {
  try {
    return readManifest(folder);
  } catch (error) {
    if (error instanceof NutshellError) return undefined;
    throw error;
  }
}

/** @throws DATA when the file is missing or not the one that the manifest names */
export function readTokenizer(folder: string, { file, sha256 }: ManifestTokenizer): string {
  const path = join(folder, file);
  const text = tryRead(path);
  if (text !== undefined && hashText(text) === sha256) return text;
  throw new NutshellError(
    "DATA",
    `${path}: must be the tokenizer that the shards were made with, got ` +
      `${text === undefined ? "no file" : "another one"}. Run \`nutshell data prepare\` again.`,
  );
}

function tryRead(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
}

/** Reads every shard and compares its SHA-256. @returns what is damaged, one error a file */
export async function findDamage(folder: string): Promise<NutshellError[]> {
  const found: NutshellError[] = [];
  for (const { file, bytes, sha256 } of readManifest(folder).sources.flatMap((s) => s.shards)) {
    const path = join(folder, file);
    const digest = await digestFile(path).catch(() => undefined);
    if (digest === undefined) found.push(badShard(path, "be there, got no readable file"));
    else if (digest.bytes !== bytes)
      found.push(badShard(path, `have ${bytes} bytes, got ${digest.bytes}`));
    else if (digest.sha256 !== sha256)
      found.push(
        badShard(path, `have SHA-256 ${sha256.slice(0, 16)}…, got ${digest.sha256.slice(0, 16)}…`),
      );
  }
  return found;
}

/** Whether tokenizer and shards are there, byte for byte as they were written. */
export async function isWhole(folder: string): Promise<boolean> {
  try {
    openPrepared(folder)[Symbol.dispose]();
  } catch (error) {
    if (error instanceof NutshellError) return false;
    throw error;
  }
  return (await findDamage(folder)).length === 0;
}

/** One hash for all that training draws from: names, weights, mixture, tokens and their order. */
export function dataHash({ sources, tokenizer, mixture }: Manifest): string {
  const rows = sources.map(({ name, weight, maxEpochs, shards }) => {
    return [name, weight, maxEpochs ?? null, shards.map(({ side, sha256 }) => [side, sha256])];
  });
  return hashText(JSON.stringify([tokenizer.sha256, mixture, rows]));
}

function hashText(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}
