/**
 * A second process with the first one's past: its row, its journal up to a call, its endorsements
 * and a copy of its files. It runs through the same calls, which answer from the copied journal,
 * and goes its own way from there. Mail, tickets and children stay the first one's.
 */
import { NutshellError } from "../../error.ts";
import { canonicalJson } from "../security/canonical.ts";
import { appendRecord } from "./journal.ts";
import type { Forked } from "./options.ts";
import { type Client, needRow, type ProcessRow } from "./process-row.ts";
import { findKey, insertRow, nextPid, startProcess } from "./spawn.ts";
import type { KernelState } from "./state.ts";
import { wake } from "./wakeups.ts";

/** Stands for a run's token in a fork that is not ready to run. */
const UNBORN = "unborn";

export interface ForkRequest {
  readonly pid: number;
  /** First call that it makes anew; absent: the first one that has not ended. */
  readonly at?: number;
  /** Two requests with one key are one process. */
  readonly key?: string;
  /**
   * A child of the process itself, which shares its budget; "attempt": on another way out of a
   * circle. Absent: a sibling, which a person alone can make.
   */
  readonly as?: "child" | "attempt";
  /** Body of the result that call `at` has in the new process, given its number. */
  readonly answer?: (pid: number) => string;
}

/** @returns the new pid. @throws NutshellError PROCESS */
export async function fork(state: KernelState, request: ForkRequest): Promise<number> {
  const made = await state.database.transaction((client) => insertFork(state, client, request));
  await finishFork(state, made);
  return made.to.pid;
}

/** Until its files are copied nobody runs it; each of the steps may be done twice. */
export async function finishFork(state: KernelState, made: Forked): Promise<void> {
  const { pid } = made.to;
  await state.onFork?.(made);
  await state.database.pool.query(
    "update process set runner = null where pid = $1 and runner = $2",
    [pid, UNBORN],
  );
  await startProcess(state, pid);
}

/** Forks whose daemon died before their files were copied. @param before milliseconds since 1970 */
export async function unfinishedForks(
  { database }: KernelState,
  before: number,
): Promise<readonly Forked[]> {
  const { rows } = await database.pool.query<{ pid: number; tree: string; body: string }>(
    `select p.pid, p.file_tree as tree, j.body from process p
     join journal j on j.pid = p.pid and j.index = 1
     where p.runner = $1 and p.ended_at is null and p.started_at < $2`,
    [UNBORN, before],
  );
  return await Promise.all(
    rows.map(async ({ pid, tree, body }) => {
      const { forkOf, at } = JSON.parse(body) as { readonly forkOf: number; readonly at: number };
      const source = await needRow(database.pool, forkOf, "fork");
      return { from: { pid: forkOf, tree: source.file_tree }, to: { pid, tree }, before: at };
    }),
  );
}

async function insertFork(
  state: KernelState,
  client: Client,
  request: ForkRequest,
): Promise<Forked> {
  await client.query("select from process where pid = $1 for no key update", [request.pid]);
  const source = await needRow(client, request.pid, "fork");
  const known = request.key === undefined ? undefined : await findKey(client, request.key);
  const pid = known ?? (await nextPid(client));
  const made = {
    from: { pid: source.pid, tree: source.file_tree },
    to: { pid, tree: `proc:${pid}` },
  };
  if (known !== undefined) return { ...made, before: await firstOwnCall(client, known) };
  const at = await cutOf(client, source, request.at);
  await insertRow(client, toForkRow(state, source, request, pid, at));
  await copyPast(client, state, source, pid, at);
  if (request.answer !== undefined) {
    const record = {
      kind: "result" as const,
      call: at,
      at: state.now(),
      body: request.answer(pid),
    };
    await appendRecord(client, [pid], record);
  }
  await wake(client, [pid]);
  return { ...made, before: at };
}

/** Of a fork that was made before: its start names the call. */
async function firstOwnCall(client: Client, pid: number): Promise<number> {
  const { rows } = await client.query<{ body: string }>(
    "select body from journal where pid = $1 and kind = 'start'",
    [pid],
  );
  return (JSON.parse(rows[0]?.body ?? "{}") as { at?: number }).at ?? 1;
}

/** All calls before it must have ended: what is under way cannot be under way twice. */
async function cutOf(client: Client, source: ProcessRow, asked?: number): Promise<number> {
  const { rows } = await client.query<{ open: number | null; last: number | null }>(
    `select min(call) filter (where not done) as open, max(call) as last from (
       select call, bool_or(kind = 'result') as done from journal
       where pid = $1 and kind in ('intent', 'result') group by call) calls`,
    [source.pid],
  );
  const first = rows[0]?.open ?? (rows[0]?.last ?? 0) + 1;
  const at = asked ?? first;
  if (Number.isInteger(at) && at >= 1 && at <= first) return at;
  throw new NutshellError(
    "PROCESS",
    `fork: pid ${source.pid} can be forked at a call from 1 to ${first}, got ${at}.`,
  );
}

function toForkRow(
  state: KernelState,
  source: ProcessRow,
  { key, as }: ForkRequest,
  pid: number,
  at: number,
): Readonly<Record<string, unknown>> {
  const parent = as === undefined ? source.parent : source.pid;
  const above = as === undefined ? source.path.slice(0, -1) : source.path;
  const { program, owner, input, pc, user_turn, nice, interactive, deadline } = source;
  const { limit_tokens, limit_usd, limit_calls, limit_bits, ends_at } = source;
  const { spent_tokens, spent_usd, spent_calls, capabilities, approvals } = source;
  return {
    ...{ pid, parent, path: [...above, pid], grp: source.grp, program, owner, input, pc },
    ...{ user_turn, nice, interactive, deadline, capabilities, approvals },
    ...{ limit_tokens, limit_usd, limit_calls, limit_bits, ends_at },
    ...{ spent_tokens, spent_usd, spent_calls },
    ...{ title: `${source.title} (fork of ${source.pid})`, key: key ?? null },
    ...{ file_tree: `proc:${pid}`, started_at: state.now(), runner: UNBORN },
    ...(as === "attempt" && { unstuck: source.unstuck + 1, forked_at: at }),
  };
}

async function copyPast(
  client: Client,
  state: KernelState,
  source: ProcessRow,
  pid: number,
  at: number,
): Promise<void> {
  const start = canonicalJson({ program: source.program, forkOf: source.pid, at });
  await appendRecord(client, [pid], { kind: "start", at: state.now(), body: start });
  await client.query(
    `select journal_append($2, kind, call, at, body) from (
       select * from journal where pid = $1 and kind in ('intent', 'result') and call < $3
       order by index) past`,
    [source.pid, pid, at],
  );
  await client.query("update process set calls = $2 where pid = $1", [pid, at - 1]);
  await client.query(
    `insert into endorsement select $2, call, argument, digest from endorsement where pid = $1`,
    [source.pid, pid],
  );
}
