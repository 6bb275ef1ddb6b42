/** `process.*` that change a process below: signals, urgency, rights. */
import type { Capability } from "../../security/capability.ts";
import type { Labelled } from "../../security/labelled.ts";
import { grant, revoke } from "../grants.ts";
import type { Signal } from "../process.ts";
import { type Scope, sendSignal } from "../signals.ts";
import type { KernelState } from "../state.ts";
import type { CallContext, CallResult, Syscall } from "../syscall.ts";
import { wake } from "../wakeups.ts";
import { capabilitySchema } from "./process.ts";
import { below } from "./relatives.ts";
import { closed, kernelResult, neutral, pidSchema } from "./row.ts";

const signals: readonly Signal[] = ["TERM", "KILL", "STOP", "CONT", "INT", "USR1"];
const scopes: readonly Scope[] = ["one", "tree", "group"];

export function controlCalls(state: KernelState): readonly Syscall[] {
  return [
    {
      name: "process.signal",
      doc: "Sends a signal to a process below, its tree, or its group.",
      args: closed({ pid: pidSchema, signal: { enum: signals }, scope: { enum: scopes } }, [
        ...["pid", "signal"],
      ]),
      ...{ effect: "idempotent", access: "write", sinks: neutral("pid", "signal", "scope") },
      run: (args, context) => signalChild(state, args, context),
    },
    {
      name: "process.renice",
      doc: "Makes a process below less urgent.",
      args: closed({ pid: pidSchema, nice: { type: "integer", minimum: -20, maximum: 19 } }, [
        ...["pid", "nice"],
      ]),
      ...{ effect: "idempotent", access: "write", sinks: neutral("pid", "nice") },
      run: (args, context) => renice(state, args, context),
    },
    {
      name: "process.grant",
      doc: "Hands one of one's own rights, or a narrower one, to a process below.",
      args: closed({ pid: pidSchema, capability: capabilitySchema }, ["pid", "capability"]),
      ...{ effect: "idempotent", access: "write", sinks: neutral("pid", "capability") },
      run: (args, context) => grantChild(state, args, context),
    },
    {
      name: "process.revoke",
      doc: "Takes rights back from a process below, and from all below that.",
      args: closed({ pid: pidSchema, call: { type: "string" } }, ["pid", "call"]),
      ...{ effect: "idempotent", access: "write", sinks: neutral("pid", "call") },
      run: (args, context) => revokeChild(state, args, context),
    },
  ];
}

async function signalChild(
  state: KernelState,
  args: Labelled,
  context: CallContext,
): Promise<CallResult> {
  const { pid, signal, scope } = args.value as { pid: number; signal: Signal; scope?: Scope };
  const row = await below(state, pid, context);
  // A group is its leader's: it may reach beyond those below.
  if (scope === "group" && row.grp !== pid) await below(state, row.grp, context);
  return kernelResult([...(await sendSignal(state, pid, signal, scope ?? "one"))], context);
}

async function renice(
  state: KernelState,
  args: Labelled,
  context: CallContext,
): Promise<CallResult> {
  const { pid, nice } = args.value as { pid: number; nice: number };
  const row = await below(state, pid, context);
  await setNice(state, pid, Math.max(nice, row.nice));
  return kernelResult(null, context);
}

export async function setNice(state: KernelState, pid: number, nice: number): Promise<void> {
  const { pool } = state.database;
  await pool.query("update process set nice = $2 where pid = $1", [pid, nice]);
  await wake(pool, [pid]);
}

async function grantChild(
  state: KernelState,
  args: Labelled,
  context: CallContext,
): Promise<CallResult> {
  const { pid, capability } = args.value as unknown as { pid: number; capability: Capability };
  await below(state, pid, context);
  await grant(state, pid, capability, context.pid);
  return kernelResult(null, context);
}

async function revokeChild(
  state: KernelState,
  args: Labelled,
  context: CallContext,
): Promise<CallResult> {
  const { pid, call } = args.value as { pid: number; call: string };
  await below(state, pid, context);
  return kernelResult(await revoke(state, pid, call), context);
}
