/**
 * What every bench prints: a table for people and, last, one JSON line; under `--json` that line
 * alone. Talk goes to stderr.
 */
import { cpus } from "node:os";
import type { CommandIo } from "../src/cli/command.ts";

export type Cell = string | number | null;

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  const upper = sorted[middle] as number;
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] as number) + upper) / 2;
}

/** Rounds to `digits` significant digits. */
export const significant = (x: number, digits = 4): number => Number(x.toPrecision(digits));

/** Wall seconds of one call. */
export async function secondsOf(run: () => Promise<unknown>): Promise<number> {
  const start = performance.now();
  await run();
  return (performance.now() - start) / 1000;
}

function renderTable(head: readonly string[], rows: readonly (readonly Cell[])[]): string {
  const text = [head, ...rows].map((row) => row.map((cell) => (cell === null ? "-" : `${cell}`)));
  const widths = head.map((_, i) => Math.max(...text.map((row) => row[i]?.length ?? 0)));
  const pad = (cell: string, i: number): string =>
    i === 0 ? cell.padEnd(widths[i] as number) : cell.padStart(widths[i] as number);
  return text.map((row) => `${row.map(pad).join("  ")}\n`).join("");
}

/** Prints a bench's result: table, then the JSON line with the machine it ran on. */
export function report(
  io: CommandIo,
  head: readonly string[],
  rows: readonly (readonly Cell[])[],
  result: object,
): void {
  if (!io.json) io.stdout(renderTable(head, rows));
  const machine = `${cpus()[0]?.model ?? "unknown CPU"}, ${cpus().length} cores, node ${process.version}`;
  io.stdout(`${JSON.stringify({ ...result, machine })}\n`);
}
