/**
 * Reads evaluation sets: every .jsonl file below the given folders, gzipped or not, one row a line.
 * Other files (READMEs, word lists) are no evaluation sets and are passed over.
 */

import { createHash, type Hash } from "node:crypto";
import { readdirSync, readFileSync, statSync } from "node:fs";
import { basename, join } from "node:path";
import { gunzipSync } from "node:zlib";
import { NutshellError } from "../../../error.ts";
import { buildEvalIndex, type EvalIndex, type EvalRows } from "./decontaminate.ts";
import type { EvalRow } from "./decontaminate-forms.ts";

const ROWS_FILE = /\.jsonl(\.gz)?$/;

/**
 * @param paths folders or files
 * @throws DATA when a path is missing, holds no .jsonl file, or a file is not JSON lines
 */
export function readEvalIndex(paths: readonly string[]): EvalIndex {
  const hash = createHash("sha256");
  const files = paths.flatMap(listFiles);
  const read = function* (): Generator<EvalRows> {
    for (const { path, name } of files) yield { name, rows: readRows(path, hash.update(name)) };
  };
  // The index is built while files are hashed, so its name is known last.
  const index = buildEvalIndex("", read());
  return { ...index, hash: hash.digest("hex") };
}

interface NamedFile {
  readonly path: string;
  readonly name: string;
}

function listFiles(root: string): NamedFile[] {
  const found = statSync(root, { throwIfNoEntry: false });
  if (found?.isFile()) return [{ path: root, name: basename(root) }];
  const names = found === undefined ? [] : readdirSync(root, { recursive: true, encoding: "utf8" });
  const files = names.filter((name) => ROWS_FILE.test(name)).sort();
  if (files.length > 0) return files.map((name) => ({ path: join(root, name), name }));
  throw new NutshellError(
    "DATA",
    `${root}: evaluation sets are .jsonl or .jsonl.gz files, got none there. Check the path.`,
  );
}

function* readRows(path: string, hash: Hash): Generator<EvalRow> {
  const bytes = readFileSync(path);
  hash.update(bytes);
  const lines = unpack(path, bytes).split("\n");
  for (const [index, line] of lines.entries()) {
    if (line.trim() !== "") yield parseRow(path, line, index + 1);
  }
}

function unpack(path: string, bytes: Buffer): string {
  if (!path.endsWith(".gz")) return bytes.toString();
  try {
    return gunzipSync(bytes).toString();
  } catch (cause) {
    throw new NutshellError(
      "DATA",
      `${path}: a .gz file must be whole gzip, got ${(cause as Error).message}. Copy it again.`,
      { cause },
    );
  }
}

/** A row that is a bare string or list becomes a record of it. */
function parseRow(path: string, line: string, number: number): EvalRow {
  try {
    const value: unknown = JSON.parse(line);
    return typeof value === "object" && value !== null ? (value as EvalRow) : { text: value };
  } catch (cause) {
    throw new NutshellError(
      "DATA",
      `${path}: line ${number}: every line must be one JSON value, got ${line.slice(0, 60)}. ` +
        "Repair the line or take it out.",
      { cause },
    );
  }
}
