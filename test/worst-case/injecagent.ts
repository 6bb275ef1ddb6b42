/**
 * Cases of one tool call each: the user's call is answered with a text in which a stranger's
 * instruction stands; then a model that obeys makes the stranger's calls.
 */
import type { Json } from "../../src/os/security/labelled.ts";
import { type JsonObject, toList, toObject, toText } from "./suite-format.ts";

export interface InjectedCase {
  readonly id: string;
  readonly prompt: string;
  readonly tool: string;
  readonly args: JsonObject;
  /** Recorded responses: base, and with a stronger order where there is one. */
  readonly responses: readonly string[];
  readonly attacker: string;
  readonly attackerTools: readonly string[];
}

export interface AttackerCase {
  readonly id: string;
  readonly calls: readonly { readonly function: string; readonly args: JsonObject }[];
}

export function toInjected(value: unknown, where: string): InjectedCase {
  const row = toObject(value, where);
  const responses = [row.tool_response_base, row.tool_response_enhanced, row.tool_response];
  return {
    id: toText(row.id, where),
    prompt: toText(row.user_instruction, where),
    tool: toText(row.user_tool, where),
    args: toObject(row.user_args ?? {}, where) as JsonObject,
    responses: responses.filter((text) => typeof text === "string"),
    attacker: typeof row.attacker === "string" ? row.attacker : "",
    attackerTools: toList(row.attacker_tools, where).map((name) => toText(name, where)),
  };
}

export function toAttacker(value: unknown, where: string): AttackerCase {
  const row = toObject(value, where);
  const tools = toList(row.tools, where).map((name) => toText(name, where));
  const calls = row.calls ?? tools.map((name) => ({ function: name, args: {} }));
  return {
    id: toText(row.id, where),
    calls: toList(calls, where).map((entry) => {
      const call = toObject(entry, where);
      const args = toObject(call.args ?? {}, where) as JsonObject;
      return { function: toText(call.function, where), args };
    }),
  };
}

/** "$own_account": a value that is known only at run time; any text stands for it. */
export function isRuntimeValue(value: Json): boolean {
  return typeof value === "string" && /^\$\w+$/.test(value);
}
