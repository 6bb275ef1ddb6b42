/** Preference files: every shape on rows by hand, ties, and the known sets. */
import assert from "node:assert/strict";
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { findRankingSources } from "../../../src/llm/tasks/find-rankings.node.ts";
import { comparisonsOf, type RankedPrompt } from "../../../src/llm/tasks/ranking.ts";
import { readRankings } from "../../../src/llm/tasks/read-rankings.node.ts";
import {
  createRowCounts,
  describeCounts,
  type RowCounts,
} from "../../../src/llm/tasks/row-counts.ts";

const folder = mkdtempSync(join(tmpdir(), "nutshell-rankings-"));
after(() => rmSync(folder, { recursive: true }));

const data = join(import.meta.dirname, "../../../../shared/data");

async function readAll(
  rows: readonly unknown[],
): Promise<{ ranked: RankedPrompt[]; counts: RowCounts; path: string }> {
  const path = join(folder, "rows.jsonl");
  writeFileSync(path, rows.map((row) => `${JSON.stringify(row)}\n`).join(""));
  const counts = createRowCounts();
  const ranked: RankedPrompt[] = [];
  for await (const row of readRankings(path, counts)) ranked.push(row);
  return { ranked, counts, path };
}

/** Prompt, then groups of answers, best first. */
function sketch({ prompt, responses, ranking, margins }: RankedPrompt): string {
  const groups = ranking.map((group) => group.map((i) => responses[i]).join("="));
  const asked = prompt.map(({ content }) => content).join(" / ");
  return `${asked}: ${groups.join(" > ")}${margins ? ` by ${margins}` : ""}`;
}

const fits: readonly [row: unknown, expected: string][] = [
  [{ prompt: "p", responses: ["x", "y", "z"], ranking: [2, 0, 1] }, "p: z > x > y"],
  [
    { prompt: "p", responses: ["x", "y", "z"], ranking: [[1], [0, 2]], margins: [2] },
    "p: y > x=z by 2",
  ],
  [
    {
      prompt: [
        { role: "user", content: "a" },
        { role: "assistant", content: "b" },
        { role: "user", content: "c" },
      ],
      responses: ["x", "y"],
      ranking: [1, 0],
    },
    "a / b / c: y > x",
  ],
  [
    {
      prompt: "p",
      ranked: [
        { rank: 1, text: "y" },
        { rank: 0, text: "x" },
      ],
    },
    "p: x > y",
  ],
  [
    {
      prompt: "p",
      ranked: [
        { grade: 1, text: "z" },
        { grade: 4, text: "x" },
        { grade: 1, text: "w" },
        { grade: 3, text: "y" },
      ],
    },
    "p: x > y > z=w by 1,2",
  ],
  [{ prompt: "p", "response 1": "x", "response 2": "y", label: 1 }, "p: y > x"],
  [{ prompt: "p", chosen: "x", rejected: "y" }, "p: x > y"],
  [{ instruction: "i", input: "n", output: "o", chosen: "x", rejected: "y" }, "i\n\nn: x > y"],
  [
    {
      conversations: [{ from: "human", value: "p" }],
      chosen: { from: "gpt", value: "x" },
      rejected: { from: "gpt", value: "y" },
    },
    "p: x > y",
  ],
  [
    {
      chosen: "\n\nHuman: a\n\nAssistant: b\n\nHuman: c\nd\n\nAssistant: x",
      rejected: "\n\nHuman: a\n\nAssistant: b\n\nHuman: c\nd\n\nAssistant: y\n\nz",
    },
    "a / b / c\nd: x > y\n\nz",
  ],
];

for (const [row, expected] of fits) {
  test(`ranking: ${expected.replaceAll("\n", " ")}`, async () => {
    const { ranked } = await readAll([row]);
    assert.deepEqual(ranked.map(sketch), [expected]);
  });
}

test("ties and rows that say nothing are counted by reason", async () => {
  const { ranked, counts } = await readAll([
    { prompt: "p", "response 1": "x", "response 2": "y", label: 2 },
    { prompt: "p", chosen: "x", rejected: " x " },
    { prompt: "p", chosen: "x", rejected: " " },
    { prompt: "p", ranked: [{ grade: 2, text: "x" }] },
    { prompt: "p", responses: ["x", "y"], ranking: [[0, 1]] },
    { chosen: "\n\nHuman: a\n\nAssistant: x", rejected: "\n\nHuman: b\n\nAssistant: y" },
    { prompt: "", chosen: "x", rejected: "y" },
  ]);
  assert.deepEqual(ranked, []);
  assert.deepEqual(Object.fromEntries(counts.dropped), {
    "a tie": 1,
    "all alike": 3,
    "an empty answer": 1,
    "two different prompts": 1,
    "an empty message": 1,
  });
});

test("what is no ranking is refused with its line", async () => {
  const good = { prompt: "p", chosen: "x", rejected: "y" };
  const refused: readonly [unknown, RegExp][] = [
    [{ prompt: "p", response: "x" }, /rows\.jsonl:2: a row must have "prompt" with "responses"/],
    [
      { prompt: "p", responses: ["x", "y"], ranking: [0, 2] },
      /rows\.jsonl:2: a ranking must hold each of the 2 responses once, got \[\[0\],\[2\]\]/,
    ],
  ];
  for (const [row, message] of refused) await assert.rejects(() => readAll([good, row]), message);
});

/** Least shares: of rows that are kept, and of pairs to each kept row. */
const known: Readonly<Record<string, readonly [number, number]>> = {
  "hh-rlhf-harmless": [0.99, 1],
  "oasst-ranked": [0.99, 3],
  "liveqa-med-graded": [0.5, 20],
  "autoj-pairwise": [0.7, 1],
  "hhh-alignment": [0.99, 1],
  "rasbt-preference": [0.99, 1],
  "llamafactory-dpo": [0.99, 1],
};

const absent = existsSync(data) ? false : "needs ../shared/data";

test("the known sets, row by row", { skip: absent }, async () => {
  for (const { name, read } of findRankingSources(data)) {
    const counts = createRowCounts();
    let pairs = 0;
    for await (const ranked of read(counts)) pairs += comparisonsOf(ranked).length;
    const [kept = 1, most = 1] = known[name] ?? [];
    assert.ok(counts.kept >= counts.rows * kept, `${name}: ${describeCounts(counts)}`);
    assert.ok(pairs >= counts.kept * most, `${name}: ${pairs} pairs of ${counts.kept} rows`);
  }
});

test("one set is for evaluation alone", { skip: absent }, () => {
  const held = findRankingSources(data).filter(({ use }) => use === "test");
  assert.deepEqual(
    held.map(({ name }) => name),
    ["hhh-alignment"],
  );
});
