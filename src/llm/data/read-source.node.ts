/**
 * Reads files and folders into documents. `.jsonl` holds one row a line, every other text file is
 * one document; `.gz` of either is unpacked. A folder gives all text files below it, by name.
 */

import { readdirSync, statSync } from "node:fs";
import { basename, join, relative } from "node:path";
import { NutshellError } from "../../error.ts";
import type { Document } from "./document.ts";
import { ROW_FIELDS, tryRenderRow } from "./sources/rows.ts";
import { readTextFile } from "./text-file.node.ts";

/** What counts as text inside a folder; a file named by the user is read whatever its name. */
const TEXT_FILE = /\.(txt|md|rst|text|jsonl)(\.gz)?$/;

/** Text files below a folder, sorted by path; hidden files and folders are skipped. */
export function listTextFiles(folder: string): string[] {
  const entries = readdirSync(folder, { withFileTypes: true })
    .filter(({ name }) => !name.startsWith("."))
    .sort((a, b) => (a.name < b.name ? -1 : 1));
  return entries.flatMap((entry) => {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) return listTextFiles(path);
    return TEXT_FILE.test(entry.name) ? [path] : [];
  });
}

/**
 * @param path a file or a folder
 * @throws DATA for a missing path, a folder without text, or a file that is not text
 */
export function readDocuments(path: string): Document[] {
  if (!isFolder(path)) return readFile(path, basename(path));
  const files = listTextFiles(path);
  if (files.length === 0) {
    throw new NutshellError(
      "DATA",
      `${path}: a folder of text must hold .txt, .md or .jsonl files (.gz of them too), got none. ` +
        "Pass another folder, or one file.",
    );
  }
  return files.flatMap((file) => readFile(file, relative(path, file)));
}

/** @throws DATA when nothing is there */
export function isFolder(path: string): boolean {
  const found = statSync(path, { throwIfNoEntry: false });
  if (found !== undefined) return found.isDirectory();
  throw new NutshellError(
    "DATA",
    `${path}: a source must be a file or a folder, got nothing there. Check the path of --data.`,
  );
}

function readFile(path: string, name: string): Document[] {
  const text = readTextFile(path);
  if (/\.jsonl(\.gz)?$/.test(path)) return readRows(path, name, text);
  if (text.trim() !== "") return [{ id: name, text }];
  throw new NutshellError(
    "DATA",
    `${path}: a text file must hold text, got white space only. Fill it or leave it out.`,
  );
}

function readRows(path: string, name: string, text: string): Document[] {
  const documents: Document[] = [];
  for (const [index, line] of text.split("\n").entries()) {
    if (line.trim() === "") continue;
    const document = tryRenderRow(parseLine(path, line, index + 1), `${name}:${index + 1}`);
    if (document === undefined) throw withoutText(path, index + 1, line);
    documents.push(document);
  }
  return documents;
}

function parseLine(path: string, line: string, lineNumber: number): unknown {
  try {
    return JSON.parse(line);
  } catch (cause) {
    const got = `${(cause as Error).message}`.replace(/\s+/g, " ").slice(0, 100);
    throw new NutshellError(
      "DATA",
      `${path}: line ${lineNumber}: every line must be one JSON value, got ${got}. ` +
        "Repair the line or take it out.",
      { cause },
    );
  }
}

function withoutText(path: string, lineNumber: number, line: string): NutshellError {
  return new NutshellError(
    "DATA",
    `${path}: line ${lineNumber}: a row must have ${ROW_FIELDS}, got ${line.slice(0, 80)}. ` +
      "Repair the line or take it out.",
  );
}
