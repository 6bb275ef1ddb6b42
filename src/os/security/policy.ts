/**
 * The policy: a pure table over labels. What an argument is to the world outside decides what its
 * label must be.
 */
import type { Capability } from "./capability.ts";
import { isTrusted, type Label, type Source } from "./label.ts";
import { type Labelled, wholeLabel } from "./labelled.ts";

/**
 * What an argument is to the outside. `recipient`: who gets something (address, payee, share).
 * `target`: what is changed, deleted, published. `url`, `path`: where. `content`: what is carried.
 * `code`: what is run. `neutral`: cannot matter (a count, an order).
 */
export type SinkKind = "recipient" | "target" | "url" | "path" | "content" | "code" | "neutral";

export interface PolicyRequest {
  readonly call: string;
  readonly access: "read" | "write" | "egress";
  readonly irreversible: boolean;
  readonly sinks: Readonly<Record<string, SinkKind>>;
  readonly args: Labelled;
  /** What decided that the call is made. */
  readonly pc: Label;
  readonly owner: string;
  readonly capabilities: readonly Capability[];
  /** What the user typed in this turn: values that stand in it are the user's own choice. */
  readonly userTurn?: string;
  /** Limit on influence before a person is asked. */
  readonly influenceBits: number;
  /** Values and spans that a person has vouched for (`approval.ts`). */
  readonly endorsed: readonly Endorsement[];
  /**
   * The owner's private stores (contacts, own mail): a value looked up there may be endorsed, where
   * one of a stranger's is denied. Never trusted by themselves.
   */
  readonly stores?: readonly Source[];
}

/** A person vouches for one exact value in one argument of a call. */
export interface Endorsement {
  readonly call: string;
  readonly argument: string;
  /** SHA-256 of the canonical JSON of the value, in hex. */
  readonly digest: string;
}

export interface Reason {
  /** Row of the table that spoke. */
  readonly rule: string;
  readonly argument?: string;
  /** One line, made by code; no untrusted text in it, so that a model may see it. */
  readonly text: string;
  /** Sources that offend, escaped and bounded: for people's eyes, since one may be a file's name. */
  readonly sources?: readonly string[];
}

/** `ask`: a person may approve this very call. `endorse`: a person may vouch for one argument. */
export type Verdict = {
  readonly kind: "allow" | "ask" | "endorse" | "deny";
  readonly reasons: readonly Reason[];
};

export type Policy = (request: PolicyRequest) => Verdict;

/** The verdict of the default table. Total: a request that cannot be judged is denied. */
export function decide(request: PolicyRequest): Verdict {
  const fine = request.access === "read" || isTrusted(wholeLabel(request.args.labels));
  const reason = { rule: "whole call", text: "its arguments must come from the user" };
  return fine ? { kind: "allow", reasons: [] } : { kind: "deny", reasons: [reason] };
}

/** A rule of one's own: can only make a verdict stricter. */
export interface ExtraRule {
  readonly rule: string;
  /** The calls that it speaks of, and the arguments for which it does. */
  readonly on: Capability;
  readonly verdict: "ask" | "deny";
}

/** The policy with further rules: of two verdicts the stricter one holds. */
export function narrowed(policy: Policy, extra: readonly ExtraRule[]): Policy {
  return extra.length === 0 ? policy : (request) => policy(request);
}
