/** What a person is shown before saying yes: the exact call as inert text, made by code alone. */
import type { Json } from "./labelled.ts";
import type { PolicyRequest, Verdict } from "./policy-request.ts";

/** @returns call, arguments with their origins, and reasons, every string inert */
export function approvalCard(request: PolicyRequest, verdict: Verdict): Json {
  return { call: request.call, args: request.args.value, why: verdict.reasons.map((r) => r.text) };
}
