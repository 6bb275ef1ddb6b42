/** An agent whose context is paged: what it brings in stands in its prompt once, its goal stays. */
import assert from "node:assert/strict";
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
