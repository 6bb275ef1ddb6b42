/**
 * A text file as blocks of whole lines, checked: valid UTF-8, no NUL, no line beyond a limit. A
 * byte order mark is taken off, UTF-16 behind one is decoded. Only the last line of the last block
 * may lack its line break. Blocks are some hundred kilobytes, or one long line.
 */

import { isUtf8 } from "node:buffer";
import { textBytes } from "./file-bytes.node.ts";
import { badFile } from "./file-error.node.ts";
import { badEncoding, nulByte } from "./invalid-text.node.ts";

/** A line longer than this is not text that people wrote; what was read of it is dropped. */
export const MOST_LINE_BYTES: number = 64 << 20;

const NEWLINE = 10;

export interface LineBlock {
  /** UTF-8; whole lines, each with its line break. */
  readonly bytes: Buffer;
  /** Number of its first line, from 1. */
  readonly firstLine: number;
}

/**
 * @param path read through `textBytes`
 * @throws DATA with the line number for a line that is too long, binary or not UTF-8
 */
export async function* lineBlocks(
  path: string,
  mostLineBytes: number = MOST_LINE_BYTES,
): AsyncGenerator<LineBlock> {
  let firstLine = 1;
  for await (const bytes of wholeLines(path, mostLineBytes)) {
    requireText(path, bytes, firstLine);
    yield { bytes, firstLine };
    firstLine += countLines(bytes);
  }
}

async function* wholeLines(path: string, mostLineBytes: number): AsyncGenerator<Buffer> {
  let open: Buffer[] = [];
  let openBytes = 0;
  let lines = 0;
  for await (const chunk of decodedBytes(path)) {
    const end = chunk.lastIndexOf(NEWLINE) + 1;
    const first = end === 0 ? chunk.length : chunk.indexOf(NEWLINE);
    if (openBytes + first > mostLineBytes) throw tooLong(path, lines + 1, mostLineBytes);
    if (end > 0) {
      const block = Buffer.concat([...open, chunk.subarray(0, end)]);
      lines += countLines(block);
      yield block;
      open = [];
      openBytes = 0;
    }
    open.push(chunk.subarray(end));
    openBytes += chunk.length - end;
  }
  if (openBytes > 0) yield Buffer.concat(open);
}

function countLines(bytes: Buffer): number {
  let lines = 0;
  for (let at = bytes.indexOf(NEWLINE); at >= 0; at = bytes.indexOf(NEWLINE, at + 1)) lines++;
  return lines;
}

function tooLong(path: string, line: number, limit: number): Error {
  const size = limit >= 1 << 20 ? `${limit >> 20} MiB` : `${limit} bytes`;
  const rule = `line ${line}: a line may hold at most ${size}`;
  return badFile(path, rule, "a longer one", "Break it into lines, or take it out.");
}

function requireText(path: string, bytes: Buffer, firstLine: number): void {
  const zero = bytes.indexOf(0);
  if (zero >= 0) throw nulByte(path, bytes, zero, firstLine);
  if (!isUtf8(bytes)) throw badEncoding(path, bytes, firstLine);
}

type Decoder = (chunk: Buffer | undefined) => Buffer;

/** Bytes of UTF-8 without a byte order mark, whichever Unicode encoding the mark announces. */
async function* decodedBytes(path: string): AsyncGenerator<Buffer> {
  let decode: Decoder | undefined;
  for await (const chunk of textBytes(path)) {
    decode ??= decoderFor(path, chunk);
    yield decode(chunk);
  }
  const rest = decode?.(undefined);
  if (rest !== undefined && rest.length > 0) yield rest;
}

const marks: readonly (readonly [bytes: readonly number[], encoding: string])[] = [
  [[0xff, 0xfe, 0, 0], "utf-32le"],
  [[0, 0, 0xfe, 0xff], "utf-32be"],
  [[0xff, 0xfe], "utf-16le"],
  [[0xfe, 0xff], "utf-16be"],
  [[0xef, 0xbb, 0xbf], "utf-8"],
];

function decoderFor(path: string, head: Buffer): Decoder {
  const [bytes, encoding] = marks.find(([mark]) => mark.every((byte, i) => head[i] === byte)) ?? [];
  if (encoding === undefined) return (chunk) => chunk ?? Buffer.alloc(0);
  if (encoding === "utf-8") return withoutMark(bytes?.length ?? 0);
  if (encoding.startsWith("utf-32")) {
    const fix = `Convert it: iconv -f ${encoding.toUpperCase()} -t UTF-8.`;
    throw badFile(path, "text must be UTF-8 or UTF-16", encoding.toUpperCase(), fix);
  }
  return utf16Decoder(path, encoding);
}

function withoutMark(length: number): Decoder {
  let skip = length;
  return (chunk = Buffer.alloc(0)) => {
    const rest = chunk.subarray(skip);
    skip = 0;
    return rest;
  };
}

function utf16Decoder(path: string, encoding: string): Decoder {
  const decoder = new TextDecoder(encoding, { fatal: true });
  let read = 0;
  return (chunk) => {
    try {
      const text = decoder.decode(chunk, { stream: chunk !== undefined });
      read += chunk?.length ?? 0;
      return Buffer.from(text);
    } catch (cause) {
      const name = encoding.toUpperCase();
      const got = `half a character after byte ${read}`;
      const fix = `Convert it: iconv -c -f ${name} -t UTF-8 leaves out what is broken.`;
      throw badFile(path, `text that starts as ${name} must stay so`, got, fix, cause);
    }
  };
}
