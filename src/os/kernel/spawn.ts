/**
 * Births. A process's row, its budget and rights cut out of its parent's, and the first record of
 * its journal are one transaction under the parent's lock; only then its workflow starts. A daemon
 * that dies in between leaves a row without a runner, which the sweep starts.
 */
import { randomUUID } from "node:crypto";
import { canonicalJson } from "../security/canonical.ts";
import { type Capability, narrow } from "../security/capability.ts";
import { isTrusted, type Label } from "../security/label.ts";
import { toLabelJson } from "../security/label-json.ts";
import { type Json, wholeLabel } from "../security/labelled.ts";
import { DeviceError } from "./device-error.ts";
import { INFLUENCE_BITS } from "./gates/policy.ts";
import { appendRecord } from "./journal.ts";
import { lasting } from "./lasting.ts";
import type { Budget, SpawnRequest } from "./process.ts";
import { type Client, needRow, type ProcessRow, toLabelledText } from "./process-row.ts";
import type { KernelState } from "./state.ts";
import { wake } from "./wakeups.ts";

const MOST_PROCESSES = 1000;

/** What of a birth is the kernel's alone to say. */
export interface Birth {
  readonly request: SpawnRequest;
  /** What decided that it runs: goes into every call's label. */
  readonly pc: Label;
}

/** @returns its number. @throws DeviceError CAPABILITY or BUDGET, NutshellError PROCESS */
export async function spawn(state: KernelState, birth: Birth): Promise<number> {
  // A commit whose answer was lost is found again by its key.
  const request = { ...birth.request, key: birth.request.key ?? randomUUID() };
  const pid = await lasting(state, () =>
    state.database.transaction((client) => insert(state, client, { ...birth, request })),
  );
  await startProcess(state, pid);
  return pid;
}

/** A second start is the first one. */
export async function startProcess(state: KernelState, pid: number): Promise<void> {
  const executor = await state.executor;
  const start = (): Promise<void> =>
    executor.start("process", `${state.instance}:process:${pid}`, [pid]);
  await lasting(state, () => state.outside(start));
}

async function insert(state: KernelState, client: Client, birth: Birth): Promise<number> {
  const { request, pc } = birth;
  const known = request.key === undefined ? undefined : await findKey(client, request.key);
  if (known !== undefined) return known;
  const now = state.now();
  const parent =
    request.parent === undefined ? undefined : await lockParent(client, request.parent);
  if (parent !== undefined) await checkRoom(state, client, parent);
  const budget = cutBudget(request.budget ?? {}, parent, now);
  const pid = await nextPid(client);
  const row: Readonly<Record<string, unknown>> = {
    ...{ pid, parent: parent?.pid ?? null, path: [...(parent?.path ?? []), pid] },
    grp: parent === undefined || request.newGroup === true ? pid : parent.grp,
    ...{ program: request.program, title: request.title ?? request.program },
    owner: parent?.owner ?? request.owner ?? "user",
    ...{ input: toLabelledText(request.input), pc: canonicalJson(toLabelJson(pc)) },
    ...{ user_turn: userTurnOf(request, parent), key: request.key ?? null },
    ...{ nice: niceOf(request, parent), interactive: isInteractive(request, parent) },
    deadline: request.deadline ?? null,
    ...{ limit_tokens: budget.tokens ?? null, limit_usd: budget.microUsd ?? null },
    ...{ limit_calls: budget.calls ?? null, limit_bits: budget.influenceBits ?? null },
    ends_at: budget.ms === undefined ? null : now + budget.ms,
    capabilities: canonicalJson(rightsOf(request, parent) as unknown as Json),
    approvals: parent?.approvals === "deny" ? "deny" : (request.approvals ?? "wait"),
    file_tree: request.fileTree ?? `proc:${pid}`,
    started_at: now,
  };
  await insertRow(client, row);
  const { program, owner, capabilities, file_tree: fileTree } = row as unknown as ProcessRow;
  const start = { program, owner, parent: row.parent as Json, fileTree, capabilities };
  const body = canonicalJson({ ...start, input: row.input as string, budget: { ...budget } });
  await appendRecord(client, [pid], { kind: "start", at: now, body });
  await wake(client, [pid]);
  return pid;
}

export async function insertRow(
  client: Client,
  row: Readonly<Record<string, unknown>>,
): Promise<void> {
  const names = Object.keys(row);
  const places = names.map((_, index) => `$${index + 1}`);
  await client.query(
    `insert into process (${names.join(", ")}) overriding system value values (${places.join(", ")})`,
    Object.values(row),
  );
}

export async function nextPid(client: Client): Promise<number> {
  const { rows } = await client.query<{ pid: number }>(
    "select nextval(pg_get_serial_sequence('process', 'pid'))::int as pid",
  );
  return (rows[0] as { pid: number }).pid;
}

export async function findKey(client: Client, key: string): Promise<number | undefined> {
  const { rows } = await client.query<{ pid: number }>("select pid from process where key = $1", [
    key,
  ]);
  return rows[0]?.pid;
}

/** A parent that has ended has no more children. */
async function lockParent(client: Client, pid: number): Promise<ProcessRow> {
  await client.query("select from process where pid = $1 for no key update", [pid]);
  const row = await needRow(client, pid, "spawn");
  if (row.ended_at === null) return row;
  throw new DeviceError(`spawn: a parent must be alive, got pid ${pid}, which has ended.`, {
    code: "NO_PROCESS",
  });
}

/** As RLIMIT_NPROC: a tree that multiplies comes to an end before the machine does. */
async function checkRoom(state: KernelState, client: Client, parent: ProcessRow): Promise<void> {
  const { mostProcesses: most = MOST_PROCESSES } = state;
  const { rows } = await client.query<{ living: number }>(
    `select count(*)::int as living from process
     where path @> array[$1::int] and ended_at is null`,
    [parent.path[0]],
  );
  if ((rows[0]?.living ?? 0) < most) return;
  throw new DeviceError(`spawn: a tree may have ${most} living processes, and has them.`, {
    code: "BUDGET",
  });
}

/** A child cannot be more urgent than its parent. */
function niceOf({ nice = 0 }: SpawnRequest, parent: ProcessRow | undefined): number {
  return Math.min(Math.max(nice, parent?.nice ?? -20), 19);
}

/** Nobody waits for the child of batch work. */
function isInteractive({ interactive = false }: SpawnRequest, parent?: ProcessRow): boolean {
  return interactive && parent?.interactive !== false;
}

/** What the user typed: known of the first process of a tree, inherited by the others. */
function userTurnOf(request: SpawnRequest, parent: ProcessRow | undefined): string | null {
  if (parent !== undefined) return parent.user_turn;
  const { value, labels } = request.input;
  const isTyped = isTrusted(wholeLabel(labels)) && typeof value === "string";
  const turn = request.userTurn ?? (isTyped ? value : undefined);
  // Postgres keeps every character but one.
  return turn?.replaceAll("\0", "") ?? null;
}

function rightsOf(request: SpawnRequest, parent: ProcessRow | undefined): readonly Capability[] {
  if (parent === undefined) return request.capabilities ?? [];
  const held = JSON.parse(parent.capabilities) as Capability[];
  if (request.capabilities === undefined) return held;
  const { granted, refused } = narrow(request.capabilities, held);
  if (refused.length === 0) return granted;
  const rule = "a child's rights must lie within its parent's";
  throw new DeviceError(`spawn: ${rule}, got ${refused.length} wider ones.`, {
    code: "CAPABILITY",
  });
}

const limits: readonly (readonly [
  keyof Budget,
  (parent: ProcessRow, now: number) => number | undefined,
])[] = [
  ["tokens", (row) => left(row.limit_tokens, row.spent_tokens)],
  ["microUsd", (row) => left(row.limit_usd, row.spent_usd)],
  ["calls", (row) => left(row.limit_calls, row.spent_calls)],
  ["ms", (row, now) => left(row.ends_at, String(now))],
  ["influenceBits", (row) => row.limit_bits ?? INFLUENCE_BITS],
];

/** What is spent is charged to all ancestors, so that an absent limit is the parent's anyway. */
function cutBudget(asked: Budget, parent: ProcessRow | undefined, now: number): Budget {
  if (parent === undefined) return asked;
  const cut: Partial<Record<keyof Budget, number>> = {};
  for (const [name, leftOf] of limits) {
    const have = leftOf(parent, now);
    const want = asked[name] ?? (name === "influenceBits" || name === "ms" ? have : undefined);
    if (want === undefined) continue;
    if (have !== undefined && want > have) throw tooMuch(name, want, have);
    cut[name] = want;
  }
  return cut;
}

function left(limit: string | null, spent: string): number | undefined {
  return limit === null ? undefined : Math.max(Number(limit) - Number(spent), 0);
}

function tooMuch(name: string, want: number, have: number): DeviceError {
  const rule = "a child's budget must be within what its parent has left";
  return new DeviceError(`spawn: ${rule}, got ${name} ${want} of ${have}.`, { code: "BUDGET" });
}
