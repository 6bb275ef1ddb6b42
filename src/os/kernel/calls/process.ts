/**
 * `process.*` of one's own children: birth, end, list. Rights and budgets that are handed down are
 * cut out of the caller's own, and what decided a birth goes into the label of all that the child
 * does: a child cannot be used to forget why it was made.
 */
import { joinAll, labelOf } from "../../security/label.ts";
import { fromLabelTreeJson } from "../../security/label-json.ts";
import { type Json, type Labelled, partLabels, wholeLabel } from "../../security/labelled.ts";
import { DeviceError } from "../device-error.ts";
import { fork } from "../fork.ts";
import { lasting } from "../lasting.ts";
import { toResultBody } from "../outcome.ts";
import type { SpawnRequest } from "../process.ts";
import {
  LISTED,
  type ListedRow,
  type ProcessRow,
  readRow,
  toProcessRecord,
} from "../process-row.ts";
import { spawn } from "../spawn.ts";
import type { KernelState } from "../state.ts";
import type { CallContext, CallResult, Syscall } from "../syscall.ts";
import { blockOn } from "./deadlock.ts";
import { below } from "./relatives.ts";
import { closed, kernelLabel, kernelResult, msSchema, neutral, pidSchema } from "./row.ts";

const count = { type: "integer", minimum: 0, maximum: 2 ** 52 } as const;
const budget = closed({
  ...{ tokens: count, microUsd: count, calls: count, ms: count },
  influenceBits: { type: "number", minimum: 0 },
});
export const capabilitySchema: Readonly<Record<string, unknown>> = closed(
  { call: { type: "string" }, where: { type: "object" }, expires: { type: "number" } },
  ["call"],
);
const spawnSchema = {
  ...{ program: { type: "string" }, input: {}, title: { type: "string", maxLength: 200 } },
  ...{ nice: { type: "integer" }, interactive: { type: "boolean" }, deadline: msSchema, budget },
  ...{ capabilities: { type: "array", items: capabilitySchema }, newGroup: { type: "boolean" } },
  approvals: { enum: ["wait", "deny"] },
} as const;

export function processCalls(state: KernelState): readonly Syscall[] {
  return [
    {
      name: "process.spawn",
      doc: "Starts a child that runs a program; its rights and budget are cut out of one's own.",
      args: closed(spawnSchema, ["program", "input"]),
      ...{ effect: "idempotent", access: "write", sinks: neutral(...Object.keys(spawnSchema)) },
      run: (args, context) => spawnChild(state, args, context),
    },
    {
      name: "process.wait",
      doc: "Waits for the end of a process below, and reaps it.",
      args: closed({ pid: pidSchema, timeoutMs: msSchema }, ["pid"]),
      ...{ effect: "idempotent", access: "read", sinks: neutral("pid", "timeoutMs"), waits: true },
      run: (args, context) => waitFor(state, args, context),
    },
    {
      name: "process.fork",
      doc: "Splits in two: gives the new process's number here, and 0 in the new process.",
      args: closed({}),
      ...{ effect: "idempotent", access: "write", sinks: {} },
      run: (args, context) => forkSelf(state, args, context),
    },
    {
      name: "process.list",
      doc: "Lists one's own tree.",
      args: closed({}),
      ...{ effect: "idempotent", access: "read", sinks: {} },
      run: (_args, context) => list(state, context),
    },
  ];
}

async function spawnChild(
  state: KernelState,
  args: Labelled,
  context: CallContext,
): Promise<CallResult> {
  const { input, ...request } = args.value as unknown as SpawnRequest & { readonly input: Json };
  const others = Object.keys(request).map((key) => wholeLabel(partLabels(args.labels, key)));
  const pc = joinAll([context.pc, args.labels.label, ...others]);
  const given = { value: input as Json, labels: partLabels(args.labels, "input") };
  const { pid: parent, key } = context;
  const pid = await spawn(state, { request: { ...request, input: given, parent, key }, pc });
  return kernelResult(pid, context);
}

async function waitFor(
  state: KernelState,
  args: Labelled,
  context: CallContext,
): Promise<CallResult> {
  const { pid, timeoutMs } = args.value as { pid: number; timeoutMs?: number };
  await below(state, pid, context);
  const alarmAt = timeoutMs === undefined ? undefined : context.since + timeoutMs;
  const look = async (): Promise<ProcessRow | "timeout" | undefined> => {
    const row = await readRow(state.database.pool, pid);
    if (row !== undefined && row.exit !== null) return row;
    if (alarmAt !== undefined && alarmAt <= state.now()) return "timeout";
    if (alarmAt === undefined) await blockOn(state, context.pid, pid);
    return undefined;
  };
  const row = await state.wakeups.until(pid, look, context.signal, alarmAt);
  if (row === "timeout") {
    throw new DeviceError("process.wait: it must end in time, got no end.", { code: "TIMEOUT" });
  }
  await reap(state, pid);
  return toExitResult(row, context);
}

/** Somebody knows its end now. */
export async function reap(state: KernelState, pid: number): Promise<void> {
  await lasting(state, () =>
    state.database.pool.query(
      "update process set state = 'dead' where pid = $1 and state = 'zombie'",
      [pid],
    ),
  );
}

/** How it ended is the child's doing, unless it returned something whose makers are known. */
function toExitResult(row: ProcessRow, context: CallContext): CallResult {
  const value = JSON.parse(row.exit as string) as Json;
  const own = labelOf(`agent:${row.pid}`, new Set([context.owner]));
  if (row.exit_labels === null) return { value, labels: { label: own } };
  const returned = fromLabelTreeJson(JSON.parse(row.exit_labels));
  const label = joinAll([kernelLabel(context), returned.label]);
  return { value, labels: { label, parts: new Map([["value", returned]]) } };
}

async function forkSelf(
  state: KernelState,
  args: Labelled,
  context: CallContext,
): Promise<CallResult> {
  const { pid, call: at, key } = context;
  const label = joinAll([kernelLabel(context), context.pc, wholeLabel(args.labels)]);
  const zero = { status: "ok", value: { value: 0, labels: { label } } } as const;
  const answer = (): string => JSON.stringify(toResultBody(zero, 0));
  return kernelResult(await fork(state, { pid, at, key, as: "child", answer }), context);
}

/** Titles are the children's own words. */
async function list(state: KernelState, context: CallContext): Promise<CallResult> {
  const { rows } = await state.database.pool.query<ListedRow>(
    `select ${LISTED} from process where path @> array[$1::int] and state <> 'dead' order by pid`,
    [context.pid],
  );
  const value = rows
    .map(toProcessRecord)
    .map(({ pid, parent = null, state: now, title, calls }) => {
      return { pid, parent, state: now, title, calls };
    });
  const makers = rows.map(({ pid }) => labelOf(`agent:${pid}`));
  return { value, labels: { label: joinAll([kernelLabel(context), ...makers]) } };
}
