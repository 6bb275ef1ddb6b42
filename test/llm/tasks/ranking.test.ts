/** Rankings: the pairs they imply, margins, ties, and what is refused. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { NutshellError } from "../../../src/error.ts";
import { preference } from "../../../src/llm/tasks/preferences.ts";
import { checkRanking, comparisonsOf, type RankedPrompt } from "../../../src/llm/tasks/ranking.ts";

const ranked = (ranking: number[][], K: number, margins?: number[]): RankedPrompt => ({
  prompt: [{ role: "user", content: "hello" }],
  responses: Array.from({ length: K }, (_, i) => `answer ${i}`),
  ranking,
  ...(margins && { margins }),
});

test("K answers in a row are C(K, 2) pairs, the better one chosen", () => {
  const pairs = comparisonsOf(ranked([[2], [0], [3], [1]], 4));
  const named = pairs.map(({ chosen, rejected }) => `${chosen}>${rejected}`);
  assert.deepEqual(named, ["2>0", "2>3", "2>1", "0>3", "0>1", "3>1"]);
  assert.ok(pairs.every(({ margin }) => margin === 0));
});

test("ties are never compared, margins add up", () => {
  const pairs = comparisonsOf(ranked([[0, 1], [2], [3]], 4, [1, 2]));
  assert.deepEqual(pairs, [
    { chosen: 0, rejected: 2, margin: 1 },
    { chosen: 1, rejected: 2, margin: 1 },
    { chosen: 0, rejected: 3, margin: 3 },
    { chosen: 1, rejected: 3, margin: 3 },
    { chosen: 2, rejected: 3, margin: 2 },
  ]);
});

test("a ranking holds each answer once, in two groups or more", () => {
  checkRanking(ranked([[1], [0, 2]], 3, [0.5]), "row");
  const broken: readonly [RankedPrompt, RegExp][] = [
    [ranked([[0], [1]], 3), /each of the 3 responses once, got \[\[0\],\[1\]\]/],
    [ranked([[0], [0]], 2), /each of the 2 responses once/],
    [ranked([[0], [2]], 2), /each of the 2 responses once/],
    [ranked([[0, 1], []], 2), /each of the 2 responses once/],
    [ranked([[0, 1]], 2), /two groups or more are needed, got one/],
    [ranked([[0], [1]], 2, []), /1 margins of 0 or more are needed, got \[\]/],
    [ranked([[0], [1]], 2, [-1]), /1 margins of 0 or more/],
    [{ ...ranked([[0], [1]], 2), prompt: [] }, /must end with the user, got nothing/],
  ];
  for (const [ranking, message] of broken) {
    assert.throws(
      () => checkRanking(ranking, "row 3"),
      (error) =>
        error instanceof NutshellError && error.code === "DATA" && message.test(error.message),
    );
  }
});

test("built-in preferences: four or five different answers, shuffled, splits apart", () => {
  const prompts = { train: new Set<string>(), test: new Set<string>() };
  const places = [0, 0, 0, 0, 0];
  let pairs = 0;
  for (const split of ["train", "test"] as const) {
    for (let i = 0; i < 1000; i++) {
      const made = preference(i, split, 3);
      checkRanking(made, `${split} ${i}`);
      assert.equal(new Set(made.responses).size, made.responses.length, made.responses.join(" / "));
      assert.ok(made.responses.length === 4 || made.responses.length === 5);
      assert.deepEqual(preference(i, split, 3), made);
      prompts[split].add(JSON.stringify(made.prompt));
      const best = made.ranking[0]?.[0] ?? -1;
      places[best] = (places[best] ?? 0) + 1;
      pairs += comparisonsOf(made).length;
    }
  }
  assert.deepEqual(
    [...prompts.test].filter((prompt) => prompts.train.has(prompt)),
    [],
  );
  assert.ok(places.every((count) => count > 200));
  assert.ok(pairs / 2000 > 7 && pairs / 2000 < 10);
});

test("built-in preferences: length says little about quality", () => {
  let longer = 0;
  let count = 0;
  for (let i = 0; i < 500; i++) {
    const { responses, ranking } = preference(i, "train", 1);
    const [, curt, wrong] = ranking.map(([index]) => responses[index as number] ?? "");
    longer += Number((curt ?? "").length < (wrong ?? "").length);
    count++;
  }
  assert.ok(longer / count > 0.35 && longer / count < 0.65, `${longer} of ${count}`);
});
