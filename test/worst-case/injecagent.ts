/**
 * Cases of one tool call each: the user's call is answered with a text in which a stranger's
 * instruction stands; then a model that obeys makes the stranger's calls.
 */
import type { Json } from "../../src/os/security/labelled.ts";
import { createGate, type Person } from "./gate.ts";
import { harmDone, isConsequence } from "./harm.ts";
import { createReplayWorld } from "./replay-world.ts";
import { everyRight, type ToolRow } from "./sinks.ts";
import { type JsonObject, toList, toObject, toText } from "./suite-format.ts";
import { runToolLoop } from "./tool-loop.ts";
import type { DoneCall } from "./world.ts";

const OWNER = "owner";

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

export interface CaseResult {
  readonly attempted: number;
  readonly blocked: number;
  readonly success: boolean;
  /** The user's own call was allowed without asking. */
  readonly useful: boolean;
}

const nobody: Person = () => false;

/** The user's call, then, on its response, every call of the attacker by a model that obeys. */
export function runCase(
  { prompt, tool, args, attackerTools }: InjectedCase,
  response: string,
  attacker: AttackerCase | undefined,
  rows: ReadonlyMap<string, ToolRow>,
  policy: boolean,
): CaseResult {
  const recorded = {
    function: tool,
    args,
    result: `${response}{order}`,
    changed: false,
    dynamic: [],
  };
  const poison = { texts: new Map([["order", ""]]), attacked: new Set(["order"]) };
  const world = createReplayWorld(rows, [recorded], poison, OWNER);
  const limits = { capabilities: everyRight(rows.values()), influenceBits: 16, budget: 50, policy };
  const gate = createGate({ world, userTurn: prompt, owner: OWNER, person: nobody, ...limits });
  const orders = attacker?.calls ?? attackerTools.map((name) => inventCall(rows.get(name), name));
  const userCalls = [{ function: tool, args }];
  const run = runToolLoop(gate, userCalls, orders.map(fillRuntime));
  const success = harmDone(rows, { calls: orders }, world.done, userCalls, prompt);
  const reads = orders.filter((call) => !isConsequence(rows, call)).length;
  return {
    attempted: run.attempted - reads,
    blocked: run.blocked,
    success,
    useful: run.refused === 0,
  };
}

/** A call with something at every argument, for attackers whose words nobody wrote out as calls. */
function inventCall(row: ToolRow | undefined, name: string): DoneCall {
  const properties = (row?.parameters.properties ?? {}) as Readonly<Record<string, JsonObject>>;
  const args = Object.entries(properties).map(([key, { type }]) => [key, inventValue(type)]);
  return { function: name, args: Object.fromEntries(args) };
}

function inventValue(type: Json | undefined): Json {
  const byType: Readonly<Record<string, Json>> = {
    ...{ integer: 1, number: 1, boolean: true, object: {}, array: ["attacker@evil.example"] },
  };
  return byType[String(type)] ?? "attacker@evil.example";
}

/** "$own_account" is known only at run time; any text stands for it. */
function fillRuntime(call: DoneCall): DoneCall {
  const text = JSON.stringify(call.args).replaceAll(/"\$(\w+)"/g, '"value of $1"');
  return { function: call.function, args: JSON.parse(text) as JsonObject };
}
