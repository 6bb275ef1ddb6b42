/**
 * Says exactly where a text stops being UTF-8, what the bytes look like and how to convert them.
 */

import { isUtf8 } from "node:buffer";
import type { NutshellError } from "../../../error.ts";
import { badFile } from "./file-error.node.ts";

/** Line and position of a byte in `bytes`, for people: both count from 1. */
function placeOf(bytes: Buffer, offset: number, firstLine: number): string {
  let line = firstLine;
  let start = 0;
  for (;;) {
    const end = bytes.indexOf(10, start);
    if (end < 0 || end >= offset) break;
    line++;
    start = end + 1;
  }
  return `line ${line}, byte ${offset - start + 1}`;
}

/** The error for a NUL at `offset`: UTF-16 without a mark has one in most of its characters. */
export function nulByte(
  path: string,
  bytes: Buffer,
  offset: number,
  firstLine: number,
): NutshellError {
  const around = bytes.subarray(Math.max(0, offset - 1), offset + 63);
  const zeros = around.filter((byte) => byte === 0).length;
  const isWide = bytes.length >= 4 && zeros * 3 >= around.length;
  // ASCII letters come before their NUL in little endian, after it in big endian.
  const wide = offset % 2 === 1 ? "UTF-16LE" : "UTF-16BE";
  const fix = isWide
    ? `It looks like UTF-16: ${convert(path, wide)}.`
    : "It is binary: extract its text first, or leave it out.";
  return badFile(
    path,
    "a source must be text",
    `a NUL at ${placeOf(bytes, offset, firstLine)}`,
    fix,
  );
}

/** The error for `bytes` that are not valid UTF-8. */
export function badEncoding(path: string, bytes: Buffer, firstLine: number): NutshellError {
  const offset = firstInvalid(bytes);
  const byte = (bytes[offset] ?? 0).toString(16).padStart(2, "0");
  const got = `byte 0x${byte} at ${placeOf(bytes, offset, firstLine)}`;
  const fix = isTorn(bytes, offset)
    ? "Its last character is cut: the copy is not whole, make it again."
    : `If all of it is Windows-1252 or Latin-1: ${convert(path, "WINDOWS-1252")}; else mend or ` +
      `drop the line (iconv -c -f UTF-8 -t UTF-8 drops the bytes).`;
  return badFile(path, "text must be valid UTF-8", got, fix);
}

function convert(path: string, encoding: string): string {
  const isPacked = path.endsWith(".gz");
  return isPacked
    ? `zcat FILE | iconv -f ${encoding} -t UTF-8 | gzip`
    : `iconv -f ${encoding} -t UTF-8 FILE > NEW`;
}

/** True where the bytes from `offset` to the end begin a character that does not end. */
function isTorn(bytes: Buffer, offset: number): boolean {
  const lead = bytes[offset] ?? 0;
  const needs = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : 2;
  const rest = bytes.subarray(offset);
  return lead >= 0xc2 && rest.length < needs && rest.subarray(1).every((b) => b >> 6 === 2);
}

/** Length of the longest valid prefix: the largest n such that no error lies before n. */
function firstInvalid(bytes: Buffer): number {
  let valid = 0;
  let broken = bytes.length;
  while (broken - valid > 1) {
    const middle = (valid + broken) >>> 1;
    // A prefix may end inside a character, so it counts as valid up to three bytes earlier.
    if (validEnd(bytes, middle) === undefined) broken = middle;
    else valid = middle;
  }
  return validEnd(bytes, valid) ?? valid;
}

function validEnd(bytes: Buffer, end: number): number | undefined {
  const ends = [0, 1, 2, 3].map((back) => end - back);
  return ends.find((cut) => cut >= 0 && isUtf8(bytes.subarray(0, cut)));
}
