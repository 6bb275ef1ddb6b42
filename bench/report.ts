/**
 * What every bench prints: a table for people on stdout and, last, one JSON line; with `--json`
 * that line alone. Talk goes to stderr.
 */
import { cpus } from "node:os";

export type Cell = string | number | null;

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  const upper = sorted[middle] as number;
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] as number) + upper) / 2;
}

export const wantsJson = (): boolean => process.argv.includes("--json");

/** Rounds to `digits` significant digits, for JSON that people read too. */
export const significant = (x: number, digits = 4): number => Number(x.toPrecision(digits));

export function printTable(head: readonly string[], rows: readonly (readonly Cell[])[]): void {
  if (wantsJson()) return;
  const text = [head, ...rows].map((row) => row.map((cell) => (cell === null ? "-" : `${cell}`)));
  const widths = head.map((_, i) => Math.max(...text.map((row) => row[i]?.length ?? 0)));
  const pad = (cell: string, i: number): string =>
    i === 0 ? cell.padEnd(widths[i] as number) : cell.padStart(widths[i] as number);
  for (const row of text) console.log(row.map(pad).join("  "));
}

/** The last line of a bench. */
export function printJson(result: object): void {
  const machine = `${cpus()[0]?.model ?? "unknown CPU"}, ${cpus().length} cores, node ${process.version}`;
  console.log(JSON.stringify({ ...result, machine }));
}

export const say = (line: string): void => void process.stderr.write(`${line}\n`);
