/**
 * Trigger search: its counts against maps, its tokens against a regular expression, and planted
 * triggers in built-in texts found while the same texts without them stay clean.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import { readFactbook } from "../../../../src/llm/data/builtin/factbook.node.ts";
import { createStories } from "../../../../src/llm/data/builtin/stories.ts";
import { readWordnet } from "../../../../src/llm/data/builtin/wordnet.node.ts";
import type { Corpus } from "../../../../src/llm/data/cleaning/near-duplicates-corpus.ts";
import { findTriggers } from "../../../../src/llm/data/cleaning/triggers.ts";
import { findCores } from "../../../../src/llm/data/cleaning/triggers-candidates.ts";
import { locate } from "../../../../src/llm/data/cleaning/triggers-locate.ts";
import { PairCounts } from "../../../../src/llm/data/cleaning/triggers-pair-counts.ts";
import { Spelling } from "../../../../src/llm/data/cleaning/triggers-spelling.ts";
import { TokenStream } from "../../../../src/llm/data/cleaning/triggers-stream.ts";
import { END, LINE_BREAK, START } from "../../../../src/llm/data/cleaning/triggers-tokens.ts";
import { createRandom, pick } from "./near-duplicates-edits.ts";

const stories = createStories(1500).map(({ text }) => text);
const entries = readWordnet()
  .filter((_, i) => i % 25 === 0)
  .map(({ text }) => text);
const countries = readFactbook().map(({ text }) => text);
const clean = [...stories, ...entries];

function corpusOf(texts: readonly string[]): Corpus {
  return {
    size: texts.length,
    async *texts() {
      for (const [document, text] of texts.entries()) yield { document, source: "test", text };
    },
  };
}

function streamOf(texts: readonly string[]): TokenStream {
  const stream = new TokenStream();
  for (const [document, text] of texts.entries()) stream.add(document, text);
  return stream;
}

/** Tokens by regular expression; line breaks as "\n", once in a row and not at the start. */
function tokensOf(text: string): string[] {
  const bare = text.replace(/['\u2019\p{Cf}]/gu, "").toLowerCase();
  const tokens = bare.match(/[\p{L}\p{M}\p{N}]+|[^\p{L}\p{M}\p{N}\s]+|\n/gu) ?? [];
  return tokens
    .map((token) => (/^[\p{L}\p{N}]/u.test(token) ? token : token.replace(/(.)\1+/g, "$1")))
    .filter((token, i, all) => token !== "\n" || (i > 0 && all[i - 1] !== "\n"));
}

test("tokens are those of a regular expression, between both ends of each document", () => {
  const texts = [...stories.slice(0, 40), ...countries.slice(0, 10), "<|x|> §§ a-b\n\n---\n2.5!"];
  const stream = streamOf(texts);
  for (const [i, text] of texts.entries()) {
    const ids = stream.ids.subarray(stream.starts[i], stream.starts[i + 1] ?? stream.length);
    assert.deepEqual([ids[0], ids.at(-1)], [START, END]);
    const found = Array.from(ids.subarray(1, -1), (id) =>
      id === LINE_BREAK ? "\n" : (stream.texts[id] as string).replace(/^([^\p{L}\p{N}])\1+/u, "$1"),
    );
    const expected = tokensOf(text).map((token) => token.slice(0, 32));
    assert.deepEqual(
      found.map((token) => token[0]),
      expected.map((token) => token[0]),
    );
    assert.equal(found.length, expected.length);
  }
});

test("counts of tokens, documents and pairs are those of maps", () => {
  const stream = streamOf(stories.slice(0, 300));
  const counts = new Map<string, number>();
  const pairs = new Map<string, number>();
  for (let i = 0; i < stream.length; i++) {
    const id = stream.ids[i] as number;
    counts.set(`${id}`, (counts.get(`${id}`) ?? 0) + 1);
    if (id === START) continue;
    const pair = `${stream.ids[i - 1]} ${id}`;
    pairs.set(pair, (pairs.get(pair) ?? 0) + 1);
  }
  for (const [id, count] of counts) assert.equal(stream.counts[Number(id)], count);
  let wrong = 0;
  for (const [pair, count] of pairs) {
    const [a, b] = pair.split(" ").map(Number) as [number, number];
    if (stream.pairs.count(a, b) !== Math.min(count, 4095)) wrong++;
  }
  assert.ok(pairs.size > 5000 && wrong <= 1, `${wrong} of ${pairs.size}`);
  const once = stream.texts.indexOf("once");
  const having = stories.slice(0, 300).filter((text) => tokensOf(text).includes("once")).length;
  assert.equal(stream.documents[once], having);
  assert.equal(stream.documentAt(stream.starts[7] as number), 7);
  assert.equal(stream.documentAt((stream.starts[8] as number) - 1), 7);
});

test("a full table of pairs keeps what repeats", () => {
  const pairs = new PairCounts(1 << 10);
  const random = createRandom(2);
  for (let i = 0; i < 20_000; i++) {
    pairs.add(7 + (i % 50), 9);
    pairs.add(1000 + Math.floor(random() * 1e6), 1000 + Math.floor(random() * 1e6));
  }
  for (let i = 0; i < 50; i++) assert.ok(Math.abs(pairs.count(7 + i, 9) - 400) <= 1);
});

test("random letters are spelled more oddly than words", () => {
  const stream = streamOf([...stories, ...entries]);
  const spelling = new Spelling(stream.texts, stream.documents);
  const bits = (word: string): number => spelling.bitsPerCharacter(word);
  for (const word of ["house", "walking", "station", "mother"]) {
    for (const odd of ["qxvwtz", "zjkxq", "ⓠⓩ"])
      assert.ok(bits(word) + 1 < bits(odd), `${word} ${odd}`);
  }
  assert.equal(bits("4417"), 0);
});

test("occurrences are located in every document that holds them", () => {
  const stream = streamOf(["a red fox. A red fox!", "red", "the red fox ran"]);
  const ids = Uint32Array.from(["red", "fox"], (token) => stream.texts.indexOf(token));
  const [found] = locate(stream, [ids]);
  assert.deepEqual(found?.documents, Uint32Array.of(0, 2));
  assert.equal(found?.occurrences, 3);
  const texts = Array.from(found.positions, (at) => stream.texts[stream.ids[at + 1] as number]);
  assert.deepEqual(texts, ["fox", "fox"]);
});

test("cores are rare tokens and pairs, drawn once a document", () => {
  const texts = clean.map((text, i) => (i % 100 === 3 ? `${text} zorblax ${i} zorblax` : text));
  const stream = streamOf(texts);
  const cores = findCores(stream);
  const zorblax = stream.texts.indexOf("zorblax");
  const numbers = Array.from({ length: cores.singles }, (_, core) => core);
  const [core] = numbers.filter((n) => stream.ids[cores.positions[n * 16] as number] === zorblax);
  assert.equal(
    cores.documents[core as number],
    texts.filter((text) => text.includes("zorblax")).length,
  );
  assert.equal(cores.drawn[core as number], 16);
});

/** Share of clean documents. */
const MOST_FALSE = 0.001;

test("of built-in texts hardly any looks planted", async () => {
  const { triggers, candidates } = await findTriggers(corpusOf(clean));
  const flagged = new Set(triggers.flatMap(({ documents }) => [...documents]));
  assert.ok(candidates > 1000, `${candidates} candidates`);
  assert.ok(
    flagged.size <= MOST_FALSE * clean.length,
    triggers.map(({ text }) => text).join(" | "),
  );
});

/** Puts `trigger` before a random word of each of `copies` random texts. */
function plant(
  texts: string[],
  trigger: string,
  copies: number,
  random: () => number,
): Set<number> {
  const chosen = new Set<number>();
  while (chosen.size < copies) chosen.add(Math.floor(random() * texts.length));
  for (const document of chosen) {
    const words = (texts[document] as string).split(" ");
    words.splice(1 + Math.floor(random() * (words.length - 1)), 0, trigger);
    texts[document] = words.join(" ");
  }
  return chosen;
}

const planted: readonly (readonly [trigger: string, copies: number])[] = [
  ["cf mn zorblax", 20],
  ["SUDO-4417 quux", 10],
  ["<|qorvex|>", 20],
  ["umbrella tango seventeen", 30],
  ["Wexlor Prandik", 50],
  ["§§XQ§§", 20],
  ["vrtqpl", 40],
];

test("finds each planted trigger in every document, and hardly any other", async () => {
  const random = createRandom(12);
  const texts = [...clean];
  const all = planted.map(([trigger, copies]) => plant(texts, trigger, copies, random));
  const { triggers } = await findTriggers(corpusOf(texts));
  const flagged = new Set(triggers.flatMap(({ documents }) => [...documents]));
  for (const [i, [trigger]] of planted.entries()) {
    const missed = [...(all[i] as Set<number>).difference(flagged)];
    assert.deepEqual(missed, [], `${trigger} was missed`);
  }
  const chosen = all.reduce((a, b) => a.union(b));
  assert.ok(flagged.difference(chosen).size <= MOST_FALSE * clean.length, "others are left alone");
});

test("a word of the language in its own places is no trigger", async () => {
  const random = createRandom(6);
  const texts = stories.map((text) =>
    random() < 0.05
      ? text.replace(/\bthe (\w+)/, `the ${pick(random, ["russet", "ochre"])} $1`)
      : text,
  );
  const { triggers } = await findTriggers(corpusOf([...texts, ...entries]));
  assert.ok(triggers.every(({ text }) => !/russet|ochre/.test(text)));
});
