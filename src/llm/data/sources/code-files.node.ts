/**
 * The source code of a folder: files of known languages that people wrote. What was built,
 * generated, minified or packed is left out by the rules of Chen et al. 2021 ("Evaluating large
 * language models trained on code", section 3.1), each with a count, since nobody chose it.
 */

import { isUtf8 } from "node:buffer";
import { readFileSync } from "node:fs";
import { readError } from "./file-error.node.ts";
import { type FoundFile, listFiles } from "./list-files.node.ts";

const CODE_FILE =
  /\.(ts|tsx|mts|cts|js|jsx|mjs|cjs|py|pyi|c|h|cc|cpp|cxx|hpp|rs|go|java|kt|scala|swift|cs|rb|php|pl|lua|r|jl|hs|ml|ex|exs|erl|clj|sh|bash|css|scss|sql|proto|vue|svelte|zig|asm|s)$/i;

/** Folders of other people's code or of what a build leaves behind. */
const skippedFolders = new Set(["node_modules", "__pycache__", "bower_components", "venv"]);

const MOST_FILE_BYTES = 1_000_000;
const MOST_MEAN_LINE_BYTES = 100;
const MOST_LINE_BYTES = 1000;
/** A note about a generator stands at the top. */
const HEAD_BYTES = 1000;

const GENERATED = /@generated|auto-?generated|generated (by|from)|do not edit/i;

export interface CodeFiles {
  readonly files: readonly FoundFile[];
  /** Files left out, by reason. */
  readonly skipped: Readonly<Record<string, number>>;
}

/** Rules in their order; the first that fits is the reason. */
const reasons: readonly (readonly [reason: string, fits: (bytes: Buffer) => boolean])[] = [
  ["empty", (bytes) => bytes.length === 0],
  ["large", (bytes) => bytes.length > MOST_FILE_BYTES],
  ["binary", (bytes) => bytes.includes(0)],
  ["not UTF-8", (bytes) => !isUtf8(bytes)],
  ["generated", (bytes) => GENERATED.test(bytes.toString("latin1", 0, HEAD_BYTES))],
  ["minified", hasLongLines],
];

/** @throws DATA for a folder or file that cannot be read */
export function listCode(folder: string): CodeFiles {
  const found = listFiles(folder, {
    file: (name) => CODE_FILE.test(name),
    folder: (name) => !skippedFolders.has(name),
  });
  const skipped: Record<string, number> = {};
  const files = found.filter((file) => {
    const reason = skipReason(file);
    if (reason !== undefined) skipped[reason] = (skipped[reason] ?? 0) + 1;
    return reason === undefined;
  });
  return { files, skipped };
}

function skipReason({ path, name, bytes }: FoundFile): string | undefined {
  if (/\.min\.(js|mjs|css)$/.test(name)) return "minified";
  if (bytes > MOST_FILE_BYTES) return "large";
  try {
    const content = readFileSync(path);
    return reasons.find(([, fits]) => fits(content))?.[0];
  } catch (cause) {
    throw readError(path, cause);
  }
}

function hasLongLines(bytes: Buffer): boolean {
  let lines = 0;
  for (let start = 0; start < bytes.length; lines++) {
    const found = bytes.indexOf(10, start);
    const end = found < 0 ? bytes.length : found;
    if (end - start > MOST_LINE_BYTES) return true;
    start = end + 1;
  }
  return bytes.length / lines > MOST_MEAN_LINE_BYTES;
}
