/**
 * Agents over time: a daemon that goes while one waits, a fork of its past with its files, and the
 * model that ships at work.
 */
import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { openEngine } from "../../../src/llm/engines/open-engine.node.ts";
import type { ScriptedReply } from "../../../src/llm/engines/script.ts";
import type { Kernel, Ticket } from "../../../src/os/kernel/kernel.ts";
import { closeGround, openGround, openSystem, returnedBy, shown } from "./agent-scene.ts";

function call(name: string, args: object): ScriptedReply {
  return [{ call: { name, arguments: JSON.stringify(args) } }];
}

async function openTicket(kernel: Kernel, pid: number): Promise<Ticket> {
  for (let i = 0; i < 500; i++) {
    const [ticket] = await kernel.tickets({ pid });
    if (ticket !== undefined) return ticket;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  throw new Error("no ticket was opened");
}

test("an agent that waits for its person goes on under the next daemon", async () => {
  const ground = await openGround();
  let generations = 0;
  const count = (reply: ScriptedReply) => () => {
    generations++;
    return reply;
  };
  try {
    const replies = [
      call("files_write", { path: "draft.txt", text: "draft" }),
      call("human_ask", { question: "Which colour?" }),
    ];
    const first = await openSystem(() => count(replies[generations] ?? "lost")(), [], ground);
    const pid = await first.run("Ask me for a colour");
    const ticket = await openTicket(first.kernel, pid);
    await first[Symbol.asyncDispose]();
    const last = (text: string) => (/blue/.test(text) ? "You like blue." : "What?");
    const second = await openSystem((past) => count(last(shown(past)))(), [], ground);
    try {
      await second.kernel.answer(ticket.id, { kind: "reply", text: "blue" });
      assert.equal(returnedBy(await second.kernel.wait(pid)), "You like blue.");
      assert.equal(generations, 3, "what was generated before is not generated again");
      const versions = await ground.database.pool.query(
        "select 1 from file_versions where path = 'draft.txt'",
      );
      assert.equal(versions.rows.length, 1);
      assert.equal((await second.kernel.verifyJournal()).ok, true);
    } finally {
      await second[Symbol.asyncDispose]();
    }
  } finally {
    await closeGround(ground);
  }
});

test("a fork goes its own way from a call on, with the files and the memory of that moment", async () => {
  let forked = false;
  await using system = await openSystem((past) => {
    const text = shown(past);
    if (!text.includes("files_write")) return call("files_write", { path: "a.txt", text: "one" });
    if (!text.includes("files_append")) {
      return call("files_append", { path: "a.txt", text: forked ? " fork" : " first" });
    }
    return call("files_read", { path: "a.txt" }).length > 0 && text.includes("files_read")
      ? (/(one [a-z ]+)/.exec(text)?.[1] ?? "nothing")
      : call("files_read", { path: "a.txt" });
  });
  const pid = await system.run("Write");
  assert.equal(returnedBy(await system.kernel.wait(pid)), "one first");
  const records = await system.kernel.journal(pid);
  const append = records.find(({ body }) => body.includes('"name":"files.append"'));
  const generation = (append?.call ?? 0) - 1;
  forked = true;
  const fork = await system.kernel.fork(pid, generation);
  assert.equal(returnedBy(await system.kernel.wait(fork)), "one fork");
});

const kernelModel = join(import.meta.dirname, "../../../models/kernel");

test("the model that ships answers by the calculator and the clock", async (context) => {
  if (!existsSync(join(kernelModel, "model.safetensors"))) {
    context.skip("models/kernel is not there");
    return;
  }
  await using system = await openSystem(await openEngine(kernelModel));
  const pid = await system.run("What is 24 * 78?");
  assert.match(String(returnedBy(await system.kernel.wait(pid))), /1872/);
  const bodies = (await system.kernel.journal(pid)).map(({ body }) => body);
  assert.ok(bodies.some((body) => body.includes('"expression":"24*78"')));
  const day = await system.run("What day is it today?");
  assert.match(String(returnedBy(await system.kernel.wait(day))), /Monday/);
});
