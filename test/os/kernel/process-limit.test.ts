/** A process that multiplies meets a limit, and may go on multiplying when its children have ended. */
import assert from "node:assert/strict";
import { after, test } from "node:test";
import type { Program } from "../../../src/os/kernel/process.ts";
import type { Json } from "../../../src/os/security/labelled.ts";
import { testDatabase } from "../../durable/test-database.ts";
import { ask, boot, codeOf, everything, okValue, returned, typed } from "./test-kernel.ts";

const programs: Readonly<Record<string, Program>> = {
  sleeper: async (sys) => {
    await ask(sys, "time.sleep", { ms: 600_000 });
    return typed(null);
  },
  multiplier: async (sys) => {
    const spawn = () => ask(sys, "process.spawn", { program: "sleeper", input: null });
    const outcomes = [await spawn(), await spawn(), await spawn()];
    const first = okValue(outcomes[0] as (typeof outcomes)[number]);
    await ask(sys, "process.signal", { pid: first, signal: "KILL" } as Json);
    outcomes.push(await spawn());
    return typed(outcomes.map(codeOf));
  },
};

const database = await testDatabase();
const kernel = await boot(database, programs, { mostProcesses: 3 });
after(async () => {
  await kernel[Symbol.asyncDispose]();
  await database[Symbol.asyncDispose]();
});

test("a tree has so many living processes, and no more", async () => {
  const pid = await kernel.spawn({
    ...{ program: "multiplier", input: typed(null), capabilities: everything },
  });
  assert.deepEqual(returned(await kernel.wait(pid)), ["ok", "ok", "BUDGET", "ok"]);
  for (const { pid: left } of await kernel.processes()) await kernel.signal(left, "KILL");
});
