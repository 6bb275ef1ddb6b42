/**
 * A recorded run of a real model in a plain tool loop: its messages in order, and, where the run
 * was attacked, which calls were the attacker's and which the user's.
 */
import type { Json } from "../../src/os/security/labelled.ts";
import { type JsonObject, toList, toObject, toText } from "./suite-format.ts";

/** What a call of the attacker was for; only `goal` and `commit` carry out the order itself. */
export type AttackRole = "goal" | "commit" | "support" | "follow_up";

const roles: readonly AttackRole[] = ["goal", "commit", "support", "follow_up"];

export interface TracedCall {
  readonly id: string;
  readonly function: string;
  readonly args: JsonObject;
}

export interface TraceMessage {
  readonly role: string;
  readonly text: string;
  readonly calls: readonly TracedCall[];
  /** Of a tool's message: which call it answers. */
  readonly answers?: { readonly call: string; readonly function: string };
}

export interface Trace {
  readonly id: string;
  readonly suite: string;
  readonly kind: "benign" | "hijacked" | "resisted";
  readonly messages: readonly TraceMessage[];
  readonly attackerCalls: readonly {
    readonly message: number;
    readonly call: string;
    readonly role: AttackRole;
    readonly executed: boolean;
  }[];
}

export function parseTrace(value: unknown, where: string): Trace {
  const row = toObject(value, where);
  const attackerCalls = toList(row.attacker_calls ?? [], where).map((entry) => {
    const call = toObject(entry, where);
    return {
      message: Number(call.message),
      call: toText(call.call_id, where),
      // What has no role that we know may be the order itself.
      role: roles.find((role) => role === call.role) ?? "goal",
      executed: call.executed !== false,
    };
  });
  const attacked = row.injection_task !== undefined;
  const kind = attackerCalls.length > 0 ? "hijacked" : attacked ? "resisted" : "benign";
  return {
    id: toText(row.id, where),
    suite: typeof row.suite === "string" ? row.suite : "",
    kind,
    messages: toList(row.messages, where).map((message) => parseMessage(message, where)),
    attackerCalls,
  };
}

function parseMessage(value: unknown, where: string): TraceMessage {
  const message = toObject(value, where);
  const call = message.call_id;
  const tool = typeof message.function === "string" ? message.function : "unknown";
  return {
    role: toText(message.role, where),
    text: typeof message.text === "string" ? message.text : "",
    calls: toList(message.tool_calls ?? [], where).map((entry) => {
      const traced = toObject(entry, where);
      return {
        id: toText(traced.id, where),
        function: toText(traced.function, where),
        args: toArgs(traced.args),
      };
    }),
    ...(typeof call === "string" && { answers: { call, function: tool } }),
  };
}

/** A model may have written arguments that are none; they are a value all the same. */
function toArgs(value: Json | undefined): JsonObject {
  const isObject = typeof value === "object" && value !== null && !Array.isArray(value);
  return isObject ? (value as JsonObject) : { arguments: value ?? null };
}
