/**
 * Third and fourth gate: the policy's verdict, and a person where the policy asks for one. A grant
 * is sealed over the exact arguments and labels with a key that is not in the database, so that a
 * row that somebody edited approves nothing. It is used up by the very record that opens the call.
 */
import { type ApprovalRequest, sealApproval, verifyApproval } from "../../security/approval.ts";
import { canonicalJson, digest } from "../../security/canonical.ts";
import { approvalCard } from "../../security/card.ts";
import { fromLabelJson, toLabelJson } from "../../security/label-json.ts";
import type { Json } from "../../security/labelled.ts";
import {
  cardFor,
  decide,
  objections,
  type PolicyRequest,
  type Verdict,
} from "../../security/policy.ts";
import { lasting } from "../lasting.ts";
import { fromLabelledText, toLabelledText } from "../process-row.ts";
import { moveTicket, openTicket, readTicket, type TicketRow } from "../tickets.ts";
import { waitForTicket } from "../wait-for-ticket.ts";
import type { Passed, Refusal, Request } from "./gate.ts";
import { refusedBy, toPolicyRequest } from "./policy.ts";

/** A day: long enough for a person, short enough that circumstances still hold. */
const APPROVAL_MS = 24 * 60 * 60 * 1000;

export async function passPolicy(request: Request): Promise<Refusal | Passed> {
  for (;;) {
    const asked = toPolicyRequest(request, request.running.endorsed);
    const { policy = decide } = request.state;
    const verdict = policy(asked);
    if (verdict.kind === "allow") return { verdict };
    if (verdict.kind === "deny") return refusedBy(request, verdict);
    if (request.running.approvals === "deny") return notApproved(request, verdict, "may be asked");
    const answer = await askPerson(request, asked, verdict);
    if ("code" in answer) return answer;
    if (answer.kind === "approve") return { verdict, ticket: answer.id };
    await endorse(request, answer);
  }
}

/** Asks, or finds the ticket that was opened before a crash, and waits for its answer. */
async function askPerson(
  request: Request,
  asked: PolicyRequest,
  verdict: Verdict,
): Promise<Refusal | TicketRow> {
  const { state, running, call } = request;
  const asks = cardFor(verdict);
  const { kind } = asks;
  const argument = asks.kind === "endorse" ? asks.argument : undefined;
  const createdAt = state.now();
  const expiresAt = createdAt + (state.approvalMs ?? APPROVAL_MS);
  const opened = await openTicket(state, {
    ...{ pid: running.pid, call, kind, createdAt, expiresAt },
    ...(argument !== undefined && { argument }),
    card: approvalCard(asked, verdict),
    request: toRequestText(approvalOf(request, kind, argument, expiresAt)),
  });
  const row = await waitForTicket(request, opened);
  const exact = approvalOf(request, kind, argument, Number(row.expires_at));
  if (row.state !== "granted") return notApproved(request, verdict, `${row.state} it`);
  if (verifyApproval(state.key, exact, row.seal ?? "", state.now())) return row;
  return notApproved(request, verdict, "gave a valid answer in time");
}

function approvalOf(
  request: Request,
  kind: ApprovalRequest["kind"],
  argument: string | undefined,
  expires: number,
): ApprovalRequest {
  return {
    kind,
    ...(argument !== undefined && { argument }),
    pid: request.running.pid,
    callNumber: request.call,
    call: request.name,
    args: request.args,
    pc: request.pc,
    expires,
  };
}

function toRequestText({ args, pc, ...rest }: ApprovalRequest): string {
  return canonicalJson({ ...rest, args: toLabelledText(args), pc: toLabelJson(pc) });
}

/** The seal of a request that a person grants. */
export function sealGrant(key: Uint8Array, request: string): string {
  const { args, pc, ...rest } = JSON.parse(request);
  return sealApproval(key, { ...rest, args: fromLabelledText(args), pc: fromLabelJson(pc) });
}

/** The person's word for one value holds for this process from now on, across restarts. */
async function endorse({ state, running, name, args }: Request, ticket: TicketRow): Promise<void> {
  const argument = ticket.argument as string;
  const value = (args.value as Readonly<Record<string, Json>>)[argument] as Json;
  const endorsed = { call: name, argument, digest: digest(value) };
  const word = [running.pid, endorsed.call, endorsed.argument, endorsed.digest];
  await lasting(state, () =>
    state.database.transaction(async (client) => {
      const row = await readTicket(client, ticket.id);
      if (row?.state === "granted") await moveTicket(client, row, "used", state.now());
      const insert = "insert into endorsement values ($1, $2, $3, $4) on conflict do nothing";
      await client.query(insert, word);
    }),
  );
  running.endorsed.push(endorsed);
}

function notApproved(request: Request, verdict: Verdict, what: string): Refusal {
  return {
    code: "APPROVAL",
    message: `${request.name}: a person must approve it, got nobody who ${what} (${objections(verdict)}).`,
    verdict,
  };
}
