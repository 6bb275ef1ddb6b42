/**
 * A suite of user tasks and injection tasks as plain data, in the format of the AgentDojo and
 * AgentDyn exports: tools with JSON Schemas, calls of the ground truth with recorded results and
 * recorded changes of the world. Every text in it is hostile data. What is missing gets a strict
 * meaning (a tool of unknown effect writes and sends); what is of the wrong type is an error.
 */
import { NutshellError } from "../../src/error.ts";
import type { Capability } from "../../src/os/security/capability.ts";
import type { Source } from "../../src/os/security/label.ts";
import type { Json } from "../../src/os/security/labelled.ts";

export type JsonObject = { readonly [key: string]: Json };

export interface ToolSpec {
  readonly name: string;
  readonly description: string;
  readonly parameters: JsonObject;
  /** Anything but "read" counts as a write. */
  readonly effect: "read" | "write";
  /** Arguments can carry data to somebody else. */
  readonly egress: boolean;
  /** The user can take back what it does, with the same tools. */
  readonly undoable?: true;
  /** Whose words a result is, in place of `tool:NAME`: "user" for the user's own records. */
  readonly source?: Source;
}

export interface RecordedCall {
  readonly function: string;
  readonly args: JsonObject;
  /** With `{vector}` where an injection shows. */
  readonly result: string;
  readonly changed: boolean;
  /** Names of arguments that were known only at run time: one-time codes, invitation links. */
  readonly dynamic: readonly string[];
}

export interface UserTask {
  readonly id: string;
  readonly prompt: string;
  readonly calls: readonly RecordedCall[];
  /** Of the state, by JSON pointer. */
  readonly changes: readonly StateChange[];
  /** Vectors that a run of the ground truth sees. */
  readonly vectors: readonly string[];
  /** Plan by hand, in the plan language; absent: derived from the calls. */
  readonly plan?: string;
  /** What an honest quarantined model answers, by question; for plans by hand. */
  readonly answers?: JsonObject;
}

export interface InjectionTask {
  readonly id: string;
  readonly goal: string;
  readonly calls: readonly RecordedCall[];
  readonly changes: readonly StateChange[];
}

export interface StateChange {
  readonly op: string;
  readonly path: string;
  readonly after?: Json;
}

export interface Suite {
  readonly name: string;
  readonly environment: Json;
  /** The text that stands at `{name}` when nobody attacks. */
  readonly vectors: ReadonlyMap<string, string>;
  readonly tools: readonly ToolSpec[];
  readonly userTasks: readonly UserTask[];
  readonly injectionTasks: readonly InjectionTask[];
  /** Rights of the process; absent in a file: every call. */
  readonly capabilities?: readonly Capability[];
}

/**
 * @param faults gets what is wrong with single tools and tasks, which are left out
 * @throws NutshellError DATA for anything that is not a suite
 */
export function parseSuite(value: unknown, where: string, faults: string[]): Suite {
  const suite = toObject(value, where);
  const each = <T>(list: unknown, name: string, parse: (one: unknown, at: string) => T): T[] =>
    toList(list, `${where}/${name}`).flatMap((one, i) => {
      try {
        return [parse(one, `${where}/${name}/${i}`)];
      } catch (error) {
        if (!(error instanceof NutshellError)) throw error;
        faults.push(error.message);
        return [];
      }
    });
  return {
    name: toText(suite.suite, `${where}/suite`),
    environment: (suite.environment ?? null) as Json,
    vectors: new Map(Object.entries(toObject(suite.injection_vectors ?? {}, where)).map(toVector)),
    tools: each(suite.tools, "tools", parseTool),
    userTasks: each(suite.user_tasks, "user_tasks", parseUserTask),
    ...(suite.capabilities !== undefined && {
      capabilities: toList(suite.capabilities, where).map(
        (one) => toObject(one, `${where}/capabilities`) as unknown as Capability,
      ),
    }),
    injectionTasks: each(suite.injection_tasks ?? [], "injection_tasks", parseInjectionTask),
  };
}

export function parseTool(value: unknown, where: string): ToolSpec {
  const tool = toObject(value, where);
  const parameters = toObject(tool.parameters ?? {}, where);
  toObject(parameters.properties ?? {}, `${where}/parameters/properties`);
  return {
    name: toText(tool.name, `${where}: tool's name`),
    description: typeof tool.description === "string" ? tool.description : "",
    parameters,
    effect: tool.effect === "read" ? "read" : "write",
    egress: tool.egress !== false,
    ...(tool.undoable === true && { undoable: true }),
    ...(tool.source !== undefined && { source: toSource(tool.source, where) }),
  };
}

function toSource(value: unknown, where: string): Source {
  const text = toText(value, `${where}: tool's source`);
  if (/^(user|config|(tool|origin|file|agent|model):.+)$/.test(text)) return text as Source;
  throw new NutshellError("DATA", `${where}: a source is "user" or "KIND:NAME", got ${text}.`);
}

function parseUserTask(value: unknown, where: string): UserTask {
  const task = toObject(value, where);
  const plan = Array.isArray(task.plan) ? task.plan.join("\n") : task.plan;
  return {
    id: toText(task.id, `${where}/id`),
    prompt: toText(task.prompt, `${where}/prompt`),
    calls: parseCalls(task, where),
    changes: parseChanges(task, where),
    vectors: toList(task.visible_injections ?? [], where).map((name) => toText(name, where)),
    ...(plan !== undefined && { plan: toText(plan, `${where}/plan`) }),
    ...(task.answers !== undefined && { answers: toObject(task.answers, where) as JsonObject }),
  };
}

function parseInjectionTask(value: unknown, where: string): InjectionTask {
  const task = toObject(value, where);
  return {
    id: toText(task.id, `${where}/id`),
    goal: toText(task.goal, `${where}/goal`),
    calls: parseCalls(task, where),
    changes: parseChanges(task, where),
  };
}

/** The replay where there is one, else the ground truth, whose results nobody recorded. */
function parseCalls(task: JsonObject, where: string): RecordedCall[] {
  const list = toList(task.replay ?? task.ground_truth_calls ?? [], `${where}/replay`);
  return list.map((value) => {
    const call = toObject(value, where);
    return {
      function: toText(call.function, `${where}: call's function`),
      args: toObject(call.args ?? {}, where) as JsonObject,
      result: typeof call.result === "string" ? call.result : JSON.stringify(call.result ?? ""),
      changed: call.state_changed !== false,
      dynamic: Object.keys(toObject(call.dynamic_args ?? {}, where)),
    };
  });
}

function parseChanges(task: JsonObject, where: string): StateChange[] {
  return toList(task.state_changes ?? [], where).map((value) => {
    const change = toObject(value, where);
    const after = change.after === undefined ? {} : { after: change.after as Json };
    return { op: toText(change.op, where), path: toText(change.path, where), ...after };
  });
}

function toVector([name, value]: readonly [string, unknown]): [string, string] {
  const given = (value as { default?: unknown } | null)?.default;
  return [name, typeof given === "string" ? given : ""];
}

export function toObject(value: unknown, where: string): JsonObject {
  if (typeof value === "object" && value !== null && !Array.isArray(value)) {
    return value as JsonObject;
  }
  throw wrong(where, "an object is needed", value);
}

export function toList(value: unknown, where: string): readonly unknown[] {
  if (Array.isArray(value)) return value;
  throw wrong(where, "a list is needed", value);
}

export function toText(value: unknown, where: string): string {
  if (typeof value === "string") return value;
  throw wrong(where, "a text is needed", value);
}

function wrong(where: string, rule: string, got: unknown): NutshellError {
  const kind = got === null ? "null" : Array.isArray(got) ? "a list" : typeof got;
  return new NutshellError("DATA", `${where}: ${rule}, got ${kind}.`);
}
