/**
 * A whole system for agents' tests: real Postgres, kernel, devices, memory, apps; the model is a
 * scripted engine where rare paths are forced, or a real one.
 */
import { mkdtemp, realpath, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createBlobStore } from "../../../src/durable/blobs.ts";
import type { Database } from "../../../src/durable/database.ts";
import type { Script, ScriptedPast } from "../../../src/llm/engines/script.ts";
import { createScriptedEngine } from "../../../src/llm/engines/scripted-engine.ts";
import type { Engine } from "../../../src/llm/inference/engine.ts";
import { builtinFolder, openApp } from "../../../src/os/apps/app.node.ts";
import { createAppCalls } from "../../../src/os/apps/calls.ts";
import type { PlannerMode } from "../../../src/os/apps/manifest.ts";
import { createCalculatorDevice } from "../../../src/os/devices/calculator.ts";
import { createClockDevice } from "../../../src/os/devices/clock.ts";
import { createFilesDevice } from "../../../src/os/devices/files.ts";
import { createHumanDevice } from "../../../src/os/devices/human.ts";
import { createLlmDevice } from "../../../src/os/devices/llm.ts";
import { bootKernel } from "../../../src/os/kernel/boot.ts";
import type { Kernel, Ticket, TicketAnswer } from "../../../src/os/kernel/kernel.ts";
import type { Budget, Exit } from "../../../src/os/kernel/process.ts";
import type { Syscall } from "../../../src/os/kernel/syscall.ts";
import { openMemory } from "../../../src/os/memory/memory.ts";
import { tokenCounter } from "../../../src/os/memory/models.ts";
import { createAgentProgram } from "../../../src/os/planner/agent.ts";
import { createPlanProgram } from "../../../src/os/planner/plan-program.ts";
import { toAgentSpawn } from "../../../src/os/planner/to-spawn.ts";
import { createScheduler } from "../../../src/os/scheduler/scheduler.ts";
import { testDatabase } from "../../durable/test-database.ts";

export interface AgentSystem extends AsyncDisposable {
  readonly kernel: Kernel;
  readonly rows: readonly Syscall[];
  /** A folder that agents may be given. */
  readonly workspace: string;
  run(goal: string, how?: How): Promise<number>;
}

export interface How {
  readonly mode?: PlannerMode;
  readonly app?: string;
  readonly workspace?: string;
  readonly budget?: Budget;
  readonly approvals?: "wait" | "deny";
}

/** Row that lets data leave, so that a test sees whom an agent would have written to. */
export interface Outbox {
  readonly sent: { readonly to: string; readonly text: string }[];
  readonly row: Syscall;
}

export function createOutbox(): Outbox {
  const sent: { to: string; text: string }[] = [];
  const text = { type: "string" };
  return {
    sent,
    row: {
      name: "post.send",
      doc: "Sends a text to an address.",
      args: {
        type: "object",
        properties: { to: text, text },
        required: ["to", "text"],
        additionalProperties: false,
      },
      effect: "irreversible",
      access: "egress",
      sinks: { to: "recipient", text: "content" },
      run: async ({ value }) => {
        sent.push(value as unknown as { to: string; text: string });
        return { value: "sent" };
      },
    },
  };
}

/** What outlives a daemon. */
export interface Ground {
  readonly database: Database;
  /** Workspace; content is kept beside it. */
  readonly folder: string;
}

export async function openGround(): Promise<Ground> {
  const folder = await realpath(await mkdtemp(join(tmpdir(), "nutshell-agent-")));
  return { database: await testDatabase(), folder };
}

export async function closeGround({ database, folder }: Ground): Promise<void> {
  await database[Symbol.asyncDispose]();
  await rm(folder, { recursive: true, force: true });
  await rm(`${folder}-blobs`, { recursive: true, force: true });
}

/** @param given ground that stays when the system goes; absent: one of its own */
export async function openSystem(
  model: Script | Engine,
  more: readonly Syscall[] = [],
  given?: Ground,
): Promise<AgentSystem> {
  const ground = given ?? (await openGround());
  const { database, folder } = ground;
  const blobs = createBlobStore(`${folder}-blobs`);
  const engine =
    "model" in model ? model : createScriptedEngine(model, { model: { contextLen: 100_000 } });
  const files = await createFilesDevice({ database, blobs });
  const memory = await openMemory({ database, blobs, tokensOf: tokenCounter(engine) });
  const engines = new Map([[engine.model.id, engine]]);
  const llm = createLlmDevice({ engines, scheduler: createScheduler() });
  const clock = createClockDevice({ now: () => Date.UTC(2026, 10, 23, 9, 30) });
  const devices = [files, createCalculatorDevice(), clock, createHumanDevice(), llm];
  const apps = createAppCalls({ apps: [builtinFolder] });
  const rows = [...devices.flatMap(({ calls }) => calls), ...memory.calls, ...apps, ...more];
  const programs = { agent: createAgentProgram(rows), plan: createPlanProgram(rows) };
  const kernel = await bootKernel({
    ...{ database, executorId: "agents", syscalls: rows, programs },
    modelDriven: ["agent"],
    onFork: async ({ from, to, before }) => {
      await files.fork(from.tree, to.tree, { pid: from.pid, call: before });
      await memory.fork(from.pid, to.pid, before);
    },
  });
  return {
    kernel,
    rows,
    workspace: folder,
    run: async (goal, how = {}) => {
      const names = rows.map(({ name }) => name);
      const built = await openApp(how.app ?? "assistant", [builtinFolder], names);
      const devices = [...built.manifest.devices, ...more.map(({ name }) => ({ call: name }))];
      // A scripted token is a character.
      const manifest = { ...built.manifest, devices, budget: { tokens: 1e7, calls: 1000 } };
      const app = { ...built, manifest };
      const { budget = {}, approvals = "deny", mode, workspace } = how;
      const held = { capabilities: [{ call: "*" }], budget };
      const given = { ...(mode && { mode }), ...(workspace && { workspace }) };
      const { spawn } = toAgentSpawn({ goal, owner: "ann", app, held, ...given }, rows);
      return kernel.spawn({ ...spawn, approvals });
    },
    [Symbol.asyncDispose]: async () => {
      await kernel[Symbol.asyncDispose]();
      await llm[Symbol.asyncDispose]();
      await engine[Symbol.asyncDispose]();
      if (given === undefined) await closeGround(ground);
    },
  };
}

/** A person at the tickets of all processes until one ends. @returns how it ended */
export async function attend(
  kernel: Kernel,
  pid: number,
  answer: (ticket: Ticket) => TicketAnswer,
): Promise<Exit> {
  const end = kernel.wait(pid);
  let over = false;
  const attending = (async () => {
    while (!over) {
      for (const ticket of await kernel.tickets())
        if (ticket.state === "open") await kernel.answer(ticket.id, answer(ticket));
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  })();
  try {
    return await end;
  } finally {
    over = true;
    await attending;
  }
}

export function returnedBy(exit: Exit): unknown {
  if (exit.how !== "returned") throw new Error(JSON.stringify(exit));
  return exit.value;
}

/** Everything that the model was shown, as one text. */
export function shown({ messages }: ScriptedPast): string {
  return JSON.stringify(messages);
}
