/**
 * Finds and reads the pretraining mixture: what `--data` names, else `../shared/data/pretrain`
 * beside the checkout, else the built-in one. Every source comes out split into training and
 * validation documents.
 */

import { existsSync, readdirSync } from "node:fs";
import { basename, join, relative, sep } from "node:path";
import { fileURLToPath } from "node:url";
import { NutshellError } from "../../error.ts";
import { readBuiltin } from "./builtin/builtin.node.ts";
import { type RawSource, type Source, totalBytes } from "./document.ts";
import { isFolder, listTextFiles, readDocuments } from "./read-source.node.ts";
import { knownFolders } from "./sources/known-folders.ts";
import { requireValidation, splitSource } from "./split.ts";
import { thinMixture } from "./thin.ts";

export interface MixtureOptions {
  /** A file or folder; absent: the folder beside the checkout, else the built-in mixture. */
  readonly data?: string;
  /** Training text in all, in bytes; larger mixtures are thinned evenly by weight. */
  readonly maxBytes?: number;
}

export interface Mixture {
  /** One phrase for people: where the text comes from. */
  readonly origin: string;
  readonly sources: readonly Source[];
}

const BESIDE = fileURLToPath(new URL("../../../../shared/data/pretrain", import.meta.url));

/** @throws DATA when the text cannot be used; see `read-source.node.ts` and `split.ts` */
export function loadMixture(options: MixtureOptions = {}): Mixture {
  const path = options.data ?? (existsSync(BESIDE) ? BESIDE : undefined);
  const sources = (path === undefined ? readBuiltin() : readPath(path)).map(splitSource);
  const origin = path === undefined ? "the built-in mixture" : path;
  requireValidation(origin, sources);
  const { maxBytes } = options;
  return { origin, sources: maxBytes === undefined ? sources : thinMixture(sources, maxBytes) };
}

function readPath(path: string): RawSource[] {
  if (!isFolder(path)) return [readPart(path, basename(path))];
  const known = readdirSync(path)
    .sort()
    .filter((name) => Object.hasOwn(knownFolders, name));
  if (known.length === 0) return readFolder(path);
  return known.map((name) => ({ ...readPart(join(path, name), name), ...knownFolders[name] }));
}

/** Where all text lies in subfolders each of them is a source, else the folder is one. */
function readFolder(path: string): RawSource[] {
  const places = listTextFiles(path).map((file) => relative(path, file).split(sep));
  const loose = places.some((place) => place.length === 1);
  const names = loose ? [] : [...new Set(places.map(([folder = ""]) => folder))];
  if (names.length < 2) return [readPart(path, basename(path))];
  return names.map((name) => readPart(join(path, name), name));
}

function readPart(path: string, name: string): RawSource {
  const documents = readDocuments(path);
  if (documents.length === 0) {
    throw new NutshellError("DATA", `${path}: a source must hold rows, got none. Leave it out.`);
  }
  return { name, licence: "as its owner says", weight: totalBytes(documents), documents };
}
