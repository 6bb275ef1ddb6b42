/**
 * Documentation of the project and of the permissively licensed packages that are installed with
 * it: Markdown, and type declarations with their comments, which are half prose, half code.
 */

import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import type { Document } from "../document.ts";
import { packageLicence } from "./package-folder.node.ts";

const ROOT = fileURLToPath(new URL("../../../../", import.meta.url));
const PERMISSIVE = /^(MIT|MIT OR Apache-2\.0|Apache-2\.0|ISC|0BSD|BSD-2-Clause|BSD-3-Clause)$/;
const DOCUMENTATION = /(\.md|\.d\.ts)$/;

/** Files from 500 bytes, below which there is only boilerplate, to 300 kB. */
const FEWEST_BYTES = 500;
const MOST_BYTES = 300_000;

export function readPackageDocs(): Document[] {
  return documentFiles().map(({ id, path }) => ({ id, text: readFileSync(path, "utf8") }));
}

/** Bytes of the files, which are not read for it. */
export function packageDocsBytes(): number {
  return documentFiles().reduce((sum, { bytes }) => sum + bytes, 0);
}

/** Changes when a package comes, goes or is updated, and with the project's own pages. */
export function packageDocsVersion(): string {
  return JSON.stringify(documentFiles().map(({ id, bytes, version }) => [id, bytes, version]));
}

interface DocumentFile {
  readonly id: string;
  readonly path: string;
  readonly bytes: number;
  /** Of a package; of the project's own pages their content. */
  readonly version: string;
}

function documentFiles(): DocumentFile[] {
  const own = docsOf(join(ROOT, "docs"), (path) => readFileSync(path, "utf8"));
  const packages = permissivePackages(join(ROOT, "node_modules"));
  return [...own, ...packages.flatMap((folder) => docsOf(folder, () => versionOf(folder)))];
}

function permissivePackages(modules: string): string[] {
  if (!existsSync(modules)) return [];
  const names = readdirSync(modules)
    .sort()
    .flatMap((name) => {
      if (!name.startsWith("@")) return [name];
      return readdirSync(join(modules, name))
        .sort()
        .map((inner) => join(name, inner));
    });
  return names
    .map((name) => join(modules, name))
    .filter((folder) => existsSync(join(folder, "package.json")))
    .filter((folder) => PERMISSIVE.test(packageLicence(folder)));
}

function docsOf(folder: string, version: (path: string) => string): DocumentFile[] {
  const files = readdirSync(folder, { recursive: true, encoding: "utf8" }).sort();
  return files
    .filter((file) => DOCUMENTATION.test(file))
    .map((file) => join(folder, file))
    .map((path) => ({ id: relative(ROOT, path), path, bytes: statSync(path).size }))
    .filter(({ bytes }) => bytes >= FEWEST_BYTES && bytes <= MOST_BYTES)
    .map((file) => ({ ...file, version: version(file.path) }));
}

function versionOf(folder: string): string {
  return JSON.parse(readFileSync(join(folder, "package.json"), "utf8")).version;
}
