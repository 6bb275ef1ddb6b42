/** An agent whose context is paged: what it brings in stands in its prompt once, its goal stays. */
import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import type { ScriptedPast } from "../../../src/llm/engines/script.ts";
import { openSystem, returnedBy } from "../planner/agent-scene.ts";

const NOTE = "the harbour master is called Ines";

/** Scripted: notes something, talks to itself past its context, then wants the note again. */
function forgetful({ messages }: ScriptedPast) {
  const turn = messages.filter(({ role }) => role === "assistant").length;
  const last = messages.at(-1)?.content ?? "";
  const ref = /mem:\d+\/\d+/.exec(last)?.[0] ?? "none";
  const call = (name: string, args: object) => {
    return [{ call: { name, arguments: JSON.stringify(args) } }];
  };
  if (turn === 0) return call("memory_write", { text: NOTE, title: "harbour" });
  if (turn === 1) return call("memory_page_in", { ref });
  return "done";
}

test("a page that is brought in is the answer to its call, and is there once", async () => {
  let prompt: ScriptedPast["messages"] = [];
  await using system = await openSystem((past) => {
    prompt = past.messages;
    return forgetful(past);
  });
  const pid = await system.run("Who is the harbour master?");
  assert.equal(returnedBy(await system.kernel.wait(pid)), "done");
  const places = prompt.filter(({ content }) => content.includes(NOTE));
  assert.deepEqual(
    places.map(({ role, content }) => [role, content]),
    [["tool", NOTE]],
  );
  assert.ok(prompt.some(({ content }) => content === "Who is the harbour master?"));
});

test("a result far larger than the context is kept whole, shown in part, and read on", async () => {
  const who = (i: number): string => (i === 1234 ? "Ines" : "free");
  const rows = Array.from({ length: 1600 }, (_, i) => `berth ${i} ${who(i)} ${".".repeat(45)}`);
  const prompts: string[] = [];
  await using system = await openSystem(({ messages }) => {
    const [turn, shown] = [prompts.length, messages.at(-1)?.content ?? ""];
    prompts.push(shown);
    const call = (name: string, args: object) => {
      return [{ call: { name, arguments: JSON.stringify(args) } }];
    };
    if (turn === 0) return call("files_read", { path: "berths.txt" });
    const gap = /\[(\d+) characters from (\d+) left out: (mem:\d+\/\d+)\]/.exec(shown);
    const args = { ref: gap?.[3], from: Number(gap?.[2]), count: 50 };
    return turn === 1 ? call("memory_page_in", args) : "done";
  });
  await writeFile(join(system.workspace, "berths.txt"), rows.join("\n"));
  const goal = "Which berth has Ines?";
  const pid = await system.run(goal, { workspace: system.workspace });
  assert.equal(returnedBy(await system.kernel.wait(pid)), "done");
  const [, distilled = "", part] = prompts;
  assert.ok(distilled.includes("berth 0 free") && distilled.includes("berth 1234 Ines"));
  assert.ok(distilled.length < 90_000 && !distilled.includes("cut"));
  const from = Number(/characters from (\d+)/.exec(distilled)?.[1]);
  assert.equal(part, rows.join("\n").slice(from, from + 50));
});
