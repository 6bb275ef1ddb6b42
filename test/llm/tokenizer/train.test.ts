/**
 * Training against a trainer that recounts every pair before every merge, for each tie rule; the
 * same merges from worker threads as from one; the textbook example by hand.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import type { TieRule } from "../../../src/llm/tokenizer/learn-merges.ts";
import { compilePattern, GPT2_PATTERN, SPLIT_PATTERN } from "../../../src/llm/tokenizer/pattern.ts";
import { trainBpe } from "../../../src/llm/tokenizer/train.ts";
import { trainBpeTeam } from "../../../src/llm/tokenizer/train-team.node.ts";
import { createWordCounter, mergeWordCounts } from "../../../src/llm/tokenizer/word-counts.ts";

interface SlowPair {
  readonly left: number;
  readonly right: number;
  count: number;
}

const RULES: readonly TieRule[] = ["smaller-ids", "first-seen", "larger-bytes"];

/** Whether a is merged before b; both occur equally often, a was seen before b. */
const beforeEqual: Record<TieRule, (a: SlowPair, b: SlowPair, tokens: Buffer[]) => boolean> = {
  "smaller-ids": (a, b) => a.left < b.left || (a.left === b.left && a.right < b.right),
  "first-seen": () => true,
  "larger-bytes": (a, b, tokens) => {
    const compare = (x: number, y: number) =>
      Buffer.compare(tokens[x] as Buffer, tokens[y] as Buffer);
    return (compare(a.left, b.left) || compare(a.right, b.right)) > 0;
  },
};

/** The definition, without any bookkeeping: every text is kept as the list of all its words. */
function slowMerges(texts: readonly string[], mergeCount: number, ties: TieRule): number[][] {
  const pattern = compilePattern(SPLIT_PATTERN);
  let words = texts
    .flatMap((text) => text.match(pattern) ?? [])
    .map((word) => [...Buffer.from(word)]);
  const tokens = Array.from({ length: 256 }, (_, byte) => Buffer.of(byte));
  const merges: number[][] = [];
  while (merges.length < mergeCount) {
    const best = countPairs(words).reduce<SlowPair | undefined>((top, pair) => {
      if (top === undefined || pair.count > top.count) return pair;
      return pair.count < top.count || beforeEqual[ties](top, pair, tokens) ? top : pair;
    }, undefined);
    if (best === undefined || best.count < 2) break;
    const { left, right } = best;
    merges.push([left, right, tokens.length]);
    words = words.map((word) => mergeAll(word, left, right, tokens.length));
    tokens.push(Buffer.concat([tokens[left] as Buffer, tokens[right] as Buffer]));
  }
  return merges;
}

/** In the order in which the pairs stand in the text. */
function countPairs(words: readonly number[][]): SlowPair[] {
  const pairs = new Map<string, SlowPair>();
  for (const word of words) {
    for (let i = 0; i + 1 < word.length; i++) {
      const [left, right] = word.slice(i, i + 2) as [number, number];
      const pair = pairs.get(`${left},${right}`) ?? { left, right, count: 0 };
      pair.count++;
      pairs.set(`${left},${right}`, pair);
    }
  }
  return [...pairs.values()];
}

function mergeAll(word: readonly number[], left: number, right: number, token: number): number[] {
  const merged: number[] = [];
  for (let i = 0; i < word.length; i++) {
    const hit = word[i] === left && word[i + 1] === right;
    merged.push(hit ? token : (word[i] as number));
    if (hit) i++;
  }
  return merged;
}

const anyTexts = fc.array(
  fc
    .array(fc.constantFrom("a", "b", "c", "ab", " ", "é", "aa", "aaaa", " ab", "ba"), {
      maxLength: 40,
    })
    .map((parts) => parts.join("")),
  { maxLength: 6 },
);

for (const ties of RULES) {
  test(`training equals recounting every pair before every merge, ties to ${ties}`, () => {
    fc.assert(
      fc.property(anyTexts, fc.integer({ min: 0, max: 14 }), (texts, mergeCount) => {
        const options = { vocabSize: 256 + mergeCount, specialTokens: [], ties };
        const { merges } = trainBpe(texts, options).vocabulary;
        assert.deepEqual(merges, slowMerges(texts, mergeCount, ties));
      }),
      { numRuns: 400 },
    );
  });
}

test("the tie rules differ where they should", () => {
  const merged = (ties: TieRule) =>
    trainBpe(["ab ab cd cd"], { vocabSize: 257, specialTokens: [], ties }).vocabulary.merges[0];
  const [blank, a, b, c, d] = [32, 97, 98, 99, 100];
  assert.deepEqual(merged("smaller-ids"), [blank, c, 256]);
  assert.deepEqual(merged("first-seen"), [a, b, 256]);
  assert.deepEqual(merged("larger-bytes"), [c, d, 256]);
});

test("the textbook example: aaabdaaabac with three merges", () => {
  const tokenizer = trainBpe(["aaabdaaabac"], { vocabSize: 259, specialTokens: [] });
  assert.deepEqual(tokenizer.encode("aaabdaaabac"), [258, 100, 258, 97, 99]);
  assert.equal(tokenizer.decode([258, 100, 258, 97, 99]), "aaabdaaabac");
});

/** About 1.5 MB in many documents whose words come and go, so that each job sees other words first. */
function* manyTexts(): Generator<string> {
  let state = 7;
  const next = (below: number) => {
    state = (state * 48271) % 0x7fffffff;
    return state % below;
  };
  for (let document = 0; document < 150; document++) {
    const words = Array.from({ length: 1500 }, () => `w${next(40 + 20 * document).toString(36)}`);
    yield `${words.join(" ")}\n日本語 ${"é".repeat(document)}`;
  }
}

test("any number of threads gives the same tokenizer", async () => {
  for (const ties of RULES) {
    const options = { vocabSize: 600, ties };
    const alone = trainBpe(manyTexts(), options).vocabulary;
    for (const threads of [1, 3]) {
      assert.deepEqual((await trainBpeTeam(manyTexts(), options, threads)).vocabulary, alone);
    }
  }
});

test("counts of jobs merge into the order of the whole text, whoever counted which job", () => {
  const jobs = ["b a", "c b", "a d c", "e a"];
  const whole = createWordCounter(GPT2_PATTERN);
  for (const [job, text] of jobs.entries()) whole.add(text, job);
  fc.assert(
    fc.property(fc.array(fc.nat(2), { minLength: 4, maxLength: 4 }), (owners) => {
      const parts = [0, 1, 2].map((owner) => {
        const counter = createWordCounter(GPT2_PATTERN);
        for (const [job, text] of jobs.entries()) if (owners[job] === owner) counter.add(text, job);
        return counter.result();
      });
      assert.deepEqual(mergeWordCounts(parts), whole.result());
    }),
  );
});

test("texts may come from a stream, and an empty one leaves the bytes", async () => {
  const stream = async function* () {
    yield "ab ab ab";
  };
  const tokenizer = await trainBpeTeam(stream(), { vocabSize: 300 }, 2);
  assert.deepEqual(tokenizer.vocabulary.merges, [
    [97, 98, 256],
    [32, 256, 257],
  ]);
  const empty = await trainBpeTeam([], { vocabSize: 300 }, 2);
  assert.equal(empty.vocabSize, 257);
  assert.equal(empty.bos, 256);
});

test("a vocabulary without room is refused before any text is read", async () => {
  const wrong = { code: "TOKENIZER", message: /at least 257.*got 256/ };
  const unread = (): Iterable<string> => ({
    [Symbol.iterator]() {
      throw new Error("text was read");
    },
  });
  assert.throws(() => trainBpe(unread(), { vocabSize: 256 }), wrong);
  await assert.rejects(trainBpeTeam(unread(), { vocabSize: 256 }, 1), wrong);
});

test("a failing stream of texts fails the training and leaves no thread behind", async () => {
  const torn = async function* () {
    yield "text";
    throw new Error("the source vanished");
  };
  await assert.rejects(trainBpeTeam(torn(), { vocabSize: 300 }, 2), /the source vanished/);
});
