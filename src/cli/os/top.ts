/** One look of `top`: what was spent since the last, in all and by process. */
import { inertLine } from "../../inert-text.ts";
import type { ProcessRecord, ProcessState } from "../../os/kernel/process.ts";
import { formatCount } from "../format.ts";
import { type Column, renderColumns } from "./columns.ts";

export interface Look {
  /** Milliseconds since 1970. */
  readonly at: number;
  readonly processes: readonly ProcessRecord[];
}

interface Row {
  readonly process: ProcessRecord;
  readonly tokensPerSecond: number;
  readonly callsPerSecond: number;
}

const columns: readonly Column<Row>[] = [
  { title: "PID", right: true, cell: ({ process }) => String(process.pid) },
  { title: "STATE", cell: ({ process }) => process.state },
  { title: "NI", right: true, cell: ({ process }) => String(process.nice) },
  { title: "TOK/S", right: true, cell: ({ tokensPerSecond }) => tokensPerSecond.toFixed(1) },
  { title: "CALLS/S", right: true, cell: ({ callsPerSecond }) => callsPerSecond.toFixed(1) },
  { title: "TOKENS", right: true, cell: ({ process }) => formatCount(process.spent.tokens) },
  { title: "IN", cell: ({ process }) => process.current ?? "" },
  { title: "TITLE", cell: ({ process }) => inertLine(process.title, 200) },
];

export function renderTop(last: Look, now: Look, width: number): string {
  const seconds = Math.max(0.001, (now.at - last.at) / 1000);
  const before = new Map(last.processes.map((process) => [process.pid, process.spent]));
  const rows = now.processes.map((process): Row => {
    const { tokens, calls } = before.get(process.pid) ?? { tokens: 0, calls: 0 };
    return {
      process,
      tokensPerSecond: (process.spent.tokens - tokens) / seconds,
      callsPerSecond: (process.spent.calls - calls) / seconds,
    };
  });
  rows.sort((a, b) => b.tokensPerSecond - a.tokensPerSecond || b.callsPerSecond - a.callsPerSecond);
  return `${summary(rows)}\n${renderColumns(columns, rows, width)}`;
}

function summary(rows: readonly Row[]): string {
  const count = (state: ProcessState) =>
    rows.filter(({ process }) => process.state === state).length;
  const sum = (read: (row: Row) => number) => rows.reduce((total, row) => total + read(row), 0);
  const states = (["running", "ready", "waiting", "stopped", "zombie"] as const)
    .map((state) => `${count(state)} ${state}`)
    .join(", ");
  const rates = `${sum((row) => row.tokensPerSecond).toFixed(1)} tok/s, ${sum((row) => row.callsPerSecond).toFixed(1)} calls/s`;
  return `${rows.length} processes: ${states}; ${rates}`;
}
