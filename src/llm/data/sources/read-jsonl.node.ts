/**
 * JSONL: one row a line, each a document. Rows are parsed as they come, so a file of any size is
 * read in the memory of its longest line.
 */

import type { NutshellError } from "../../../error.ts";
import type { Document } from "../document.ts";
import { badFile, oneLine } from "./file-error.node.ts";
import { lineBlocks } from "./line-blocks.node.ts";
import { isChatRow, ROW_FIELDS, tryRenderRow } from "./rows.ts";

const NEWLINE = 10;

/**
 * @param name begins the ids of rows that have none: `name:line`
 * @throws DATA, naming the line, for text that is not JSON and rows without text
 */
export async function* readJsonl(path: string, name: string): AsyncGenerator<Document> {
  let rows = 0;
  for await (const { bytes, firstLine } of lineBlocks(path)) {
    let line = firstLine;
    for (let start = 0; start < bytes.length; line++) {
      const found = bytes.indexOf(NEWLINE, start);
      const end = found < 0 ? bytes.length : found;
      const text = bytes.toString("utf8", start, end);
      start = end + 1;
      if (text.trim() === "") continue;
      rows++;
      yield toDocument(path, name, line, text, found < 0);
    }
  }
  if (rows === 0) {
    throw badFile(path, "a source must hold rows", "none", "Fill it or leave it out.");
  }
}

function toDocument(
  path: string,
  name: string,
  line: number,
  text: string,
  isOpen: boolean,
): Document {
  const row = parseRow(path, line, text, isOpen);
  const document = tryRenderRow(row, `${name}:${line}`);
  if (document === undefined) throw withoutText(path, line, text, row);
  return document;
}

/** @param isOpen true for a last line without its line break: its writer may have been stopped */
function parseRow(path: string, line: number, text: string, isOpen: boolean): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    const got = oneLine((cause as Error).message);
    const fix = isOpen
      ? "It is the last line and has no line break, so it is torn: take it out or write it again."
      : "Repair the line or take it out.";
    throw badFile(path, `line ${line}: every line must be one JSON value`, got, fix, cause);
  }
}

function withoutText(path: string, line: number, text: string, row: unknown): NutshellError {
  if (isChatRow(row)) {
    const fix = "Keep it for fine-tuning, or render it to a text field.";
    return badFile(path, `line ${line}: pretraining takes text`, "a row of chat messages", fix);
  }
  const rule = `line ${line}: a row must have ${ROW_FIELDS}`;
  return badFile(path, rule, oneLine(text, 80), "Repair the line or take it out.");
}
