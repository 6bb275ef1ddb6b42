/**
 * Plain text: a file is one document. A long one is cut at line breaks into parts of at most
 * 4 MiB with the ids `name#0`, `name#1` …, so that no document needs much memory.
 */

import type { Document } from "../document.ts";
import { badFile } from "./file-error.node.ts";
import { lineBlocks, MOST_LINE_BYTES } from "./line-blocks.node.ts";

export const TEXT_PART_BYTES: number = 4 << 20;

const NEWLINE = 10;

/**
 * @param name the id, or how the ids of its parts start
 * @throws DATA for a file without text, binary or not UTF-8
 */
export async function* readText(path: string, name: string): AsyncGenerator<Document> {
  let last: string | undefined;
  let count = 0;
  for await (const bytes of textParts(path)) {
    if (last !== undefined) yield { id: `${name}#${count++}`, text: last };
    last = bytes.toString("utf8");
  }
  const isOnly = count === 0;
  if (last === undefined || (isOnly && last.trim() === "")) throw withoutText(path, last);
  yield { id: isOnly ? name : `${name}#${count}`, text: last };
}

/**
 * A whole file as one document, for files known to be small.
 * @throws DATA beyond 64 MiB
 */
export async function readWhole(path: string, id: string): Promise<Document> {
  const blocks: Buffer[] = [];
  let size = 0;
  for await (const { bytes } of lineBlocks(path)) {
    size += bytes.length;
    if (size > MOST_LINE_BYTES) throw tooLarge(path);
    blocks.push(bytes);
  }
  return { id, text: Buffer.concat(blocks).toString("utf8") };
}

function tooLarge(path: string): Error {
  const got = `more than ${MOST_LINE_BYTES} bytes`;
  return badFile(path, "a file of code is read as one document", got, "Leave it out.");
}

function withoutText(path: string, text: string | undefined): Error {
  const got = text === undefined ? "0 bytes" : "white space only";
  return badFile(path, "a text file must hold text", got, "Fill it or leave it out.");
}

/** Stretches of at most 4 MiB that end at a line break; a longer line is a part of its own. */
async function* textParts(path: string): AsyncGenerator<Buffer> {
  let rest: Buffer = Buffer.alloc(0);
  for await (const { bytes } of lineBlocks(path)) {
    rest = Buffer.concat([rest, bytes]);
    while (rest.length > TEXT_PART_BYTES) {
      const end = cutAt(rest);
      if (end === 0) break;
      yield rest.subarray(0, end);
      rest = rest.subarray(end);
    }
  }
  if (rest.length > 0) yield rest;
}

/** End of the last line that fits, else of the first one; 0 while that is still open. */
function cutAt(bytes: Buffer): number {
  const fits = bytes.lastIndexOf(NEWLINE, TEXT_PART_BYTES - 1) + 1;
  return fits > 0 ? fits : bytes.indexOf(NEWLINE) + 1;
}
