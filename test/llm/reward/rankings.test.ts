/** From rankings to rows, from rows to batches: what is cut, what is counted, what is compared. */
import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { renderConversation } from "../../../src/llm/chat/template.ts";
import { fillBatch, mostPairs, planBatches } from "../../../src/llm/reward/batches.ts";
import { findRankings } from "../../../src/llm/reward/find-rankings.node.ts";
import { type LoadedRankings, loadRankings } from "../../../src/llm/reward/load-rankings.node.ts";
import {
  type RankedRows,
  type RowLimits,
  type RowTally,
  toRankedRows,
} from "../../../src/llm/reward/ranked-rows.ts";
import type { RankedPrompt } from "../../../src/llm/tasks/ranking.ts";
import { createRowCounts, type RowCounts } from "../../../src/llm/tasks/row-counts.ts";
import type { RankingSource } from "../../../src/llm/tasks/source.ts";
import { splitOfMessages } from "../../../src/llm/tasks/split.ts";
import { chatTokenizer, idsOf } from "../chat/tokenizer.ts";

const ranked: RankedPrompt = {
  prompt: [{ role: "user", content: "0123456789" }],
  responses: ["bad", "best", "good!", "fine."],
  ranking: [[1], [2, 3], [0]],
  margins: [1, 2],
};

const newTally = (): RowTally => ({ counts: createRowCounts(), cutPrompts: 0, lostResponses: 0 });

function rowsOf(limits: RowLimits, tally = newTally(), of = ranked): RankedRows | undefined {
  return toRankedRows(of, "test", chatTokenizer, limits, tally);
}

test("a row is the conversation up to the end of one answer", () => {
  const tally = newTally();
  const found = rowsOf({ T: 64, maxResponses: 9 }, tally) as RankedRows;
  for (const [i, content] of ranked.responses.entries()) {
    const messages = [...ranked.prompt, { role: "assistant", content } as const];
    assert.deepEqual(found.rows[i], renderConversation({ messages }, chatTokenizer).ids);
  }
  assert.deepEqual(found.lengths, [4, 5, 6, 6]);
  assert.deepEqual(found.references, [1]);
  const pairs = found.pairs.map(({ chosen, rejected, margin }) => [chosen, rejected, margin]);
  assert.deepEqual(pairs, [
    [1, 2, 1],
    [1, 3, 1],
    [1, 0, 3],
    [2, 0, 2],
    [3, 0, 2],
  ]);
  assert.deepEqual([tally.cutPrompts, tally.lostResponses], [0, 0]);
});

test("a long prompt loses its beginning, by as much for every answer, and is counted", () => {
  const tally = newTally();
  // The longest answer has 6 tokens, so 12 of the prompt's 14 stay: bos and the last 11.
  const found = rowsOf({ T: 18, maxResponses: 9 }, tally) as RankedRows;
  const head = idsOf("<|bos|>123456789<|user_end|><|assistant_start|>");
  for (const [i, text] of ranked.responses.entries())
    assert.deepEqual(
      [...(found.rows[i] as Int32Array)],
      [...head, ...idsOf(`${text}<|assistant_end|>`)],
    );
  assert.equal(tally.cutPrompts, 1);
});

test("answers that do not fit go, their rankings stay when two groups are left", () => {
  const tally = newTally();
  const long = { ...ranked, responses: ["bad", "b".repeat(90), "good!", "fine."] };
  const found = rowsOf({ T: 40, maxResponses: 9 }, tally, long) as RankedRows;
  assert.equal(found.rows.length, 3);
  assert.equal(tally.lostResponses, 1);
  assert.deepEqual(
    found.pairs.map(({ margin }) => margin),
    [2, 2],
  );
  const none = { ...ranked, responses: ranked.responses.map((text) => text.repeat(20)) };
  assert.equal(rowsOf({ T: 40, maxResponses: 9 }, tally, none), undefined);
  assert.deepEqual([...tally.counts.dropped.values()], [1]);
});

test("of too many answers the ends and even steps between stay, with the margins between", () => {
  const many: RankedPrompt = {
    prompt: ranked.prompt,
    responses: ["e", "d", "c", "b", "a"],
    ranking: [[4], [3], [2], [1], [0]],
    margins: [1, 2, 4, 8],
  };
  const found = rowsOf({ T: 64, maxResponses: 3 }, newTally(), many) as RankedRows;
  const last = found.rows.map((row) => String.fromCharCode(row.at(-2) as number));
  assert.deepEqual(last, ["e", "c", "a"]);
  assert.deepEqual(
    found.pairs.map(({ margin }) => margin),
    [3, 15, 12],
  );
});

test("every ranking once an epoch, whole, in another order each time", () => {
  const sizes = Array.from({ length: 50 }, (_, i) => 2 + (i % 4));
  const plan = planBatches(sizes, 8, 3, { epochs: 2 });
  const order = plan.flat();
  const half = order.length / 2;
  for (const epoch of [order.slice(0, half), order.slice(half)])
    assert.deepEqual(
      epoch.toSorted((a, b) => a - b),
      sizes.map((_, i) => i),
    );
  assert.notDeepEqual(order.slice(0, half), order.slice(half));
  const rows = plan.map((batch) => batch.reduce((sum, i) => sum + (sizes[i] as number), 0));
  assert.ok(
    rows.every((count) => count >= 1 && count <= 8),
    rows.join(" "),
  );
  assert.deepEqual(planBatches(sizes, 8, 3, { epochs: 2 }), plan);
  assert.notDeepEqual(planBatches(sizes, 8, 4, { epochs: 2 }), plan);
  assert.deepEqual(planBatches(sizes, 8, 3, { epochs: 1, want: 3 }), plan.slice(0, 3));
  assert.equal(planBatches(sizes, 8, 3, { epochs: 1, want: 100 }).length, 100);
  assert.deepEqual(planBatches([], 8, 3, { epochs: 1, want: 4 }), []);
});

test("the arrays of a batch, by hand", () => {
  const first: RankedRows = {
    ...{ source: "test", lengths: [1, 1], references: [0] },
    rows: [Int32Array.of(5, 6), Int32Array.of(7)],
    pairs: [{ chosen: 0, rejected: 1, margin: 3 }],
  };
  const second: RankedRows = {
    ...{ source: "test", lengths: [1, 1, 1], references: [2] },
    rows: [Int32Array.of(8), Int32Array.of(9, 10, 11), Int32Array.of(12)],
    pairs: [
      { chosen: 2, rejected: 0, margin: 0 },
      { chosen: 1, rejected: 0, margin: 1 },
    ],
  };
  const shape = { B: 6, T: 3, maxResponses: 3 };
  assert.equal(mostPairs(shape), 6);
  assert.deepEqual(fillBatch([first, second], shape, 0.5), {
    tokens: Int32Array.of(5, 6, 0, 7, 0, 0, 8, 0, 0, 9, 10, 11, 12, 0, 0, 0, 0, 0),
    last: Int32Array.of(1, 3, 6, 11, 12, 0),
    chosen: Int32Array.of(0, 4, 3, 0, 0, 0),
    rejected: Int32Array.of(1, 2, 2, 0, 0, 0),
    weight: Float32Array.of(1, 0.5, 0.5, 0, 0, 0),
    margin: Float32Array.of(1.5, 0, 0.5, 0, 0, 0),
  });
  const empty = fillBatch([], shape, 1);
  assert.ok(Object.values(empty).every((array) => array.every((value) => value === 0)));
});

test("the pairs of any packing fit into a batch", () => {
  for (const [B, maxResponses] of [
    [5, 4],
    [9, 9],
    [32, 5],
    [7, 2],
    [10, 9],
  ] as const) {
    const most = mostPairs({ B, T: 1, maxResponses });
    const pairsOf = (k: number): number => (k * (k - 1)) / 2;
    const whole = Math.floor(B / maxResponses) * pairsOf(Math.min(B, maxResponses));
    assert.ok(most >= whole + pairsOf(B % maxResponses), `${B} rows of ${maxResponses}`);
  }
});

const folder = mkdtempSync(join(tmpdir(), "nutshell-rankings-"));
after(() => rmSync(folder, { recursive: true, force: true }));

interface FileRow {
  readonly prompt: string;
  readonly chosen: string;
  readonly rejected: string;
}

function load(rows: readonly FileRow[], builtin = 0): Promise<LoadedRankings> {
  const path = join(folder, "rows.jsonl");
  writeFileSync(path, rows.map((row) => `${JSON.stringify(row)}\n`).join(""));
  const { sources } = findRankings(path);
  return loadRankings(sources, chatTokenizer, { ...options, builtin }, silent);
}

const options = { T: 48, maxResponses: 4, builtin: 0, heldOut: 2, seed: 1 };
const silent = { say: () => {}, status: () => {} };

const rowsOfFile = Array.from({ length: 60 }, (_, i): FileRow => {
  const rejected = i % 5 === 0 ? "too long for a row ".repeat(4) : i % 7 === 0 ? " " : "no";
  return { prompt: `question ${i}`, chosen: "yes", rejected };
});

test("every row of every source is trained on, held out, or left out under a reason", async () => {
  const { origins } = await load(rowsOfFile, 20);
  const [builtin, file] = origins;
  assert.deepEqual([builtin?.counts.rows, file?.counts.rows], [22, 60]);
  for (const { train, held, counts } of origins) {
    const dropped = [...counts.dropped.values()].reduce((sum, count) => sum + count, 0);
    assert.equal(counts.kept, train + held);
    assert.equal(counts.rows, train + held + dropped);
  }
  assert.equal(file?.held, 2);
  assert.equal(file?.counts.dropped.get("without two answers to compare that fit"), 12);
  assert.ok((file?.counts.dropped.get("held out and not needed") ?? 0) > 0);
});

test("the hash tells on which side of the split a ranking is", async () => {
  const questions = Array.from({ length: 20 }, (_, i) => `question ${i}`);
  const trained = questions.filter(
    (content) => splitOfMessages([{ role: "user", content }]) === "train",
  );
  const [a, b, c] = trained.map((content): RankedPrompt => {
    return { prompt: [{ role: "user", content }], responses: ["yes", "no"], ranking: [[0], [1]] };
  }) as [RankedPrompt, RankedPrompt, RankedPrompt];
  const hashOf = async (train: RankedPrompt[], test: RankedPrompt[]): Promise<string> => {
    const sources = [sourceOf(train, "train"), sourceOf(test, "test")];
    return (await loadRankings(sources, chatTokenizer, options, silent)).hash;
  };
  assert.equal(await hashOf([a], [b, c]), await hashOf([a], [b, c]));
  assert.notEqual(await hashOf([a], [b, c]), await hashOf([a, b], [c]));
});

function sourceOf(rankings: readonly RankedPrompt[], use: "train" | "test"): RankingSource {
  async function* read(counts: RowCounts): AsyncGenerator<RankedPrompt> {
    counts.rows += rankings.length;
    counts.kept += rankings.length;
    yield* rankings;
  }
  return { name: use, licence: "none", card: "By hand.", use, read };
}
