/**
 * Prints the size of the source tree: files, lines and the longest function of every folder.
 * Shown, not enforced. Functions are found by the formatter's indentation, so run it on formatted
 * code; a function that is an expression in a table counts as part of what holds it.
 */
import { globSync, readFileSync } from "node:fs";
import { dirname } from "node:path";

interface Fn {
  readonly name: string;
  readonly lines: number;
}

interface Folder {
  files: number;
  lines: number;
  longest: Fn;
}

const nothing: Fn = { name: "", lines: 0 };
const opening =
  /^(\s*)(?:export )?(?:static )?(?:async )?(?:function\*? )?(?:get |set )?(#?\w+|\[[\w.]+\])(?:<.*>)?\(/;
const keyword = /^(if|for|while|switch|catch|return|test|describe)$/;

/** @returns the longest function whose first and last line have the same indentation */
function longestFunction(lines: readonly string[]): Fn {
  let longest = nothing;
  for (const [i, line] of lines.entries()) {
    const [, indent, name] = opening.exec(line) ?? [];
    if (indent === undefined || name === undefined || keyword.test(name)) continue;
    const body = lines.slice(i);
    if (!opensBody(body, indent)) continue;
    const end = body.indexOf(`${indent}}`);
    if (end + 1 > longest.lines) longest = { name, lines: end + 1 };
  }
  return longest;
}

/** A call ends in `);` where a function's head ends in `{`. */
function opensBody(lines: readonly string[], indent: string): boolean {
  const head = lines.find((line, i) =>
    i === 0 ? /[{;]$/.test(line) : line.startsWith(`${indent})`),
  );
  return head?.endsWith("{") === true;
}

function measure(root: URL): Map<string, Folder> {
  const folders = new Map<string, Folder>();
  const pattern = ["setup.mjs", "{src,runs,bench,test}/**/*.{ts,mjs,h,py}"];
  for (const path of globSync(pattern, { cwd: root, exclude: ["**/node_modules/**"] }).sort()) {
    const lines = readFileSync(new URL(path, root), "utf8").trimEnd().split("\n");
    const folder = folders.get(dirname(path)) ?? { files: 0, lines: 0, longest: nothing };
    const longest = longestFunction(lines);
    folder.files++;
    folder.lines += lines.length;
    if (longest.lines > folder.longest.lines) folder.longest = longest;
    folders.set(dirname(path), folder);
  }
  return folders;
}

function renderTable(folders: ReadonlyMap<string, Folder>): string {
  const row = (name: string, files: unknown, lines: unknown, longest: string): string =>
    `${name.padEnd(34)} ${String(files).padStart(5)} ${String(lines).padStart(6)}  ${longest}\n`;
  const rows = [...folders].map(([name, { files, lines, longest }]) =>
    row(name, files, lines, longest.lines === 0 ? "" : `${longest.lines} ${longest.name}`),
  );
  const sum = (key: "files" | "lines") =>
    folders.values().reduce((n, folder) => n + folder[key], 0);
  return [
    row("folder", "files", "lines", "longest function"),
    ...rows,
    row("all", sum("files"), sum("lines"), ""),
  ].join("");
}

const folders = measure(new URL("../", import.meta.url));
const json = process.argv.includes("--json");
process.stdout.write(
  json ? `${JSON.stringify(Object.fromEntries(folders))}\n` : renderTable(folders),
);
