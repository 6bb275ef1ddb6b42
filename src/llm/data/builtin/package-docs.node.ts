/**
 * Documentation of the project and of the permissively licensed packages that are installed with
 * it: Markdown, and type declarations with their comments, which are half prose, half code.
 */

import { existsSync, readdirSync, readFileSync } from "node:fs";
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
  const folders = [join(ROOT, "docs"), ...permissivePackages(join(ROOT, "node_modules"))];
  return folders.flatMap(readDocs);
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

/** Files that are not plain text are skipped: nobody chose them, so nobody needs to hear of them. */
function readDocs(folder: string): Document[] {
  const files = readdirSync(folder, { recursive: true, encoding: "utf8" }).sort();
  return files
    .filter((file) => DOCUMENTATION.test(file))
    .map((file) => ({ path: join(folder, file), bytes: readFileSync(join(folder, file)) }))
    .filter(({ bytes }) => bytes.length >= FEWEST_BYTES && bytes.length <= MOST_BYTES)
    .map(({ path, bytes }) => ({ id: relative(ROOT, path), text: bytes.toString("utf8") }));
}
