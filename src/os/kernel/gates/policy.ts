/** Third gate: what the policy's table says of this call's labels. */
import { isLive } from "../../security/capability.ts";
import type { Source } from "../../security/label.ts";
import type { Labelled } from "../../security/labelled.ts";
import {
  type Endorsement,
  objections,
  type PolicyRequest,
  type Verdict,
} from "../../security/policy.ts";
import type { Syscall } from "../syscall.ts";
import type { Refusal, Request } from "./gate.ts";

/** Bits that untrusted answers may steer where nobody set a limit. */
export const INFLUENCE_BITS = 16;

export function toPolicyRequest(
  { state, running, row, args, pc }: Request,
  endorsed: readonly Endorsement[],
): PolicyRequest {
  const { userTurn } = running;
  const now = state.now();
  return {
    call: row.name,
    access: row.access,
    irreversible: row.effect === "irreversible",
    sinks: sinksOf(row, args),
    args,
    pc,
    owner: running.owner,
    // One that has ended covers nothing, and names no place either.
    capabilities: running.capabilities.filter((one) => isLive(one, now)),
    ...(userTurn !== undefined && { userTurn }),
    influenceBits: running.influenceBits ?? INFLUENCE_BITS,
    endorsed,
    stores: storesOf(state.calls),
  };
}

/** What stays on this machine is the owner's own: a value looked up there may be vouched for. */
function storesOf(calls: ReadonlyMap<string, Syscall>): Source[] {
  const local = [...calls.values()].filter(({ access }) => access !== "egress");
  return ["file:*", ...local.map(({ name }): Source => `tool:${name}`)];
}

/** An argument that the row does not name is a target where the call has consequences. */
function sinksOf(row: Syscall, args: Labelled): PolicyRequest["sinks"] {
  const unnamed = row.access === "read" ? "neutral" : "target";
  const names = Object.keys(args.value as object);
  return Object.fromEntries(names.map((name) => [name, row.sinks[name] ?? unnamed]));
}

export function refusedBy(request: Request, verdict: Verdict): Refusal {
  const why = objections(verdict);
  return {
    code: "POLICY",
    message: `${request.name}: the policy denies it, got ${why}. See nutshell why.`,
    verdict,
  };
}
