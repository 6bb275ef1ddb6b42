/**
 * The policy: a pure table over labels. What an argument is to the world outside decides what its
 * label must be.
 */
import type { Capability } from "./capability.ts";
import type { Label } from "./label.ts";
import type { Labelled } from "./labelled.ts";

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
  /** One line for people, made by code; no untrusted text in it. */
  readonly text: string;
}

/** `ask`: a person may approve this very call. `endorse`: a person may vouch for one argument. */
export type Verdict = {
  readonly kind: "allow" | "ask" | "endorse" | "deny";
  readonly reasons: readonly Reason[];
};
