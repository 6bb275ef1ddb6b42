/** Numbers and strings of schemas, against arithmetic and the engine's own regular expressions. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { createConstraintCompiler } from "../../../../src/llm/inference/constraint/compiler.ts";
import { accepts, byteVocabulary } from "./byte-vocabulary.ts";
import { createRandom, type Random } from "./random-schema.ts";

const compiler = createConstraintCompiler(byteVocabulary());

test("whole numbers between bounds are those and no others", () => {
  const random = createRandom(1);
  for (let round = 0; round < 40; round++) {
    const low = random.below(260) - 130;
    const high = low + random.below(150);
    const schema = { type: "integer", exclusiveMinimum: low - 0.5, maximum: high + 0.25 };
    const begin = compiler.jsonSchema(schema);
    for (let n = -135; n <= 290; n++)
      assert.equal(accepts(begin, `${n}`), n >= low && n <= high, `${n} in ${low}..${high}`);
    for (const text of ["-0", "00", "01", "-01", "1.0", "+1", ""])
      assert.equal(accepts(begin, text), false, text);
  }
});

const limits: readonly Readonly<Record<string, number>>[] = [
  { minimum: 0, maximum: 1 },
  { exclusiveMinimum: 0, exclusiveMaximum: 1 },
  { minimum: -0.05, exclusiveMaximum: 10.5 },
  { exclusiveMinimum: -12.25, maximum: -0.5 },
  { minimum: 9.99 },
  { exclusiveMaximum: -3 },
  { maximum: 1e-7 },
  { minimum: 99, maximum: 101.1 },
];

test("decimals between bounds", () => {
  for (const limit of limits) {
    const begin = compiler.jsonSchema({ type: "number", ...limit });
    const { minimum = -Infinity, maximum = Infinity } = limit;
    const { exclusiveMinimum = -Infinity, exclusiveMaximum = Infinity } = limit;
    for (const text of decimals()) {
      const n = Number(text);
      const inside = n >= minimum && n <= maximum && n > exclusiveMinimum && n < exclusiveMaximum;
      const wanted = inside && !/^-0(\.0*)?$/.test(text);
      assert.equal(accepts(begin, text), wanted, `${text} in ${JSON.stringify(limit)}`);
    }
  }
});

function decimals(): string[] {
  const wholes = ["0", "1", "3", "9", "10", "11", "12", "13", "99", "100", "101", "999"];
  const fractions = ["", ".0", ".00", ".04", ".05", ".051", ".1", ".10", ".11", ".25", ".251"];
  const more = [".5", ".50", ".500000001", ".4999", ".99", ".9900000", ".98999"];
  return wholes.flatMap((whole) =>
    [...fractions, ...more].flatMap((rest) => [`${whole}${rest}`, `-${whole}${rest}`]),
  );
}

test("large bounds hold after rounding to f64", () => {
  const begin = compiler.jsonSchema({ type: "integer", maximum: 2 ** 63, minimum: -(2 ** 53) });
  assert.equal(accepts(begin, "9223372036854775808"), true);
  assert.equal(accepts(begin, "9223372036854775809"), false);
  assert.equal(accepts(begin, "-9007199254740992"), true);
  assert.equal(accepts(begin, "-9007199254740993"), false);
  const close = { type: "integer", exclusiveMaximum: 1e20 };
  assert.throws(() => compiler.jsonSchema(close), { code: "UNSUPPORTED", message: /15 digits/ });
});

test("every number that JSON.stringify writes is a number", () => {
  const begin = compiler.jsonSchema({ type: "number" });
  const random = createRandom(5);
  for (let i = 0; i < 300; i++) {
    const n = (random.below(2 ** 30) / 2 ** 15 - 2 ** 14) * 10 ** (random.below(600) - 303);
    if (Math.abs(n) < 1e308) assert.ok(accepts(begin, JSON.stringify(n)), JSON.stringify(n));
  }
  for (const text of ["1e308", "9e999", "NaN", "1.", ".5", "0x1", "1e", "--1"])
    assert.equal(accepts(begin, text), false, text);
});

const patterns = [
  ...["a", "^a", "a$", "^a$", "^(a|b)+$", "^a|b$", "(^a|^b)c", "(a$|b)", "^[^a]*$", "a.c"],
  ...[
    "^(?:ab?){2,3}$",
    "^a{2}$",
    "b{2,}",
    "^\\d\\D?$",
    "\\\\",
    '"',
    "^[\\]a-]+$",
    "[b-]c",
    "^$",
    "",
  ],
  ...[
    "^\\w+\\s\\w*$",
    "\\u00e9",
    "\\u{1F642}",
    "\\ud83d\\ude42",
    "^\\p{L}$",
    "^[\\P{L}]+$",
    "^(?<x>a)",
  ],
  ...["^a+?$", "^.*?b", "\\n", "\\x61\\/", "^(a|(b|c)*)$", "\\t|\\cJ", "[\\d\\s]a", "^(|a)b"],
];
const letters = [..."aaabbcc-1]", " ", "\n", '"', "\\", "é", "🙂", "/"];

function randomText(random: Random): string {
  return Array.from({ length: random.below(6) }, () => random.choose(letters)).join("");
}

test("patterns mean what the engine says", () => {
  const random = createRandom(2);
  for (const pattern of patterns) {
    const begin = compiler.jsonSchema({ type: "string", pattern });
    const regex = new RegExp(pattern, "u");
    for (let i = 0; i < 60; i++) {
      const text = randomText(random);
      const said = accepts(begin, JSON.stringify(text));
      assert.equal(said, regex.test(text), `${JSON.stringify(text)} by ${pattern}`);
    }
  }
});

test("two patterns and a length hold at once", () => {
  const random = createRandom(3);
  for (let round = 0; round < 25; round++) {
    const [a, b] = [random.choose(patterns), random.choose(patterns)];
    const [minLength, maxLength] = [random.below(3), 2 + random.below(4)];
    const schema = {
      type: "string",
      maxLength,
      allOf: [{ pattern: a }, { pattern: b, minLength }],
    };
    const holds = (text: string) =>
      [a, b].every((pattern) => new RegExp(pattern, "u").test(text)) &&
      [...text].length >= minLength &&
      [...text].length <= maxLength;
    const texts = Array.from({ length: 60 }, () => randomText(random));
    try {
      const begin = compiler.jsonSchema(schema);
      for (const text of texts)
        assert.equal(accepts(begin, JSON.stringify(text)), holds(text), `${text} by ${a} and ${b}`);
    } catch (error) {
      assert.match(String(error), /can never be finished/);
      assert.deepEqual(texts.filter(holds), []);
    }
  }
});

test("lengths count characters, and escapes are one of them", () => {
  const begin = compiler.jsonSchema({ type: "string", minLength: 2, maxLength: 80 });
  for (const character of ["a", "é", "🙂", "\n", '"', "\u0001"])
    for (const length of [1, 2, 80, 81]) {
      const text = JSON.stringify(character.repeat(length));
      assert.equal(accepts(begin, text), length >= 2 && length <= 80, `${length} of ${text[1]}`);
    }
});
