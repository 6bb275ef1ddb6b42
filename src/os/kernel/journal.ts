/**
 * The journal of a process: what it called, why it was let through, what came of it. Each record's
 * hash covers the record before it; one statement appends, so that a record is there whole or not
 * at all. The rows are written by `journal_append` (schema.ts) and checked, independently of it,
 * in verify.ts.
 */
import type { Json } from "../security/labelled.ts";
import type { JournalRecord } from "./kernel.ts";
import type { Client } from "./process-row.ts";
import type { Cost } from "./syscall.ts";

/** What of a call's course a record of it needs; see `journal_write` in schema.ts. */
export interface CallRecord {
  readonly pid: number;
  readonly path: readonly number[];
  readonly runner: string;
  readonly kind: "intent" | "result";
  readonly call: number;
  readonly at: number;
  readonly body: string;
  /** It opens the call: a stop and a budget hold it back. */
  readonly opens: boolean;
  readonly becomes: "ready" | "running" | "waiting";
  readonly current?: string;
  readonly cost: Cost;
  /** Which rights the gates saw. */
  readonly rights?: number;
  /** An approval that it uses up. */
  readonly ticket?: number;
}

export type Written =
  | "ok"
  | "ended"
  | "lost"
  | "stopped"
  | "rights"
  | "taken"
  | "ticket"
  | `budget ${"calls" | "tokens" | "microUsd" | "ms"}`;

/** One round trip. */
export async function writeCall(client: Client, record: CallRecord): Promise<Written> {
  const { cost } = record;
  const { rows } = await client.query<{ written: Written }>({
    name: "journal-write",
    text: `select journal_write($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)
      as written`,
    values: [
      ...[record.pid, record.path, record.runner, record.kind, record.call, record.at],
      ...[record.body, record.opens, record.becomes, record.current ?? null],
      ...[cost.tokens ?? 0, cost.microUsd ?? 0, cost.calls ?? 0, record.ticket ?? null],
      record.rights ?? null,
    ],
  });
  return (rows[0] as { written: Written }).written;
}

/** Of what happens to a process outside its own calls. @param body canonical JSON */
export async function appendRecord(
  client: Client,
  pids: readonly number[],
  record: Pick<JournalRecord, "kind" | "at" | "body"> & { readonly call?: number },
): Promise<void> {
  await client.query(
    `select journal_append(pid, $2, $3, $4, $5) from (
       select pid from process where pid = any($1) order by pid for no key update) chain`,
    [pids, record.kind, record.call ?? null, record.at, record.body],
  );
}

export async function readJournal(
  client: Client,
  pid: number,
  from = 1,
): Promise<readonly JournalRecord[]> {
  const { rows } = await client.query(
    "select * from journal where pid = $1 and index >= $2 order by index",
    [pid, from],
  );
  return rows.map(({ call, at, ...row }) => ({
    ...row,
    at: Number(at),
    ...(call !== null && { call }),
  }));
}

/** What the journal knows of a call that was made before. */
export interface PastCall {
  readonly intent?: { readonly at: number; readonly body: Json };
  readonly result?: { readonly at: number; readonly body: Json };
}

/** All calls of a process so far, for its program to run through again. */
export async function readPast(client: Client, pid: number): Promise<Map<number, PastCall>> {
  const { rows } = await client.query<{ kind: string; call: number; at: string; body: string }>(
    "select kind, call, at, body from journal where pid = $1 and kind in ('intent', 'result')",
    [pid],
  );
  const past = new Map<number, PastCall>();
  for (const { kind, call, at, body } of rows) {
    const entry = { at: Number(at), body: JSON.parse(body) as Json };
    past.set(call, { ...past.get(call), [kind]: entry });
  }
  return past;
}
