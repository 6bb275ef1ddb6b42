/** A folder of its own for a test file, and readers that start from a path. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { after } from "node:test";
import type { Document } from "../../../../src/llm/data/document.ts";
import { textPartsOf } from "../../../../src/llm/data/sources/parts.node.ts";
import { readPart } from "../../../../src/llm/data/sources/read-part.node.ts";
import type { SourcePart } from "../../../../src/llm/data/sources/source.ts";

export const root: string = mkdtempSync(join(tmpdir(), "nutshell-sources-"));
after(() => rmSync(root, { recursive: true }));

export function write(name: string, content: string | Uint8Array): string {
  const path = join(root, name);
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, content);
  return path;
}

export async function collect<T>(stream: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const one of stream) all.push(one);
  return all;
}

export async function readParts(parts: readonly SourcePart[]): Promise<Document[]> {
  const documents: Document[] = [];
  for (const part of parts) documents.push(...(await collect(readPart(part))));
  return documents;
}

export async function readPath(path: string): Promise<Document[]> {
  return readParts(await textPartsOf(path));
}

/** For `assert.rejects`: a one-line error of `code` whose message matches all of `says`. */
export function refused(code: string, ...says: readonly RegExp[]): (error: unknown) => boolean {
  return (error) => {
    const { code: got, message } = error as { code?: string; message: string };
    const isLine = got === code && !message.includes("\n") && /[.?]$/.test(message);
    if (isLine && says.every((pattern) => pattern.test(message))) return true;
    throw new Error(`expected ${code} ${says.join(" ")} on one line, got ${got} ${message}`);
  };
}
