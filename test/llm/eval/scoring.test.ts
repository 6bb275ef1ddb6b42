/** Each scoring function on cases worked by hand. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { Message } from "../../../src/llm/chat/conversation.ts";
import { hasNumber, isExactMatch } from "../../../src/llm/eval/answers.ts";
import {
  centred,
  choiceSpans,
  lowest,
  meanLoss,
  schemaSpans,
} from "../../../src/llm/eval/choice.ts";
import { passAtK, passSizes } from "../../../src/llm/eval/pass-at-k.ts";
import { rankedRight } from "../../../src/llm/eval/preferences.ts";

test("choices are scored after what all of them share", () => {
  assert.deepEqual(
    choiceSpans([
      [9, 1, 2, 5],
      [9, 1, 2, 6, 7],
    ]),
    [
      { start: 3, end: 4 },
      { start: 3, end: 5 },
    ],
  );
  // One choice begins the other: its last token counts all the same.
  assert.deepEqual(
    choiceSpans([
      [9, 1, 5],
      [9, 1, 5, 6],
    ]),
    [
      { start: 2, end: 3 },
      { start: 3, end: 4 },
    ],
  );
  // Nothing shared and no start-of-text token: the first token has nothing before it.
  assert.deepEqual(choiceSpans([[1, 2], [3]]), [
    { start: 1, end: 2 },
    { start: 1, end: 1 },
  ]);
});

test("a schema is scored on the end that all share", () => {
  assert.deepEqual(
    schemaSpans([
      [9, 1, 7, 8],
      [9, 2, 3, 7, 8],
    ]),
    [
      { start: 2, end: 4 },
      { start: 3, end: 5 },
    ],
  );
});

test("mean loss of a span, in nats per token; the lowest wins, the first of equals", () => {
  const logprobs = Float32Array.of(-1, -2, -4);
  assert.equal(meanLoss(logprobs, { start: 2, end: 4 }), 3);
  assert.equal(meanLoss(logprobs, { start: 1, end: 2 }), 1);
  // A long choice is not punished for its length: 2 per token against 2.5.
  assert.equal(lowest([2.5, 2, 2]), 1);
});

test("centred accuracy: chance is 0, perfect is 1", () => {
  assert.equal(centred(0.25, 0.25), 0);
  assert.equal(centred(1, 0.25), 1);
  assert.equal(centred(0.625, 0.25), 0.5);
  assert.equal(centred(0, 0.5), -1);
});

test("exact match ignores case, articles, punctuation, and nothing else", () => {
  assert.ok(isExactMatch(" The Onion.", ["Bulb onion", "onion"]));
  assert.ok(isExactMatch("AC/DC", ["ac dc"]));
  assert.ok(isExactMatch("A", ["a"]));
  assert.ok(!isExactMatch("an onion ring", ["onion"]));
  assert.ok(!isExactMatch("", [""]));
});

const numbers: readonly [string, string | undefined][] = [
  ["16 - 3 - 4 = <<16-3-4=9>>9 eggs.\n#### 18", "18"],
  ["It costs $1,234.50.", "1234.5"],
  ["25 - 759 = -734", "-734"],
  ["16-3", "3"],
  ["x is −7, I think", "-7"],
  ["007.0", "7"],
  ["-0", "0"],
  ["none at all", undefined],
];

for (const [text, expected] of numbers)
  test(`the last number of ${JSON.stringify(text)}`, () => {
    assert.equal(hasNumber(text, expected ?? "0"), expected !== undefined);
    assert.ok(!hasNumber(text, `${expected ?? ""}1`));
  });

test("an answer is found by its number", () => {
  assert.ok(hasNumber("So she makes 18 dollars.", "9 * 2 = 18\n#### 18"));
  assert.ok(!hasNumber("18 or 19", "18"));
  assert.ok(!hasNumber("no idea", "no number"));
});

test("pass@k of Chen et al. by counting subsets", () => {
  assert.equal(passAtK(5, 0, 3), 0);
  assert.equal(passAtK(5, 5, 1), 1);
  // Of the 10 pairs of 5 replies, one holds neither of 3 right ones.
  assert.ok(Math.abs(passAtK(5, 3, 2) - 0.9) < 1e-12);
  // Of the 10 triples, C(3, 3) = 1 is all wrong with 2 right ones.
  assert.ok(Math.abs(passAtK(5, 2, 3) - 0.9) < 1e-12);
  assert.ok(Math.abs(passAtK(200, 7, 1) - 7 / 200) < 1e-12);
  assert.deepEqual(passSizes(1), [1]);
  assert.deepEqual(passSizes(8), [1, 2, 4, 8]);
  assert.deepEqual(passSizes(6), [1, 2, 4, 6]);
});

test("rankings: all pairs of different groups, ties of rewards are half right", () => {
  const prompt: Message[] = [{ role: "user", content: "?" }];
  const ranked = { prompt, responses: ["a", "b", "c", "d"], ranking: [[2], [0, 1], [3]] };
  // c>a c>b c>d a>d b>d, and a = b is no pair.
  assert.equal(rankedRight(ranked, [1, 1, 2, 0]), 1);
  assert.equal(rankedRight(ranked, [0, 0, 0, 0]), 0.5);
  // a>d only, and b = d.
  assert.equal(rankedRight(ranked, [3, 1, 0, 1]), 1.5 / 5);
});
