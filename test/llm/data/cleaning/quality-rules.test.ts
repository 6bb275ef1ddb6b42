/**
 * Quality rules: prose stays, made garbage goes by the rule that is meant for it, and the counts
 * that rules stand on equal those of slow, obvious code.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { firstBrokenRule, qualityRules } from "../../../../src/llm/data/cleaning/quality-rules.ts";
import { repeatedGrams, repeatedRuns } from "../../../../src/llm/data/cleaning/repetition.ts";
import { createTextShape, measureText } from "../../../../src/llm/data/cleaning/text-shape.ts";
import { type Domain, domains } from "../../../../src/llm/data/sources/source.ts";

const shape = createTextShape();

function ruleOf(text: string, domain: Domain, language: string | undefined = "en") {
  return firstBrokenRule(measureText(text, shape), domain, language)?.rule.name;
}

const sentences = [
  "The river had been rising since the morning, and by noon the lower fields were under water.",
  "Nobody in the village could remember a flood that had come with so little rain before it.",
  "They carried what they could to the school on the hill, where the children thought it a feast.",
  "An old man counted his sheep twice and found that one was missing, and then that it was not.",
  "By evening the wind turned, the clouds broke, and a thin moon looked at itself in the fields.",
  "What have we to be afraid of, said the teacher, that we have not seen and mended already?",
];
const prose = `${sentences.slice(0, 3).join(" ")}\n\n${sentences.slice(3).join(" ")}`;

test("prose stays in every domain", () => {
  for (const domain of domains) assert.equal(ruleOf(prose, domain), undefined, domain);
});

const numbered = (line: (i: number) => string, count = 60): string =>
  Array.from({ length: count }, (_, i) => line(i)).join("\n");

const garbage: readonly [rule: string, domain: Domain, text: string][] = [
  ["empty", "code", " \n\n\t"],
  ["gopher-few-words", "web", "Click here to read more. Next. Back. Home."],
  ["gopher-many-words", "news", "the be to of and word ".repeat(20_001)],
  ["gopher-short-words", "other", numbered((i) => `a b ${i % 7} c d e f`)],
  ["gopher-long-words", "books", numbered((i) => `pneumonoultramicroscopic${i}silico the of`)],
  ["gopher-symbols", "web", `${prose} ${"# ".repeat(40)}`],
  ["gopher-bullets", "news", numbered((i) => `- the point of number ${i} and its words`)],
  [
    "gopher-ellipses",
    "news",
    numbered((i) => `Read on with the long and winding story of number ${i} and of more...`),
  ],
  [
    "gopher-letters",
    "encyclopedia",
    numbered((i) => `${i * 7919} ${i * 3001} the ${i * 1009} total of ${i}`),
  ],
  ["numbers", "science", numbered((i) => `${i * 7919} ${i * 3001} ${i * 1009} of ${i * 1301}`)],
  ["gopher-stop-words", "books", numbered((i) => `zorb klim${i} vrat sno${i}p drell quib`)],
  ["c4-lorem-ipsum", "web", `${prose}\n\nLorem ipsum dolor sit amet.`],
  ["c4-curly-brace", "web", `${prose} ${numbered((i) => `f${i}(){return ${i}}`, 8)}`],
  ["c4-sentences", "web", numbered((i) => `the menu of page ${i} and its many words`)],
  ["c4-boilerplate", "web", numbered((i) => `Please enable JavaScript to see the page ${i}.`, 20)],
  ["fineweb-line-ends", "web", `${prose}\n${numbered((i) => `the heading of part ${i}`)}`],
  ["fineweb-short-lines", "web", `${prose}\n${numbered((i) => `To the item${i} of that.`)}`],
  ["fineweb-repeated-lines", "web", `${prose}\n${`${sentences[0]}\n`.repeat(2)}`],
  ["gopher-repeated-lines", "news", `${prose}\n${"The same again.\n".repeat(9)}`],
  ["repeats", "books", `${sentences[0]} `.repeat(30)],
  ["repeats", "other", "buy cheap pills now and save ".repeat(40)],
];

for (const [rule, domain, text] of garbage) {
  test(`${rule} drops its garbage in ${domain}`, () => assert.equal(ruleOf(text, domain), rule));
}

test("n-gram rules drop text that says a passage twice", () => {
  const rule = ruleOf(`${prose} ${prose}`, "encyclopedia");
  assert.match(rule ?? "", /^gopher-repeated-\d+-grams$/);
  const top = `${prose} ${"Buy it here. ".repeat(14)}`;
  assert.match(ruleOf(top, "news") ?? "", /^gopher-(top|repeated)-\d+-gram/);
});

const verses = [
  "to the river",
  "and the old mill",
  "that was never still",
  "with all of the birds",
];
const refrain = [...sentences, ...verses]
  .map((line, i) => `The ${i}th morning we went ${line}\nRow, row, my sailor, row home.`)
  .join("\n");

const stays: readonly [what: string, domain: Domain, text: string][] = [
  ["code", "code", numbered((i) => `if (a[${i}] === ${i}) { b = a[${i}]; }`)],
  ["a command page", "code", "# ls\n\n> List files.\n\n- All:\n\n`ls {{[-a|--all]}}`"],
  ["a question", "forum", "Question: Who wrote it?\nAnswer: Nobody"],
  ["a dialogue", "dialogue", "A: Hi!\nB: Hi.\nA: Do you like cats?\nB: Yes, I do."],
  ["verse", "books", refrain],
  ["one brace on a page", "web", `${prose}\n\nA set is written {a, b}.`],
];

for (const [what, domain, text] of stays) {
  test(`${what} stays in ${domain}`, () => assert.equal(ruleOf(text, domain), undefined));
}

test("word rules do not judge scripts without spaces", () => {
  const chinese = "昨天晚上城市里下了一场大雨，许多街道都被水淹没了。附近的居民互相帮助。\n".repeat(
    1,
  );
  const many = Array.from({ length: 60 }, (_, i) => `${chinese.trim()}第${i}天。`).join("\n\n");
  assert.equal(ruleOf(many, "encyclopedia", "zh")?.startsWith("gopher-long"), undefined);
  assert.notEqual(ruleOf(many, "books", "zh"), "gopher-long-words");
});

test("stop words are asked of English only", () => {
  const german = numbered((i) => `Zug${i} fährt ohne Halt${i} durch dunkle Täler${i}.`, 20);
  assert.equal(ruleOf(german, "books", "de"), undefined);
  assert.equal(ruleOf(german, "books", "en"), "gopher-stop-words");
});

test("every rule has a test that it fires", () => {
  const tested = new Set(garbage.map(([rule]) => rule));
  const untested = qualityRules.map(({ name }) => name).filter((name) => !tested.has(name));
  for (const name of untested) assert.match(name, /^gopher-(top|repeated)-/);
});

const word = fc.constantFrom("the", "a", "cat", "sat", "on", "mat", "and", "42", "x");
const text = fc
  .array(fc.tuple(word, fc.constantFrom(" ", "\n", "\n\n")), { minLength: 1, maxLength: 60 })
  .map((pairs) => pairs.map(([left, gap]) => left + gap).join(""));

test("counts equal those of split()", () => {
  fc.assert(
    fc.property(text, (sample) => {
      const counted = measureText(sample, shape);
      const words = sample.split(/\s+/).filter((piece) => piece !== "");
      const lines = sample.split("\n").filter((line) => line.trim() !== "");
      assert.equal(counted.words, words.length);
      assert.equal(counted.wordChars, words.join("").length);
      assert.equal(counted.alphabeticWords, words.filter((w) => /[a-z]/.test(w)).length);
      assert.equal(counted.lines.count, lines.length);
      const paragraphs = sample.split(/\n\n+/).filter((block) => block.trim() !== "");
      assert.equal(counted.paragraphs.count, paragraphs.length);
      const repeated = lines.filter(
        (line, i) => lines.findIndex((l) => l.trim() === line.trim()) < i,
      );
      assert.equal(
        repeatedRuns(counted.lines).share,
        lines.length < 2 ? 0 : repeated.length / lines.length,
      );
    }),
  );
});

/** Characters covered by n-grams that were there before, the slow way. */
function coveredByRepeats(sample: string, n: number): number {
  const words = [...sample.matchAll(/\S+/g)];
  const covered = new Set<number>();
  const seen = new Set<string>();
  for (let i = 0; i + n <= words.length; i++) {
    const gram = words
      .slice(i, i + n)
      .map(([found]) => found)
      .join(" ");
    const [first, last] = [words[i], words[i + n - 1]];
    if (seen.has(gram) && first && last) {
      for (let at = first.index; at < last.index + last[0].length; at++) covered.add(at);
    }
    seen.add(gram);
  }
  return covered.size;
}

const chant = fc
  .array(fc.constantFrom("row", "sailor"), { maxLength: 60 })
  .map((parts) => parts.join(" "));

test("repeated n-grams equal the slow way", () => {
  fc.assert(
    fc.property(fc.oneof(text, chant), fc.integer({ min: 5, max: 7 }), (sample, n) => {
      const { share } = repeatedGrams(measureText(sample, shape), n);
      assert.ok(Math.abs(share * sample.length - coveredByRepeats(sample, n)) < 1e-6);
    }),
  );
});
