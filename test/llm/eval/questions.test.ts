/** How questions are drawn from a set, put into words, cut to fit, and answered several times. */
import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { askAll } from "../../../src/llm/eval/ask.ts";
import { evalOptions } from "../../../src/llm/eval/config.ts";
import { coreSets, type DataSet, mathSets } from "../../../src/llm/eval/data-sets.ts";
import {
  type ChoiceItem,
  type EvalItem,
  type OpenItem,
  toLettered,
  toTruthful,
} from "../../../src/llm/eval/items.ts";
import { readItems } from "../../../src/llm/eval/read-items.node.ts";
import { openSubject } from "../../../src/llm/eval/subject.node.ts";
import { chatQuestion, plainQuestion, withFittingShots } from "../../../src/llm/eval/wording.ts";
import { plainContext } from "../../../src/llm/tasks/define-task.ts";
import { type FileTask, findFileTasks } from "../../../src/llm/tasks/file-tasks.node.ts";
import { resolveOptions } from "../../../src/options.ts";
import { saveChattingModel } from "../chat/chatting-model.ts";
import { writeSets } from "./made-sets.ts";

const root = mkdtempSync(join(tmpdir(), "nutshell-questions-"));
after(() => rmSync(root, { recursive: true, force: true }));

const setNamed = (name: string): DataSet => coreSets.find((set) => set.name === name) as DataSet;
const choice = (query: string, gold: number): ChoiceItem => {
  return { kind: "choice", query, choices: ["x", "y"], gold };
};

test("plain text: solved examples, blank lines, the question up to its answer", () => {
  const shots = [choice("One?\n", 0), choice("Two?", 1)];
  const text = plainQuestion(setNamed("piqa"), "Three?\n", shots);
  assert.equal(text, "One?\nAnswer: x\n\nTwo?\nAnswer: y\n\nThree?\nAnswer:");
});

test("a chat: the examples are its earlier turns", () => {
  const shots: EvalItem[] = [{ kind: "open", question: "1 + 1", answers: ["2"], shown: "2" }];
  assert.deepEqual(chatQuestion("2 + 2 ", shots), [
    { role: "user", content: "1 + 1" },
    { role: "assistant", content: "2" },
    { role: "user", content: "2 + 2" },
  ]);
});

test("as many examples as fit, and nothing when the question alone does not", () => {
  const shots = [choice("a", 0), choice("b", 0), choice("c", 0)];
  const fit = (longest: number): number | undefined =>
    withFittingShots(
      shots,
      longest,
      ({ length }) => 10 + 5 * length,
      (length) => length,
    );
  assert.deepEqual([30, 24, 15, 14, 10, 9].map(fit), [25, 20, 15, 10, 10, undefined]);
});

test("MMLU's rows become letters, its examples come from the other file and the same subject", async () => {
  const row = (subject: string, question: string) => {
    return { subject, question, choices: ["p", "q", "r", "s"], answer: 2 };
  };
  const item = toLettered({ row: row("s", "What?"), where: "here" });
  assert.deepEqual(item, {
    kind: "choice",
    query: "What?\nA. p\nB. q\nC. r\nD. s\nAnswer:",
    choices: ["A", "B", "C", "D"],
    gold: 2,
  });
  const subjects = ["law", "art"];
  await writeSets(root, {
    "eval/mmlu/test.jsonl.gz": subjects.flatMap((s) => [1, 2, 3].map((i) => row(s, `${s} ${i}`))),
    "eval/mmlu/dev.jsonl.gz": subjects.flatMap((s) => [1, 2].map((i) => row(s, `${s} dev ${i}`))),
  });
  const options = { maxRows: 4, shots: 5, seed: 1 };
  const found = (await readItems(root, setNamed("mmlu"), options)) ?? [];
  assert.equal(found.length, 4);
  assert.equal(new Set(found.map(({ item }) => JSON.stringify(item))).size, 4);
  for (const { item, shots } of found) {
    const subject = (item as ChoiceItem).query.slice(0, 3);
    const queries = shots.map((shot) => (shot as ChoiceItem).query.split("\n")[0]).sort();
    assert.deepEqual(queries, [`${subject} dev 1`, `${subject} dev 2`]);
  }
  assert.deepEqual(await readItems(root, setNamed("mmlu"), options), found);
  assert.notDeepEqual(await readItems(root, setNamed("mmlu"), { ...options, seed: 2 }), found);
  assert.equal(await readItems(root, setNamed("piqa"), options), undefined);
});

test("of a file that a task trains on, only the held-out side is asked", async () => {
  const rows = Array.from({ length: 200 }, (_, i) => {
    return { context: ` ${i} - ${(i * 37) % 11} =`, continuation: ` ${i - ((i * 37) % 11)}` };
  });
  const set = mathSets.find(({ name }) => name === "simple_arithmetic") as DataSet;
  await writeSets(root, { [set.file]: rows });
  const found = await readItems(root, set, { maxRows: 200, shots: 0, seed: 1 });
  const asked = new Set(found?.map(({ item }) => (item as OpenItem).question));
  const task = (await findFileTasks(root)).find(({ name }) => name === set.name) as FileTask;
  assert.ok(asked.size > 5 && asked.size === task.sizes.test, `${asked.size} asked`);
  for (let i = 0; i < task.sizes.train; i++)
    assert.ok(!asked.has(` ${task.problem(i, "train", 1).prompt[0]?.content}`));
});

test("TruthfulQA's best answer stands at any place, always the same one", () => {
  const places = [1, 2, 3, 4, 5, 6, 7, 8].map((i) => {
    const row = { question: `Why ${i}?`, best_answer: "best", incorrect: ["p", "q", "r"] };
    const item = toTruthful({ row, where: "here" });
    assert.deepEqual(toTruthful({ row, where: "here" }), item);
    assert.deepEqual(item.choices.toSpliced(item.gold, 1), ["p", "q", "r"]);
    assert.equal(item.choices[item.gold], "best");
    return item.gold;
  });
  assert.ok(new Set(places).size > 1, "a model that takes the first one must not be right");
});

test("an example is never the question itself", async () => {
  const rows = [1, 2, 3].map((i) => ({ query: `${i}`, choices: ["x", "y"], gold: 0 }));
  await writeSets(root, { "eval/core/arc_easy.jsonl.gz": rows });
  const options = { maxRows: 9, shots: 10, seed: 3 };
  for (const { item, shots } of (await readItems(root, setNamed("arc_easy"), options)) ?? []) {
    assert.equal(shots.length, 2);
    assert.ok(!shots.some((shot) => JSON.stringify(shot) === JSON.stringify(item)));
  }
});

test("several replies to each question, in order; a question without room is not asked", async () => {
  const model = await saveChattingModel(join(root, "clock"));
  const values = { model, slots: 3, precision: "f32", backend: "reference" };
  const asked = resolveOptions(evalOptions, { from: "test", values });
  await using subject = await openSubject(asked, { say: () => {}, status: () => {} });
  const ask = (content: string) => {
    return { messages: [{ role: "user", content } as const], context: plainContext };
  };
  // bos, user_start, user_end, assistant_start and the bytes: 96 fill the context.
  const questions = [ask("hi"), ask("x".repeat(92)), ask("x".repeat(91))];
  const options = {
    ...{ seed: 5, temperature: 3, maxTokens: 6, signal: new AbortController().signal },
    tell: () => {},
  };
  const three = await askAll(subject, questions, { ...options, samples: 3 });
  assert.deepEqual(
    three.map((replies) => replies?.length),
    [3, undefined, 3],
  );
  const texts = three[0]?.map(({ messages }) => JSON.stringify(messages)) ?? [];
  assert.ok(new Set(texts).size > 1, "hot samples differ");
  for (const [sample, expected] of (three[0] ?? []).entries()) {
    const alone = { ...options, samples: 1, seed: 5 + sample };
    assert.deepEqual(await askAll(subject, [ask("hi")], alone), [[expected]]);
  }
});

test("an aborted evaluation ends with the signal's reason", async () => {
  const model = await saveChattingModel(join(root, "stop"));
  const values = { model, precision: "f32", backend: "reference" };
  const asked = resolveOptions(evalOptions, { from: "test", values });
  await using subject = await openSubject(asked, { say: () => {}, status: () => {} });
  const signal = AbortSignal.abort(new Error("enough"));
  const questions = [{ text: "go on" }];
  const options = { seed: 1, temperature: 0, maxTokens: 4, samples: 1, signal, tell: () => {} };
  await assert.rejects(askAll(subject, questions, options), /^Error: enough$/);
});
