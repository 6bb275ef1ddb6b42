/**
 * Recorded runs of real models, call by call, as a plain tool loop: after each recorded result its
 * label joins the context. What a hijacked model really did for its attacker has to be refused;
 * what it did for the user should be allowed, at once or after one card.
 *
 * A loop, so these numbers are what the policy gives without any plan.
 */
import { covers } from "../../src/os/security/capability.ts";
import {
  fromUser,
  isTrusted,
  join,
  joinAll,
  type Label,
  type Source,
} from "../../src/os/security/label.ts";
import type { Json, Labelled, LabelTree } from "../../src/os/security/labelled.ts";
import { decide } from "../../src/os/security/policy.ts";
import { storesOf } from "./gate.ts";
import { labelOfResult } from "./replay-world.ts";
import { everyRight, type ToolRow, toRow } from "./sinks.ts";
import type { JsonObject } from "./suite-format.ts";
import type { AttackRole, Trace, TracedCall } from "./trace-format.ts";
import { standsInText } from "./value-origin.ts";

export interface TraceCounts {
  traces: number;
  /** By role of the attacker's executed calls: tried and refused. */
  readonly attacker: Record<AttackRole, { tried: number; refused: number }>;
  userCalls: number;
  userAllowed: number;
  /** Allowed at once or after a person said yes to that very call. */
  userAllowedWithApproval: number;
  approvals: number;
}

export function replayTraces(
  traces: readonly Trace[],
  rows: ReadonlyMap<string, ToolRow>,
  owner: string,
  bits: number,
  policy: boolean,
): TraceCounts {
  const none = () => ({ tried: 0, refused: 0 });
  const counts: TraceCounts = {
    ...{ traces: 0, userCalls: 0, userAllowed: 0, userAllowedWithApproval: 0, approvals: 0 },
    attacker: { goal: none(), commit: none(), support: none(), follow_up: none() },
  };
  for (const trace of traces) {
    counts.traces += 1;
    replayTrace(trace, rows, owner, bits, policy, counts);
  }
  return counts;
}

function replayTrace(
  trace: Trace,
  rows: ReadonlyMap<string, ToolRow>,
  owner: string,
  bits: number,
  policy: boolean,
  counts: TraceCounts,
): void {
  const userTurn = trace.messages
    .flatMap((one) => (one.role === "user" ? one.text : []))
    .join("\n");
  const stores = storesOf(rows.values());
  const calls = new Map<string, TracedCall>();
  const seen: SeenResult[] = [];
  let context: Label = fromUser;
  for (const [index, message] of trace.messages.entries()) {
    for (const call of message.calls) {
      calls.set(call.id, call);
      const row = rowOf(rows, call.function);
      const args = { value: call.args, labels: labelArgs(call.args, seen, context) };
      const verdict = judge(row, args, context, { userTurn, owner, bits, policy, stores });
      count(counts, trace, index, call, verdict);
    }
    if (message.answers === undefined) continue;
    const { function: name, call } = message.answers;
    const row = rowOf(rows, name);
    const label = labelOfResult(row, name, calls.get(call)?.args ?? {}, owner);
    seen.push({ text: message.text, label });
    context = join(context, label);
  }
}

interface SeenResult {
  readonly text: string;
  readonly label: Label;
}

/**
 * A value that stands in results comes from those; any other, and all that is nested deeper than a
 * list, from everything that the model has read. What the model picked from trusted results it
 * picked under the influence of the rest, and so is no more trusted than that.
 */
function labelArgs(args: JsonObject, seen: readonly SeenResult[], context: Label): LabelTree {
  const labelScalar = (value: Json): LabelTree => {
    const composite = typeof value === "object" && value !== null;
    const sources = composite ? [] : seen.filter(({ text }) => standsInText(text, String(value)));
    const own = joinAll(sources.map(({ label }) => label));
    return { label: isTrusted(own) ? context : own };
  };
  const parts = Object.entries(args).map(([name, value]) => {
    const isList = Array.isArray(value) && value.length > 0;
    const tree = isList ? { label: fromUser, parts: value.map(labelScalar) } : labelScalar(value);
    return [name, tree] as const;
  });
  return { label: fromUser, parts: new Map(parts) };
}

interface TraceContext {
  readonly userTurn: string;
  readonly owner: string;
  readonly bits: number;
  readonly policy: boolean;
  readonly stores: readonly Source[];
}

function judge(
  row: ToolRow,
  args: Labelled,
  pc: Label,
  { userTurn, owner, bits, policy, stores }: TraceContext,
): "allow" | "ask" | "deny" {
  if (!policy) return "allow";
  const capabilities = everyRight([row]);
  if (!covers(capabilities, row.name, args.value, 0)) return "deny";
  const { access, irreversible, sinks } = row;
  const verdict = decide({
    ...{ call: row.name, args, access, irreversible, sinks, pc, owner, userTurn },
    ...{ capabilities, influenceBits: bits },
    ...{ endorsed: [], stores },
  });
  return verdict.kind === "endorse" ? "ask" : verdict.kind;
}

function count(
  counts: TraceCounts,
  trace: Trace,
  message: number,
  call: TracedCall,
  verdict: "allow" | "ask" | "deny",
): void {
  const attack = trace.attackerCalls.find(
    (one) => one.call === call.id && (one.message === message || Number.isNaN(one.message)),
  );
  if (attack !== undefined) {
    const role = counts.attacker[attack.role];
    if (role === undefined || !attack.executed) return;
    role.tried += 1;
    if (verdict !== "allow") role.refused += 1;
    return;
  }
  counts.userCalls += 1;
  if (verdict === "allow") counts.userAllowed += 1;
  if (verdict === "ask") counts.approvals += 1;
  if (verdict !== "deny") counts.userAllowedWithApproval += 1;
}

/** A tool that the suite does not declare was invented by the model: it could do anything. */
function rowOf(rows: ReadonlyMap<string, ToolRow>, name: string): ToolRow {
  const parameters: JsonObject = { type: "object" };
  const unknown = { name, description: "", parameters, effect: "write", egress: true } as const;
  return rows.get(name) ?? toRow(unknown);
}
