/** Ranking without a face: order shown, ties, skip, undo, what is on disk, a file cut by a kill. */
import assert from "node:assert/strict";
import { appendFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { openRankingFile } from "../../../src/cli/rank/ranking-file.ts";
import {
  createRankSession,
  promptId,
  type Question,
  type RankItem,
  type RankSession,
} from "../../../src/cli/rank/session.ts";
import { rankAtTerminal, tryParseOrder } from "../../../src/cli/rank/terminal.ts";
import type { RankedPrompt } from "../../../src/llm/tasks/ranking.ts";
import { readRankings } from "../../../src/llm/tasks/read-rankings.node.ts";
import { createRowCounts } from "../../../src/llm/tasks/row-counts.ts";

const folder = mkdtempSync(join(tmpdir(), "nutshell-rank-"));
after(() => rmSync(folder, { recursive: true }));
const at = (name: string): string => join(folder, name);

function item(question: string, responses: readonly string[]): RankItem {
  const prompt = [{ role: "user", content: question } as const];
  return { id: promptId(prompt), prompt, responses };
}

const items = [
  item("one?", ["a", "b", "c", "d"]),
  item("two?", ["e", "f"]),
  item("three?", ["g", "h", "i"]),
];

const current = (session: RankSession): Question => session.current() as Question;
const questionOf = (session: RankSession): string | undefined =>
  session.current()?.prompt[0]?.content;

/** Ranks by text: `a>b=c` is a first, b and c equally good. */
function rankByText(session: RankSession, order: string): void {
  const { id, answers } = current(session);
  const groups = order.split(">").map((group) => group.split("="));
  session.rank(
    id,
    groups.map((group) => group.map((text) => answers.indexOf(text))),
  );
}

async function readBack(path: string): Promise<RankedPrompt[]> {
  const rows: RankedPrompt[] = [];
  for await (const row of readRankings(path, createRowCounts())) rows.push(row);
  return rows;
}

test("what a person ranks by sight is what training reads, ties and all", async () => {
  const file = openRankingFile(at("a.jsonl"));
  const session = createRankSession(items, file);
  const shown = current(session).answers;
  assert.deepEqual(shown.toSorted(), ["a", "b", "c", "d"]);
  rankByText(session, "c>a=d>b");
  // On the disk before the next question.
  assert.equal(readFileSync(at("a.jsonl"), "utf8").split("\n").length, 2);
  session.cannotSay(current(session).id);
  rankByText(session, "i>h>g");
  assert.equal(session.current(), undefined);
  assert.deepEqual(session.progress(), { done: 3, total: 3, canUndo: true });
  file.close();
  const rows = await readBack(at("a.jsonl"));
  assert.deepEqual(
    rows.map(({ ranking }) => ranking.map((group) => group.toSorted())),
    [
      [[2], [0, 3], [1]],
      [[2], [1], [0]],
    ],
  );
  assert.deepEqual(rows[0]?.responses, ["a", "b", "c", "d"]);
});

test("the order shown is shuffled, differs between prompts, and stays the same", () => {
  const many = Array.from({ length: 30 }, (_, i) => item(`number ${i}?`, ["a", "b", "c"]));
  const seen = many.map((one) => {
    const file = openRankingFile(at("order.jsonl"));
    const orders = [1, 2].map(() => current(createRankSession([one], file)).answers.join(""));
    file.close();
    assert.equal(orders[0], orders[1]);
    return orders[0];
  });
  assert.equal(new Set(seen).size, 6);
});

test("skip asks again at the end, undo asks the last one again, also from a file of before", () => {
  const file = openRankingFile(at("b.jsonl"));
  const session = createRankSession(items, file);
  session.skip(current(session).id);
  assert.equal(questionOf(session), "two?");
  rankByText(session, "f>e");
  rankByText(session, "g>h>i");
  assert.equal(questionOf(session), "one?");
  assert.equal(session.undo(), true);
  assert.deepEqual([questionOf(session), session.progress().done], ["three?", 1]);
  file.close();
  const reopened = openRankingFile(at("b.jsonl"));
  const again = createRankSession(items.slice(0, 1), reopened);
  assert.deepEqual(again.progress(), { done: 1, total: 2, canUndo: true });
  assert.equal(again.undo(), true);
  assert.deepEqual([questionOf(again), current(again).answers.length], ["two?", 2]);
  assert.equal(again.undo(), false);
  assert.equal(readFileSync(at("b.jsonl"), "utf8"), "");
  reopened.close();
});

test("a restart asks only what is open; half a line of a kill is cut off", () => {
  const file = openRankingFile(at("c.jsonl"));
  rankByText(createRankSession(items, file), "a>b>c>d");
  file.close();
  appendFileSync(at("c.jsonl"), '{"id":"torn","prompt":[{"role":"us');
  const reopened = openRankingFile(at("c.jsonl"));
  const session = createRankSession(items, reopened);
  assert.deepEqual(session.progress(), { done: 1, total: 3, canUndo: true });
  rankByText(session, "e>f");
  reopened.close();
  const ids = readFileSync(at("c.jsonl"), "utf8")
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line).id);
  assert.deepEqual(ids, [items[0]?.id, items[1]?.id]);
});

test("what is no ranking of the question shown is refused, and nothing is saved", () => {
  const file = openRankingFile(at("d.jsonl"));
  const session = createRankSession(items, file);
  const { id } = current(session);
  for (const groups of [[], [[0, 1, 2]], [[0], [1], [2], [2]], [[0, 1, 2, 3], []], [[0, 1, 2, 4]]])
    assert.throws(() => session.rank(id, groups), { code: "DATA" });
  assert.throws(() => session.rank("0123", [[0], [1], [2], [3]]), { code: "DATA" });
  assert.equal(file.rows.length, 0);
  file.close();
  writeFileSync(at("foreign.jsonl"), '{"text":"a story"}\n');
  assert.throws(() => openRankingFile(at("foreign.jsonl")), { code: "DATA", message: /jsonl:1/ });
});

test("a line typed at the terminal", () => {
  const cases: [string, number, number[][] | undefined][] = [
    ["2 1=3 4", 4, [[1], [0, 2], [3]]],
    ["2, 1 = 3 > 4", 4, [[1], [0, 2], [3]]],
    ["1 2", 3, undefined],
    ["1 2 2", 3, undefined],
    ["1 2 x", 3, undefined],
    ["", 2, undefined],
  ];
  for (const [line, count, groups] of cases)
    assert.deepEqual(tryParseOrder(line, count), groups, line);
});

test("a sitting at the terminal: ranks, goes back, leaves one open", async () => {
  const file = openRankingFile(at("e.jsonl"));
  const session = createRankSession(items, file);
  const said: string[] = [];
  async function* typed(): AsyncGenerator<string> {
    yield* ["nonsense", "1 2 3 4", "u", "4 3 2 1", "c", "q", "1 2 3"];
  }
  await rankAtTerminal(session, typed(), (text) => void said.push(text));
  assert.ok(said[1]?.startsWith("Each of 1 to 4 once"), said[1]);
  assert.deepEqual(
    file.rows.map(({ verdict, shown, ranking }) => [verdict, ranking.flat().length, shown.length]),
    [
      ["ranked", 4, 4],
      ["cannot-say", 2, 2],
    ],
  );
  const [first] = file.rows;
  assert.deepEqual(first?.ranking.flat(), first?.shown.toReversed());
  assert.equal(questionOf(session), "three?");
  file.close();
});
