/** `ps` and `top`: the process table as a tree in columns. */

import { inertLine } from "../../inert-text.ts";
import type { ProcessRecord } from "../../os/kernel/process.ts";
import { formatCount } from "../format.ts";
import { type Column, renderColumns } from "./columns.ts";

interface Row {
  readonly process: ProcessRecord;
  readonly depth: number;
}

const columns: readonly Column<Row>[] = [
  { title: "PID", right: true, cell: ({ process }) => String(process.pid) },
  { title: "STATE", cell: ({ process }) => process.state },
  { title: "NI", right: true, cell: ({ process }) => String(process.nice) },
  { title: "CALLS", right: true, cell: ({ process }) => formatCount(process.spent.calls) },
  { title: "TOKENS", right: true, cell: ({ process }) => formatCount(process.spent.tokens) },
  { title: "TIME", right: true, cell: ({ process }) => formatAge(process) },
  { title: "IN", cell: ({ process }) => process.current ?? exitWord(process) },
  {
    title: "TITLE",
    cell: ({ process, depth }) => `${"  ".repeat(depth)}${inertLine(process.title, 200)}`,
  },
];

export function renderProcesses(processes: readonly ProcessRecord[], width: number): string {
  return renderColumns(columns, toTree(processes), width);
}

/** Parents before their children, siblings by pid; who has no parent in the list is a root. */
function toTree(processes: readonly ProcessRecord[]): Row[] {
  const known = new Set(processes.map(({ pid }) => pid));
  const childrenOf = Map.groupBy(processes, ({ parent }) =>
    parent !== undefined && known.has(parent) ? parent : 0,
  );
  const walk = (parent: number, depth: number): Row[] =>
    (childrenOf.get(parent) ?? [])
      .toSorted((a, b) => a.pid - b.pid)
      .flatMap((process) => [{ process, depth }, ...walk(process.pid, depth + 1)]);
  return walk(0, 0);
}

function exitWord({ exit }: ProcessRecord): string {
  if (exit === undefined) return "";
  if (exit.how === "returned") return "exit 0";
  return exit.how === "killed" ? `SIG${exit.signal}` : exit.code;
}

function formatAge({ startedAt, endedAt }: ProcessRecord): string {
  const seconds = Math.max(0, ((endedAt ?? Date.now()) - startedAt) / 1000);
  if (seconds < 60) return `${seconds.toFixed(1)}s`;
  const minutes = Math.floor(seconds / 60);
  const rest = String(Math.floor(seconds % 60)).padStart(2, "0");
  return minutes < 60 ? `${minutes}:${rest}` : `${Math.floor(minutes / 60)}h${minutes % 60}m`;
}
