/**
 * Decontamination against a search by strings, the forms in which rows are planted, and what is
 * dropped, cut or left alone.
 */
import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { gzipSync } from "node:zlib";
import { readFactbook } from "../../../../src/llm/data/builtin/factbook.node.ts";
import { createStories } from "../../../../src/llm/data/builtin/stories.ts";
import {
  buildEvalIndex,
  type EvalIndex,
  findEvalHits,
  HIT_FIELDS,
} from "../../../../src/llm/data/cleaning/decontaminate.ts";
import { rowForms } from "../../../../src/llm/data/cleaning/decontaminate-forms.ts";
import {
  type ContaminationReport,
  cutRanges,
  judgeContamination,
} from "../../../../src/llm/data/cleaning/decontaminate-judge.ts";
import { readEvalIndex } from "../../../../src/llm/data/cleaning/decontaminate-sets.node.ts";
import { contentWords } from "../../../../src/llm/data/cleaning/decontaminate-words.ts";
import { createRandom, pick } from "./near-duplicates-edits.ts";

const stories = createStories(300).map(({ text }) => text);
const factbook = readFactbook().map(({ text }) => text);
const long = factbook.join("\n\n").slice(0, 30_000);

function indexOf(rows: readonly Record<string, unknown>[]): EvalIndex {
  return buildEvalIndex("", [{ name: "test.jsonl", rows }]);
}

function judge(texts: readonly string[], index: EvalIndex): ContaminationReport {
  const documents = texts.map((text, document) => ({
    document,
    textLength: text.length,
    hits: findEvalHits(text, index),
  }));
  return judgeContamination(
    documents.filter(({ hits }) => hits.length > 0),
    index,
  );
}

/** Words by regular expression, as strings: the oracle. */
function wordsOf(text: string): string[] {
  const bare = text.replace(/['\u2019\p{Cf}]/gu, "").toLowerCase();
  const words = bare.match(/[\p{L}\p{M}\p{N}]+/gu) ?? [];
  return words.filter((word) => !/^([a-z]|question|answer|choices|context|sentence)$/.test(word));
}

const hasContent = (gram: readonly string[]): boolean =>
  new Set(gram.filter((word) => word.length >= 3)).size >= 4;

/** All windows of 13 words with content, joined. */
function gramsOf(text: string): Set<string> {
  const words = wordsOf(text);
  const windows = words.slice(12).map((_, i) => words.slice(i, i + 13));
  return new Set(windows.filter(hasContent).map((window) => window.join(" ")));
}

test("content words are those of a regular expression", () => {
  for (const text of [
    ...stories.slice(0, 50),
    "A. yes B) no C: it's 5 Question:",
    factbook[0] as string,
  ]) {
    const { count, starts, ends } = contentWords(text);
    const found = Array.from({ length: count }, (_, i) => text.slice(starts[i], ends[i]));
    assert.deepEqual(found.flatMap(wordsOf), wordsOf(text));
  }
});

test("hits are those of a search by strings, at every place", () => {
  const random = createRandom(4);
  const rows = stories.slice(0, 100).map((text) => ({ text: text.slice(0, 300 + 500 * random()) }));
  const index = indexOf(rows);
  const planted = stories.slice(100).map((text) => {
    const words = pick(random, rows).text.split(" ");
    const from = Math.floor(random() * words.length);
    const piece = words.slice(from, from + 5 + Math.floor(random() * 20)).join(" ");
    return text.slice(0, 200) + piece.toUpperCase() + text.slice(200);
  });
  const grams = new Set(rows.flatMap(({ text }) => [...gramsOf(text)]));
  let total = 0;
  for (const text of planted) {
    const words = wordsOf(text);
    const expected = words.flatMap((_, i) =>
      grams.has(words.slice(i, i + 13).join(" ")) ? [words.slice(i, i + 13).join(" ")] : [],
    );
    const hits = findEvalHits(text, index);
    const found: string[] = [];
    for (let i = 0; i < hits.length; i += HIT_FIELDS) {
      found.push(wordsOf(text.slice(hits[i + 2], hits[i + 3])).join(" "));
    }
    assert.deepEqual(found, expected);
    total += found.length;
  }
  assert.ok(total > 300, `${total} hits`);
});

const passage =
  "Quiet rivers carry heavy stones farther than any angry flood ever could manage alone today";

/** Every shape of row, and the ways in which somebody would paste it into a text. */
const shapes: readonly (readonly [row: Record<string, unknown>, pasted: readonly string[]])[] = [
  [
    {
      query: "Which planet has the most known moons in 2024?",
      choices: ["Saturn with rings", "Mars", "Venus"],
      gold: 0,
    },
    [
      "Which planet has the most known moons in 2024?",
      "Question: Which planet has the most known moons in 2024?\nAnswer: Saturn with rings",
      "Which planet has the most known moons in 2024?\nA. Saturn with rings\nB. Mars\nC. Venus",
    ],
  ],
  [
    {
      subject: "law",
      question: "Who wins the appeal?",
      choices: [
        "the tenant who paid late rent",
        "the owner of the house",
        "nobody at all",
        "both of them equally",
      ],
      answer: 1,
    },
    [
      "Who wins the appeal? the tenant who paid late rent, the owner of the house, nobody at all, both of them equally",
      "Who wins the appeal?\nA) the tenant who paid late rent\nB) the owner of the house\nC) nobody at all\nD) both of them equally\nAnswer: B",
      "Who wins the appeal? the owner of the house",
    ],
  ],
  [
    { context: "The river town held its summer fair", continuation: "beside the old stone bridge" },
    ["the river town held its summer fair beside the old stone bridge"],
  ],
  [
    {
      context_options: [
        "The trophy did not fit because the trophy",
        "The trophy did not fit because the suitcase",
      ],
      continuation: "was much too small",
      gold: 1,
    },
    ["The trophy did not fit because the suitcase was much too small"],
  ],
  [
    {
      question: "Can people breathe under water without tools?",
      best_answer: "No they cannot",
      correct: ["No"],
    },
    ["Question: Can people breathe under water without tools? Answer: No they cannot"],
  ],
  [
    {
      task_id: 7,
      text: "Write a function",
      code: "def largest_even_number(values): return max(value for value in values if value % 2 == 0)",
    },
    ["def largest_even_number(values): return max(value for value in values if value % 2 == 0)"],
  ],
  [
    { input: "Today is the third of March. What day comes after tomorrow", target: "the fifth" },
    ["Today is the third of March. What day comes after tomorrow? the fifth"],
  ],
  [{ unknown: { deep: [passage] } }, [passage]],
];

for (const [row, pasted] of shapes) {
  for (const text of pasted) {
    test(`finds ${JSON.stringify(text.slice(0, 50))} alone and inside a story`, () => {
      const index = indexOf([{ query: "an unrelated row of the same set for good measure" }, row]);
      const story = stories[3] as string;
      const inside = `${story.slice(0, 200)} ${text.toUpperCase()} ${story.slice(200)}`;
      const { found } = judge([story, text, inside], index);
      assert.deepEqual(
        found.map(({ document, row }) => [document, row]),
        [
          [1, 1],
          [2, 1],
        ],
      );
      const [start, end] = found[1]?.match ?? [0, 0];
      assert.ok(start >= 195 && end <= 205 + text.length, `${start}..${end}`);
    });
  }
}

test("clean text holds nothing of the evaluation rows", () => {
  const index = indexOf(shapes.map(([row]) => row));
  assert.deepEqual(judge([...stories, ...factbook], index).found, []);
});

test("rows too short to check are counted", () => {
  const rows = [
    { query: "Is it?", choices: ["yes", "no"], gold: 0 },
    { input: "[ [ ( (" },
    {
      grid: [
        [1, 2],
        [3, 4],
      ],
    },
    { text: passage },
  ];
  const [set] = indexOf(rows).sets;
  assert.deepEqual(set, { name: "test.jsonl", firstRow: 0, rows: 4, tooShort: 3 });
});

test("counting and lists of letters are no evidence", () => {
  const counting = Array.from({ length: 40 }, (_, i) => i + 1).join(", ");
  const index = indexOf([{ query: `${counting} ${"true false ".repeat(20)}` }]);
  assert.deepEqual(judge([`Let us count: ${counting}`, "true false ".repeat(30)], index).found, []);
});

test("a manner of asking that many rows share belongs to none of them", () => {
  const query = "Which of the following statements is certainly true";
  const rows = ["north", "south", "east"].map((choice) => ({ query, choices: [choice], gold: 0 }));
  assert.equal(judge([`${query}?`], indexOf(rows)).found.length, 0);
  assert.equal(judge([`${query}?`], indexOf(rows.slice(0, 2))).found.length, 1);
});

test("a short document is dropped, a long one loses the passage and 200 characters on each side", () => {
  const index = indexOf([{ text: passage }]);
  const at = long.indexOf(" ", 12_000);
  const planted = `${long.slice(0, at)} ${passage} ${long.slice(at)}`;
  const { found } = judge([`${stories[0]} ${passage}`, planted], index);
  assert.deepEqual(
    found.map(({ action }) => action),
    ["drop", "cut"],
  );
  const cuts = found[1]?.cuts ?? [];
  assert.deepEqual(cuts, [[at + 1 - 200, at + 1 + passage.length + 200]]);
  const cut = cutRanges(planted, cuts);
  assert.ok(!cut.includes("angry flood"));
  assert.ok(planted.length - cut.length < passage.length + 440);
  assert.ok(cut.startsWith(long.slice(0, 11_700)) && cut.endsWith(long.trimEnd().slice(-5000)));
  assert.equal(judge([cut], index).found.length, 0);
});

test("a long document with more than ten passages is dropped", () => {
  const index = indexOf([{ text: passage }]);
  const piece = long.slice(0, 2000);
  const twelve = Array.from({ length: 12 }, () => `${piece} ${passage} `).join("");
  const ten = Array.from({ length: 10 }, () => `${piece} ${passage} `).join("") + piece;
  assert.deepEqual(
    judge([twelve, ten], index).found.map(({ action, cuts }) => [action, cuts.length]),
    [
      ["drop", 0],
      ["cut", 10],
    ],
  );
});

test("a phrase in more than ten documents is common; a whole row is not, however often copied", () => {
  const phrase = passage.split(" ").slice(0, 14).join(" ");
  const index = indexOf([
    { text: `${phrase} ${stories[5]}` },
    { query: "Who wrote the long letter from the northern islands?" },
  ]);
  const holding = (count: number, text: string): string[] =>
    Array.from({ length: count }, (_, i) => `${stories[20 + i]?.slice(0, 300)} ${text} ${i}`);
  assert.equal(judge(holding(10, phrase), index).found.length, 10);
  const many = judge(holding(11, phrase), index);
  assert.deepEqual([many.found.length, many.commonPhrases], [0, 11]);
  assert.equal(judge(holding(30, stories[5] as string), index).found.length, 30);
  assert.equal(
    judge(holding(30, "who wrote the long letter from the northern islands"), index).found.length,
    30,
  );
});

test("cuts widen to white space and stay apart", () => {
  assert.equal(
    cutRanges("alpha beta gamma delta epsilon", [
      [8, 9],
      [12, 13],
    ]),
    "alpha\n\ndelta epsilon",
  );
  assert.equal(cutRanges("alpha beta", [[0, 10]]), "");
  assert.equal(cutRanges("alpha", []), "alpha");
});

test("forms of a row without a known field: its strings, one by one and together", () => {
  assert.deepEqual(rowForms({ id: "x", one: "first text", two: ["second", { three: "third" }] }), {
    whole: ["first text"],
    long: ["first text second third"],
  });
});

test("sets are read from folders, their hash follows the content, bad files are named", () => {
  const folder = mkdtempSync(join(tmpdir(), "nutshell-eval-"));
  const row = `${JSON.stringify({ text: passage })}\n`;
  writeFileSync(join(folder, "a.jsonl"), row);
  writeFileSync(
    join(folder, "b.jsonl.gz"),
    gzipSync(`${JSON.stringify({ text: stories[0] })}\n\n`),
  );
  writeFileSync(join(folder, "README.md"), "not rows");
  const index = readEvalIndex([folder]);
  assert.deepEqual(
    index.sets.map(({ name, rows }) => [name, rows]),
    [
      ["a.jsonl", 1],
      ["b.jsonl.gz", 1],
    ],
  );
  assert.equal(readEvalIndex([folder]).hash, index.hash);
  assert.equal(judge([passage], readEvalIndex([join(folder, "a.jsonl")])).found.length, 1);
  writeFileSync(join(folder, "a.jsonl"), row.replace("Quiet", "Loud"));
  assert.notEqual(readEvalIndex([folder]).hash, index.hash);
  writeFileSync(join(folder, "a.jsonl"), `${row}{"text": "torn`);
  assert.throws(() => readEvalIndex([folder]), {
    code: "DATA",
    message: /a\.jsonl: line 2: every line must be one JSON value/,
  });
  writeFileSync(join(folder, "a.jsonl"), row);
  writeFileSync(join(folder, "b.jsonl.gz"), gzipSync(row).subarray(0, 30));
  assert.throws(() => readEvalIndex([folder]), {
    code: "DATA",
    message: /b\.jsonl\.gz: a \.gz file must be whole/,
  });
  assert.throws(() => readEvalIndex([join(folder, "none")]), {
    code: "DATA",
    message: /evaluation sets are \.jsonl/,
  });
  rmSync(folder, { recursive: true });
});
