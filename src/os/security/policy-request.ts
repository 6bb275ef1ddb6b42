/** What the policy is asked, and what it answers. The rules themselves are in `policy-table.ts`. */
import type { Capability } from "./capability.ts";
import type { Label, Source } from "./label.ts";
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
  readonly kind: Verdict["kind"];
  /** Its name as the call has it: escape it where it is shown. */
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
