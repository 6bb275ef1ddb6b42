/**
 * Rows of the process table as the rest sees them: JSON of the tables to typed values, and back.
 */
import type pg from "pg";
import { NutshellError } from "../../error.ts";
import { canonicalJson } from "../security/canonical.ts";
import type { Capability } from "../security/capability.ts";
import type { Label } from "../security/label.ts";
import { fromLabelJson, fromLabelTreeJson, toLabelTreeJson } from "../security/label-json.ts";
import type { Json, Labelled } from "../security/labelled.ts";
import type { Budget, Exit, ProcessRecord, ProcessState } from "./process.ts";

/** Anything that runs statements: the pool, or one connection within a transaction. */
export type Client = Pick<pg.Pool, "query">;

/** As Postgres returns it: eight-byte integers are strings. */
export interface ProcessRow {
  readonly pid: number;
  readonly parent: number | null;
  readonly path: readonly number[];
  readonly grp: number;
  readonly program: string;
  readonly title: string;
  readonly owner: string;
  readonly input: string;
  readonly pc: string;
  readonly user_turn: string | null;
  readonly state: ProcessState;
  readonly stopped: boolean;
  readonly current: string | null;
  readonly interrupted: number;
  readonly kill_at: string | null;
  readonly calls: number;
  readonly nice: number;
  readonly interactive: boolean;
  readonly deadline: string | null;
  readonly limit_tokens: string | null;
  readonly limit_usd: string | null;
  readonly limit_calls: string | null;
  readonly limit_bits: number | null;
  readonly ends_at: string | null;
  readonly spent_tokens: string;
  readonly spent_usd: string;
  readonly spent_calls: string;
  readonly capabilities: string;
  readonly rights: number;
  readonly approvals: "wait" | "deny";
  readonly file_tree: string;
  readonly unstuck: number;
  readonly forked_at: number | null;
  readonly runner: string | null;
  readonly executor: string | null;
  readonly exit: string | null;
  readonly exit_labels: string | null;
  readonly started_at: string;
  readonly ended_at: string | null;
}

type Unlisted = "path" | "input" | "pc" | "user_turn" | "interrupted" | "kill_at" | "rights";
type Inner = "unstuck" | "forked_at" | "runner" | "exit_labels";
export type ListedRow = Omit<ProcessRow, Unlisted | Inner>;

/** What a list shows: without texts that processes may make as large as they like, and many of. */
export const LISTED: string = `pid, parent, grp, program, title, owner, state, stopped, nice,
  interactive, deadline, limit_tokens, limit_usd, limit_calls, limit_bits, ends_at, spent_tokens,
  spent_usd, spent_calls, capabilities, approvals, file_tree, executor, calls, current, exit,
  started_at, ended_at`;

export async function readRow(client: Client, pid: number): Promise<ProcessRow | undefined> {
  const { rows } = await client.query<ProcessRow>({
    name: "process-row",
    text: "select * from process where pid = $1",
    values: [pid],
  });
  return rows[0];
}

/** @throws NutshellError PROCESS */
export async function needRow(client: Client, pid: number, where: string): Promise<ProcessRow> {
  const row = Number.isInteger(pid) ? await readRow(client, pid) : undefined;
  if (row !== undefined) return row;
  throw new NutshellError(
    "PROCESS",
    `${where}: no such process, got pid ${pid}. See nutshell ps --all.`,
  );
}

export function toProcessRecord(row: ListedRow): ProcessRecord {
  return {
    pid: row.pid,
    ...(row.parent !== null && { parent: row.parent }),
    group: row.grp,
    program: row.program,
    title: row.title,
    owner: row.owner,
    state: row.stopped && row.exit === null ? "stopped" : row.state,
    nice: row.nice,
    interactive: row.interactive,
    ...(row.deadline !== null && { deadline: Number(row.deadline) }),
    budget: toBudget(row),
    spent: {
      tokens: Number(row.spent_tokens),
      microUsd: Number(row.spent_usd),
      calls: Number(row.spent_calls),
    },
    capabilities: JSON.parse(row.capabilities) as Capability[],
    approvals: row.approvals,
    fileTree: row.file_tree,
    ...(row.executor !== null && { executor: row.executor }),
    calls: row.calls,
    ...(row.current !== null && { current: row.current }),
    ...(row.exit !== null && { exit: JSON.parse(row.exit) as Exit }),
    startedAt: Number(row.started_at),
    ...(row.ended_at !== null && { endedAt: Number(row.ended_at) }),
  };
}

function toBudget(row: ListedRow): Budget {
  return {
    ...(row.limit_tokens !== null && { tokens: Number(row.limit_tokens) }),
    ...(row.limit_usd !== null && { microUsd: Number(row.limit_usd) }),
    ...(row.limit_calls !== null && { calls: Number(row.limit_calls) }),
    ...(row.ends_at !== null && { ms: Number(row.ends_at) - Number(row.started_at) }),
    ...(row.limit_bits !== null && { influenceBits: row.limit_bits }),
  };
}

export function toLabelledText({ value, labels }: Labelled): string {
  return canonicalJson({ value, labels: toLabelTreeJson(labels) });
}

export function fromLabelledText(text: string): Labelled {
  const { value, labels } = JSON.parse(text) as { value: Json; labels: Json };
  return { value, labels: fromLabelTreeJson(labels) };
}

export function fromLabelText(text: string): Label {
  return fromLabelJson(JSON.parse(text) as Json);
}
