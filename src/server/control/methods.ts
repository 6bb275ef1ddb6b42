/**
 * Each method of the control socket: the rule of its parameters as JSON Schema, and what it does.
 * Whoever reaches the socket is the machine's user, so that rules are here for clear errors; the
 * rights of processes are the kernel's matter.
 */
import { NutshellError } from "../../error.ts";
import { plannerModes } from "../../os/apps/manifest.ts";
import type { System } from "../../os/system.ts";
import type { MethodName, Params, Result } from "./protocol.ts";

export interface Method<M extends MethodName> {
  /** Properties of the parameters' object, and which must be there. */
  readonly properties: Readonly<Record<string, unknown>>;
  readonly required?: readonly string[];
  run(system: System, params: Params<M>, signal: AbortSignal): Promise<Result<M>>;
}

type MethodTable = { readonly [M in Exclude<MethodName, "shutdown">]: Method<M> };

const pid = { type: "integer", minimum: 1 };
const text = { type: "string", maxLength: 1 << 20 };
const amount = { type: "integer", minimum: 0 };

const budget = {
  type: "object",
  properties: {
    ...{ tokens: amount, microUsd: amount, calls: amount, ms: amount },
    influenceBits: { type: "number", minimum: 0 },
  },
  additionalProperties: false,
};

const turn = {
  type: "object",
  properties: { role: { enum: ["user", "assistant"] }, text },
  required: ["role", "text"],
  additionalProperties: false,
};

const runProperties = {
  ...{ goal: text, plan: text, app: text, workspace: text, budget },
  mode: { enum: plannerModes },
  owner: { type: "string", minLength: 1, maxLength: 200 },
  nice: { type: "integer", minimum: -20, maximum: 19 },
  deadline: amount,
  interactive: { type: "boolean" },
  approvals: { enum: ["wait", "deny"] },
  before: { type: "array", items: turn, maxItems: 1000 },
};

const runSchema = {
  type: "object",
  properties: runProperties,
  required: ["owner"],
  additionalProperties: false,
};

const cronName = { type: "string", minLength: 1, maxLength: 100 };

export const methods: MethodTable = {
  run: {
    properties: runProperties,
    required: ["owner"],
    run: (system, request) => system.run(request),
  },
  processes: {
    properties: { all: { type: "boolean" } },
    run: ({ kernel }, filter) => kernel.processes(filter),
  },
  process: { properties: { pid }, required: ["pid"], run: findProcess },
  signal: {
    properties: {
      pid,
      signal: { enum: ["TERM", "KILL", "STOP", "CONT", "INT", "USR1"] },
      scope: { enum: ["one", "tree", "group"] },
    },
    required: ["pid", "signal"],
    run: ({ kernel }, { pid, signal, scope }) => kernel.signal(pid, signal, scope),
  },
  wait: {
    properties: { pid },
    required: ["pid"],
    run: ({ kernel }, { pid }, signal) => kernel.wait(pid, signal),
  },
  fork: {
    properties: { pid, at: { type: "integer", minimum: 1 } },
    required: ["pid"],
    run: ({ kernel }, { pid, at }) => kernel.fork(pid, at),
  },
  renice: {
    properties: { pid, nice: runProperties.nice },
    required: ["pid", "nice"],
    run: ({ kernel }, { pid, nice }) => done(kernel.renice(pid, nice)),
  },
  grant: {
    properties: { pid, capability: { type: "object" } },
    required: ["pid", "capability"],
    run: ({ kernel }, { pid, capability }) => done(kernel.grant(pid, capability)),
  },
  revoke: {
    properties: { pid, call: text },
    required: ["pid", "call"],
    run: ({ kernel }, { pid, call }) => kernel.revoke(pid, call),
  },
  tickets: {
    properties: { pid, all: { type: "boolean" } },
    run: ({ kernel }, filter) => kernel.tickets(filter),
  },
  answer: {
    properties: { ticket: pid, answer: { type: "object" } },
    required: ["ticket", "answer"],
    run: ({ kernel }, { ticket, answer }) => done(kernel.answer(ticket, answer)),
  },
  journal: {
    properties: { pid, from: amount },
    required: ["pid"],
    run: ({ kernel }, { pid, from }) => kernel.journal(pid, from),
  },
  verifyJournal: { properties: {}, run: ({ kernel }) => kernel.verifyJournal() },
  schedule: {
    properties: { name: cronName, cron: cronName, timeZone: cronName, request: runSchema },
    required: ["name", "cron", "request"],
    run: (system, entry) => done(system.schedule(entry)),
  },
  schedules: { properties: {}, run: ({ kernel }) => kernel.schedules() },
  unschedule: {
    properties: { name: cronName },
    required: ["name"],
    run: ({ kernel }, { name }) => done(kernel.unschedule(name)),
  },
  memory: {
    properties: { pid },
    required: ["pid"],
    run: (system, { pid }) => system.memoryMap(pid),
  },
  health: { properties: {}, run: (system) => system.health() },
};

async function findProcess(
  { kernel }: System,
  { pid }: Params<"process">,
): Promise<Result<"process">> {
  const found = await kernel.process(pid);
  if (found !== undefined) return found;
  throw new NutshellError(
    "PROCESS",
    `process: no such process, got pid ${pid}. See nutshell ps --all.`,
  );
}

async function done(work: Promise<void>): Promise<null> {
  await work;
  return null;
}
