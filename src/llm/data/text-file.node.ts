/**
 * Reads one text file, gzipped or not, and says exactly what is wrong with one that is not text:
 * empty, binary, not UTF-8 (with the offset of the first bad byte), truncated gzip.
 */

import { isUtf8 } from "node:buffer";
import { readFileSync } from "node:fs";
import { gunzipSync } from "node:zlib";
import { NutshellError } from "../../error.ts";

/** Strings longer than V8 allows fail without a useful message; this is below that limit. */
const MOST_BYTES = 500_000_000;

/** @throws DATA, naming the file and the fix; a leading byte order mark is dropped */
export function readTextFile(path: string): string {
  const bytes = decompress(path, readFileSync(path));
  if (bytes.length === 0) {
    throw bad(path, "a text file must hold text", "0 bytes", "Fill it or leave it out.");
  }
  if (bytes.length > MOST_BYTES) {
    const got = `${bytes.length} bytes`;
    throw bad(path, `a text file holds at most ${MOST_BYTES} bytes`, got, "Split it into parts.");
  }
  const zero = bytes.indexOf(0);
  if (zero >= 0) {
    const got = `a NUL byte at offset ${zero}`;
    throw bad(path, "a source must be text", got, "The file is binary: extract its text first.");
  }
  if (!isUtf8(bytes)) throw invalidUtf8(path, bytes);
  return new TextDecoder().decode(bytes);
}

function decompress(path: string, bytes: Buffer): Buffer {
  if (!path.endsWith(".gz")) return bytes;
  if (bytes.length === 0) return bytes;
  try {
    return gunzipSync(bytes);
  } catch (cause) {
    const got = (cause as Error).message;
    throw bad(path, "a .gz file must be whole gzip", got, "Copy or download it again.", cause);
  }
}

function invalidUtf8(path: string, bytes: Buffer): NutshellError {
  const offset = firstInvalid(bytes);
  const byte = (bytes[offset] ?? 0).toString(16).padStart(2, "0");
  return bad(
    path,
    "text must be valid UTF-8",
    `byte 0x${byte} at offset ${offset}`,
    `Convert it (iconv -f latin1 -t utf-8), or leave it out.`,
  );
}

/** Length of the longest valid prefix: the largest n such that no error lies before n. */
function firstInvalid(bytes: Buffer): number {
  let valid = 0;
  let broken = bytes.length;
  while (broken - valid > 1) {
    const middle = (valid + broken) >>> 1;
    // A prefix may end inside a character, so it counts as valid up to three bytes earlier.
    if (endsNearValid(bytes, middle)) valid = middle;
    else broken = middle;
  }
  for (let back = 0; back < 4; back++) {
    if (valid >= back && isUtf8(bytes.subarray(0, valid - back))) return valid - back;
  }
  return valid;
}

function endsNearValid(bytes: Buffer, end: number): boolean {
  return [0, 1, 2, 3].some((back) => end >= back && isUtf8(bytes.subarray(0, end - back)));
}

function bad(path: string, rule: string, got: string, fix: string, cause?: unknown): NutshellError {
  return new NutshellError("DATA", `${path}: ${rule}, got ${got}. ${fix}`, { cause });
}
