/**
 * The rows of a JSONL file, packed with gzip or not, one after another: memory is that of the
 * longest line.
 */
import { badFile, oneLine } from "../data/sources/file-error.node.ts";
import { lineBlocks } from "../data/sources/line-blocks.node.ts";

export type Row = Readonly<Record<string, unknown>>;

export interface NumberedRow {
  readonly row: Row;
  /** From 1. */
  readonly line: number;
}

/** @throws DATA naming file and line for a line that is not one JSON object */
export async function* readJsonRows(path: string): AsyncGenerator<NumberedRow> {
  for await (const { line, text } of readLines(path)) {
    yield { row: parseRow(path, line, text), line };
  }
}

/** Lines that hold more than white space. */
export async function* readLines(path: string): AsyncGenerator<{ line: number; text: string }> {
  for await (const { bytes, firstLine } of lineBlocks(path)) {
    for (const [i, text] of bytes.toString("utf8").split("\n").entries()) {
      if (text.trim() !== "") yield { line: firstLine + i, text };
    }
  }
}

function parseRow(path: string, line: number, text: string): Row {
  let row: unknown;
  try {
    row = JSON.parse(text);
  } catch (cause) {
    const got = oneLine((cause as Error).message);
    throw badFile(`${path}:${line}`, "every line must be JSON", got, "Repair the line.", cause);
  }
  if (typeof row === "object" && row !== null && !Array.isArray(row)) return row as Row;
  throw badFile(`${path}:${line}`, "a row must be an object", oneLine(text, 60), "Repair it.");
}
