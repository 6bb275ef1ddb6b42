/**
 * Reads one part of a source into documents, as a stream: the memory of one document and a few
 * chunks, whatever the size. Works in any thread, as it keeps nothing between calls.
 */

import { join } from "node:path";
import { readBuiltinPart } from "../builtin/builtin.node.ts";
import type { Document } from "../document.ts";
import { readJsonl } from "./read-jsonl.node.ts";
import { readParquet } from "./read-parquet.node.ts";
import { readText, readWhole } from "./read-text.node.ts";
import { createSample } from "./sample.ts";
import type { FileFormat, SourcePart } from "./source.ts";

export interface ReadOptions {
  /** Share of the bytes to read, evenly over the part; default 1. */
  readonly fraction?: number;
}

type FileReader = (path: string, name: string) => AsyncGenerator<Document>;

const readers: Readonly<Record<FileFormat, FileReader>> = {
  jsonl: readJsonl,
  text: readText,
  parquet: readParquet,
  code: readCode,
};

/**
 * @throws DATA in one line with file and fix when the part cannot be read to its end; the
 *   documents before that point have been given
 */
export async function* readPart(
  part: SourcePart,
  { fraction = 1 }: ReadOptions = {},
): AsyncGenerator<Document> {
  const sample = createSample(fraction);
  for await (const document of documentsOf(part)) yield* sample(document);
}

function documentsOf(part: SourcePart): AsyncIterable<Document> | Iterable<Document> {
  if (part.kind === "builtin") return readBuiltinPart(part.name);
  if (part.kind === "files") return readFiles(part.root, part.files);
  return readers[part.format](part.path, part.name);
}

async function* readCode(path: string, name: string): AsyncGenerator<Document> {
  yield await readWhole(path, name);
}

async function* readFiles(root: string, files: readonly string[]): AsyncGenerator<Document> {
  for (const file of files) yield await readWhole(join(root, file), file);
}
