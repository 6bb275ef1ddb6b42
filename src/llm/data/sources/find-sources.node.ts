/**
 * Finds what to train on, without reading it: a mixture file, a file or folder of the user's, the
 * folder beside the checkout, or the built-in mixture. Every source comes out with its parts, its
 * licence and an estimate of its size.
 */

import { existsSync, readFileSync } from "node:fs";
import { basename, dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { builtinNames, builtinSource } from "../builtin/builtin.node.ts";
import { listCode } from "./code-files.node.ts";
import { badFile, readError } from "./file-error.node.ts";
import { readFolderCard } from "./folder-card.node.ts";
import { estimateBytes } from "./hash-part.node.ts";
import { type KnownFolder, knownFolders } from "./known-folders.ts";
import { isFolder } from "./list-files.node.ts";
import { type MixtureSettings, parseMixtureFile, type SourceRow } from "./mixture-file.ts";
import { codePartsOf, listTextFiles, textPartsOf } from "./parts.node.ts";
import { type SourcePart, type SourceSpec, UNSTATED_LICENCE } from "./source.ts";

export interface FoundSources {
  /** One phrase for people: where the text comes from. */
  readonly origin: string;
  readonly sources: readonly SourceSpec[];
  /** Bytes of text of each source, estimated. */
  readonly bytes: readonly number[];
  /** What a mixture file says; empty without one. */
  readonly settings: MixtureSettings;
}

const BESIDE = fileURLToPath(new URL("../../../../../shared/data/pretrain", import.meta.url));
const MIXTURE_FILE = "mixture.json";

/** A source whose weight may still follow from its size. */
type FoundSource = Omit<SourceSpec, "weight"> & { readonly weight: number | undefined };

/**
 * @param data a text file, a folder, or a mixture file (`.json`); absent: the folder beside the
 *   checkout when it is there, else the built-in mixture
 * @throws DATA for text that is missing or cannot be read, CONFIG for a mixture file that is wrong
 */
export async function findSources(data?: string): Promise<FoundSources> {
  const path = data ?? (existsSync(BESIDE) ? BESIDE : undefined);
  if (path === undefined) {
    return weigh("the built-in mixture", builtinNames.map(builtinSource), {});
  }
  if (!isFolder(path)) {
    if (/\.json$/i.test(path)) return readMixture(path);
    return weigh(path, [await textSource(path, basename(path))], {});
  }
  const mixture = join(path, MIXTURE_FILE);
  if (existsSync(mixture)) return readMixture(mixture);
  return weigh(path, await folderSources(path), {});
}

async function weigh(
  origin: string,
  found: readonly FoundSource[],
  settings: MixtureSettings,
): Promise<FoundSources> {
  // One after the other, here and below: a folder may have more files than may be open at once.
  const bytes: number[] = [];
  for (const source of found) bytes.push(await sizeOf(source));
  const sizeWeight = weightPerByte(found, bytes);
  const sources = found.map((source, i) => {
    return { ...source, weight: source.weight ?? (bytes[i] as number) * sizeWeight };
  });
  return { origin, sources, bytes, settings };
}

/** Where some weights are given, the others follow in proportion to size. */
function weightPerByte(found: readonly FoundSource[], bytes: readonly number[]): number {
  let weights = 0;
  let weighed = 0;
  for (const [i, { weight }] of found.entries()) {
    if (weight === undefined) continue;
    weights += weight;
    weighed += bytes[i] as number;
  }
  return weighed === 0 ? 1 : weights / weighed;
}

async function sizeOf({ name, parts }: FoundSource): Promise<number> {
  let bytes = 0;
  for (const part of parts) bytes += await estimateBytes(part);
  if (bytes > 0) return bytes;
  const [part] = parts;
  const place = part?.kind === "file" ? part.path : name;
  throw badFile(place, "a source must hold text", "0 bytes", "Fill it or leave it out.");
}

/** Where text lies in known or in several subfolders, each of them is a source; else all is one. */
async function folderSources(path: string): Promise<FoundSource[]> {
  const places = listTextFiles(path)
    .map(({ name }) => name.split("/"))
    .filter(([first = "", ...rest]) => rest.length > 0 || !/^readme/i.test(first));
  const folders = [...new Set(places.flatMap(([first = "", ...rest]) => (rest[0] ? [first] : [])))];
  const isLoose = places.some((place) => place.length === 1);
  const isKnown = folders.some((name) => tryKnown(join(path, name)) !== undefined);
  if (!isKnown && (isLoose || folders.length < 2)) return [await oneSource(path, places.length)];
  return Promise.all(folders.map((name) => textSource(join(path, name), name)));
}

/** A folder without text may be one of source code. */
async function oneSource(path: string, texts: number): Promise<FoundSource> {
  const name = basename(resolve(path));
  const isCode = texts === 0 && listCode(path).files.length > 0;
  return isCode ? codeSource(path, name) : textSource(path, name);
}

async function textSource(path: string, name: string): Promise<FoundSource> {
  const { file, ...stated } = isFolder(path) ? readFolderCard(path) : {};
  const parts = await textPartsOf(path, file === undefined ? [] : [file]);
  return {
    ...plain,
    card: `Text of ${basename(path)}.`,
    ...tryKnown(path),
    ...stated,
    name,
    parts,
  };
}

/** One name alone may be anybody's: a known folder has another one beside it. */
function tryKnown(path: string): KnownFolder | undefined {
  const place = resolve(path);
  const name = basename(place);
  const others = Object.keys(knownFolders).filter((other) => other !== name);
  const isOne = others.some((other) => existsSync(join(dirname(place), other)));
  return isOne && Object.hasOwn(knownFolders, name) ? knownFolders[name] : undefined;
}

function codeSource(path: string, name: string): FoundSource {
  const { parts, skipped } = codePartsOf(path);
  const left = Object.entries(skipped).map(([reason, count]) => `${count} ${reason}`);
  const without = left.length === 0 ? "" : `; left out: ${left.join(", ")}`;
  const files = parts.reduce(
    (sum, part) => sum + (part.kind === "files" ? part.files.length : 1),
    0,
  );
  const card = `Source code of ${basename(resolve(path))}: ${files} files${without}.`;
  return { ...plain, card, domain: "code", name, parts };
}

const plain = {
  licence: UNSTATED_LICENCE,
  language: undefined,
  domain: "other",
  weight: undefined,
  maxEpochs: undefined,
} as const;

async function readMixture(path: string): Promise<FoundSources> {
  const { sources: rows, ...settings } = parseMixtureFile(readFile(path), path);
  const sources = await Promise.all(rows.map((row) => rowSource(row, dirname(path))));
  return weigh(path, sources, settings);
}

function readFile(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch (cause) {
    throw readError(path, cause);
  }
}

/** What the file says of a source goes over what its folder says. */
async function rowSource(row: SourceRow, folder: string): Promise<FoundSource> {
  const { paths = [], code, builtin, ...said } = row;
  if (builtin !== undefined) return { ...builtinSource(builtin), weight: undefined, ...said };
  const place = (path: string): string => resolve(folder, path);
  if (code !== undefined) return { ...codeSource(place(code), row.name), ...said };
  const found = await Promise.all(paths.map((path) => textSource(place(path), basename(path))));
  const [first] = found as [FoundSource];
  const licence = [...new Set(found.map((source) => source.licence))].join(", ");
  const parts = found.length === 1 ? first.parts : joinParts(paths, found);
  return { ...first, weight: undefined, licence, ...said, parts };
}

/** Parts of several places keep distinct names: each starts with its place. */
function joinParts(paths: readonly string[], found: readonly FoundSource[]): SourcePart[] {
  return found.flatMap(({ parts }, i) =>
    parts.map((part) => ({ ...part, name: `${paths[i]}/${part.name}` })),
  );
}
