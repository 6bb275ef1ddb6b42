/**
 * Approvals: what a person says yes to is sealed with all that was shown: the call, its exact
 * arguments, where each came from, the process, the number of the call and the time it ends. One
 * bit of any of them changed, and the seal does not hold. That it is used once is the ticket's
 * business; what it is shown as, `card.ts`'s.
 */
import { hmac } from "@noble/hashes/hmac.js";
import { sha256 } from "@noble/hashes/sha2.js";
import { bytesToHex, utf8ToBytes } from "@noble/hashes/utils.js";
import { NutshellError } from "../../error.ts";
import { canonicalJson } from "./canonical.ts";
import type { Label } from "./label.ts";
import { toLabelJson, toLabelTreeJson } from "./label-json.ts";
import type { Labelled } from "./labelled.ts";

export interface ApprovalRequest {
  /** "approve": this very call. "endorse": the value of one argument of it. */
  readonly kind: "approve" | "endorse";
  /** Of an endorsement. */
  readonly argument?: string;
  readonly pid: number;
  /** Number of the call within its process. */
  readonly callNumber: number;
  readonly call: string;
  readonly args: Labelled;
  readonly pc: Label;
  /** Milliseconds since 1970 from which on it is void. */
  readonly expires: number;
}

/**
 * @param key at least 16 bytes, known to the kernel alone
 * @returns HMAC-SHA-256 over the request's canonical text, in hex
 * @throws NutshellError DENIED: a short key, or arguments that are no JSON
 */
export function sealApproval(key: Uint8Array, request: ApprovalRequest): string {
  if (key.length < 16) {
    throw new NutshellError("DENIED", `approval: a key must have 16 bytes, got ${key.length}.`);
  }
  return bytesToHex(hmac(sha256, key, utf8ToBytes(sealedText(request))));
}

/** Whether `seal` was made for exactly this request, and `now` is before its end. Never throws. */
export function verifyApproval(
  key: Uint8Array,
  request: ApprovalRequest,
  seal: string,
  now: number,
): boolean {
  if (!(now < request.expires)) return false;
  try {
    return equalInConstantTime(sealApproval(key, request), seal);
  } catch {
    return false;
  }
}

function sealedText(request: ApprovalRequest): string {
  const { args, pc, argument = null, ...rest } = request;
  return `nutshell approval 1\n${canonicalJson({
    ...rest,
    argument,
    value: args.value,
    labels: toLabelTreeJson(args.labels),
    pc: toLabelJson(pc),
  })}`;
}

function equalInConstantTime(a: string, b: string): boolean {
  if (a.length !== b.length) return false;
  let difference = 0;
  for (let i = 0; i < a.length; i += 1) difference |= a.charCodeAt(i) ^ b.charCodeAt(i);
  return difference === 0;
}
