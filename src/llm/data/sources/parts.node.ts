/**
 * Files → parts. A file of rows or a large one is a part; small files are put together, so that
 * a folder of thousands does not mean thousands of parts. Which group a file is in follows from
 * its name alone: a changed file changes one group.
 */

import { basename } from "node:path";
import { hashText } from "../hash.ts";
import { listCode } from "./code-files.node.ts";
import { fileHead } from "./file-bytes.node.ts";
import { badFile } from "./file-error.node.ts";
import { isParquet } from "./file-kind.ts";
import { type FoundFile, isFolder, listFiles } from "./list-files.node.ts";
import type { FileFormat, SourcePart } from "./source.ts";

/** What counts as text inside a folder; a file named by the user is read whatever its name. */
const TEXT_FILE =
  /\.((txt|text|md|markdown|mdx|rst|adoc|org|tex|jsonl|ndjson)(\.gz)?|parquet(\.gz)?)$/i;

const SMALL_BYTES = 1 << 20;
const GROUP_BYTES = 8 << 20;

/** Text files below a folder; those of installed packages belong to others. */
export function listTextFiles(folder: string): FoundFile[] {
  return listFiles(folder, {
    file: (name) => TEXT_FILE.test(name),
    folder: (name) => name !== "node_modules",
  });
}

/**
 * The text of a file or folder.
 * @param skip names below the folder to leave out
 * @throws DATA for a missing path and a folder without text
 */
export async function textPartsOf(
  path: string,
  skip: readonly string[] = [],
): Promise<SourcePart[]> {
  if (!isFolder(path)) return [await filePart(path, basename(path))];
  const files = listTextFiles(path).filter(({ name }) => !skip.includes(name));
  if (files.length === 0) {
    const rule = "a folder of text must hold .txt, .md, .jsonl or .parquet files (or .gz of them)";
    throw badFile(path, rule, "none", "Pass another folder, or one file.");
  }
  const small = files.filter(isSmallText);
  const large = files.filter((file) => small.length === 1 || !isSmallText(file));
  return [
    ...large.map(({ path: file, name }) => toPart(file, name, formatOf(name))),
    ...(small.length === 1 ? [] : groupFiles(path, "texts", "text", small)),
  ];
}

/** The source code of a folder, or of one file. */
export function codePartsOf(path: string): {
  parts: SourcePart[];
  skipped: Readonly<Record<string, number>>;
} {
  if (!isFolder(path)) return { parts: [toPart(path, basename(path), "code")], skipped: {} };
  const { files, skipped } = listCode(path);
  if (files.length > 0) return { parts: groupFiles(path, "code", "code", files), skipped };
  const rule = "a folder of code must hold source files of known languages";
  throw badFile(path, rule, "none that people wrote", "Pass another folder, or use path for text.");
}

/** A file that the user named: Parquet is known by its first bytes too. */
async function filePart(path: string, name: string): Promise<SourcePart> {
  const format = formatOf(name);
  const isTable = format === "text" && isParquet(await fileHead(path, 8));
  return toPart(path, name, isTable ? "parquet" : format);
}

function toPart(path: string, name: string, format: FileFormat): SourcePart {
  return { kind: "file", path, name, format };
}

function formatOf(name: string): FileFormat {
  if (/\.(jsonl|ndjson)(\.gz)?$/i.test(name)) return "jsonl";
  return /\.parquet$/i.test(name) ? "parquet" : "text";
}

/** A small gzip may hold much: it stays a part of its own, which is read as a stream. */
function isSmallText({ name, bytes }: FoundFile): boolean {
  return bytes < SMALL_BYTES && formatOf(name) === "text" && !/\.gz$/i.test(name);
}

function groupFiles(
  root: string,
  name: string,
  format: "text" | "code",
  files: readonly FoundFile[],
): SourcePart[] {
  const bytes = files.reduce((sum, file) => sum + file.bytes, 0);
  // A power of two, so that a folder that grows a little keeps its groups.
  const count = 2 ** Math.ceil(Math.log2(Math.max(1, bytes / GROUP_BYTES)));
  const groups = Array.from({ length: count }, (): string[] => []);
  for (const file of files) groups[hashText(file.name) % count]?.push(file.name);
  return groups
    .map((group, i): SourcePart => {
      const label = count === 1 ? name : `${name}-${i}-of-${count}`;
      return { kind: "files", root, name: label, format, files: group };
    })
    .filter((part) => part.kind === "files" && part.files.length > 0);
}
