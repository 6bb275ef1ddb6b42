/**
 * The rules of direction: which folder may import which. Reads import statements from source text;
 * knows nothing of this project but the table it is given.
 */
import { posix } from "node:path";

/** A file and what it imports: project paths, or package and `node:` names as written. */
export interface SourceFile {
  readonly path: string;
  readonly imports: readonly string[];
}

/** One row per part of the tree; the longest prefix that fits a file decides. */
export interface Part {
  readonly prefix: string;
  /** Prefixes that its files may import, besides the part itself. */
  readonly mayImport: readonly string[];
  /** Whether its files run in browsers: no `node:`, no `*.node.ts`, except in `*.node.ts`. */
  readonly browser: boolean;
}

/** Matches what `import`, `export … from` and `import()` name; comments are taken out before. */
const importPattern =
  /(?:^|[;}\n])\s*(?:import|export)\s+(?:type\s+)?(?:[\w*{}\s,$]+\s+from\s*)?["']([^"']+)["']|\bimport\(\s*["']([^"']+)["']/g;

/** @returns imports in order of appearance, relative ones resolved against the project root */
export function readImports(path: string, text: string): SourceFile {
  const code = withoutComments(text);
  const imports = [...code.matchAll(importPattern)].map(([, from, dynamic]) => {
    const name = from ?? dynamic ?? "";
    return name.startsWith(".") ? posix.join(posix.dirname(path), name) : name;
  });
  return { path, imports };
}

/** Comments at the start of a line only: a `/*` inside a glob or a template stays. */
function withoutComments(text: string): string {
  return text.replaceAll(/^\s*\/\*[\s\S]*?\*\//gm, "").replaceAll(/^\s*\/\/.*$/gm, "");
}

/** @returns one line per import that points where it may not */
export function findForbiddenImports(
  files: readonly SourceFile[],
  parts: readonly Part[],
): string[] {
  return files.flatMap((file) => {
    const part = partOf(file.path, parts);
    if (part === undefined) return [`${file.path} is in no part of the table`];
    return file.imports.flatMap((name) => {
      const reason = reasonAgainst(file, name, part, parts);
      return reason === undefined ? [] : [`${file.path} imports ${name}: ${reason}`];
    });
  });
}

function reasonAgainst(
  file: SourceFile,
  name: string,
  part: Part,
  parts: readonly Part[],
): string | undefined {
  if (part.browser && !file.path.endsWith(".node.ts")) {
    if (name.startsWith("node:") || name === "koffi") return "not in browsers";
    if (name.endsWith(".node.ts")) return "a *.node.ts file is not in browsers";
  }
  if (isPackage(name)) return undefined;
  const target = partOf(name, parts)?.prefix;
  if (target === part.prefix) return undefined;
  const allowed = part.mayImport.some((prefix) => name.startsWith(prefix));
  return allowed ? undefined : `${part.prefix} may not import ${target ?? "it"}`;
}

function isPackage(name: string): boolean {
  return name.startsWith("node:") || !/\.(ts|mjs|json)$/.test(name);
}

function partOf(path: string, parts: readonly Part[]): Part | undefined {
  const fitting = parts.filter(({ prefix }) => path.startsWith(prefix));
  return fitting.sort((a, b) => b.prefix.length - a.prefix.length)[0];
}

/** @returns every cycle once, as the paths along it, the first repeated at the end */
export function findCycles(files: readonly SourceFile[]): string[][] {
  const byPath = new Map(files.map((file) => [file.path, file]));
  const finished = new Set<string>();
  const cycles: string[][] = [];
  const visit = (path: string, trail: readonly string[]): void => {
    if (trail.includes(path)) cycles.push([...trail.slice(trail.indexOf(path)), path]);
    if (trail.includes(path) || finished.has(path)) return;
    for (const next of byPath.get(path)?.imports ?? []) visit(next, [...trail, path]);
    finished.add(path);
  };
  for (const { path } of files) visit(path, []);
  return cycles;
}
