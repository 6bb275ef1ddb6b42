/** Which conversations a run takes: by --data, by --mixture, and by what is at hand. */
import assert from "node:assert/strict";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { gatherConversations, hashConversations } from "../../../src/llm/sft/gather.node.ts";
import { findSupplies } from "../../../src/llm/sft/sources.node.ts";
import { tasks } from "../../../src/llm/tasks/table.ts";
import { byteChatTokenizer, writeQuestions } from "./small-model.ts";

const folder = mkdtempSync(join(tmpdir(), "nutshell-sft-sources-"));
after(() => rmSync(folder, { recursive: true, force: true }));
const pairs = Array.from({ length: 40 }, (_, i) => [`question ${i}`, `answer ${i}`] as const);
const first = writeQuestions(join(folder, "first.jsonl"), pairs.slice(0, 30));
writeQuestions(join(folder, "deeper", "second.jsonl"), pairs.slice(30));
const beside = new URL("../../../../shared/data/sft", import.meta.url).pathname;

const find = (data: string | undefined, mixture: string | undefined, taskShare = 0.5) =>
  findSupplies({ data, mixture, exchanges: 1, taskShare });
const namesOf = (...args: Parameters<typeof find>): string[] =>
  find(...args).map(({ name }) => name);
const sum = (numbers: readonly number[]): number => numbers.reduce((a, b) => a + b, 0);

test("builtin is every task and nothing else", () => {
  assert.deepEqual(new Set(namesOf("builtin", undefined)), new Set(tasks.keys()));
});

test("a file is a source, and so is every file of a folder", () => {
  assert.deepEqual(namesOf(first, undefined), ["first"]);
  assert.deepEqual(namesOf(folder, undefined), ["second", "first"]);
});

test("a mixture chooses and weighs", () => {
  const found = find(folder, "first=3, second");
  assert.deepEqual(
    found.map(({ name, weight }) => [name, weight]),
    [
      ["first", 3],
      ["second", 1],
    ],
  );
});

test("tasks and known sets share an epoch as they are told to", (t) => {
  if (!existsSync(beside)) return t.skip("../shared/data is not there");
  const found = find(undefined, undefined, 0.7);
  const [made, read] = [true, false].map((task) =>
    sum(found.filter(({ name }) => tasks.has(name) === task).map(({ weight }) => weight)),
  );
  assert.ok(Math.abs((made as number) - 0.7) < 1e-9 && Math.abs((read as number) - 0.3) < 1e-9);
});

function gather(conversations: number | undefined, seed: number) {
  const options = { rowTokens: 128, conversations, evalConversations: 2, seed };
  const supplies = find(folder, "first,second");
  const { signal } = new AbortController();
  return gatherConversations(supplies, byteChatTokenizer, options, { status: () => {} }, signal);
}

test("all of the files by default, held-out ones apart, every row accounted for", async () => {
  const found = await gather(undefined, 1);
  for (const { counts, train, held, chosen } of found) {
    assert.equal(chosen.length, train.count);
    const dropped = sum([...counts.dropped.values()]);
    assert.equal(counts.rows, train.count + held.count + dropped);
  }
  assert.equal(sum(found.map(({ counts }) => counts.rows)), 40);
  assert.ok(found.some(({ held }) => held.count > 0));
});

test("fewer by a draw of the seed, and the hash tells draws apart", async () => {
  const [a, again, b] = [await gather(10, 1), await gather(10, 1), await gather(10, 2)];
  for (const { chosen } of a) {
    assert.equal(chosen.length, 5);
    assert.equal(new Set(chosen).size, 5);
  }
  assert.equal(hashConversations(again), hashConversations(a));
  assert.notEqual(hashConversations(b), hashConversations(a));
});
