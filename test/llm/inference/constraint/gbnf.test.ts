/** Grammars in GBNF: what they accept, against languages that are known in closed form. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { createConstraintCompiler } from "../../../../src/llm/inference/constraint/compiler.ts";
import { accepts, byteVocabulary } from "./byte-vocabulary.ts";

const compiler = createConstraintCompiler(byteVocabulary());

function assertLanguage(gbnf: string, yes: readonly string[], no: readonly string[]): void {
  const begin = compiler.grammar(gbnf);
  const wrong = [
    ...yes.filter((text) => !accepts(begin, text)),
    ...no.filter((text) => accepts(begin, text)),
  ];
  assert.deepEqual(wrong, [], gbnf);
}

const arithmetic = `# sums of products
root ::= sum "\\n"
sum ::= product ( [-+] product )*   # left to right
product ::= factor ([*/] factor)*
factor ::= number | "(" sum ")"
number ::= [0-9]+ ("." [0-9]+)?
`;

test("arithmetic", () => {
  assertLanguage(
    arithmetic,
    ["1\n", "1+2*(3-4.5)\n", "((7))\n", "10/2/5\n"],
    ["", "\n", "1", "1+\n", "(1\n", "1)\n", "1.\n", "a\n"],
  );
});

test("as many b as a, which no finite automaton can count", () => {
  const power = (n: number, m: number) => "a".repeat(n) + "b".repeat(m);
  const counts = [0, 1, 2, 7, 40];
  const pairs = counts.flatMap((n) => counts.map((m) => [n, m] as const));
  assertLanguage(
    'root ::= "" | "a" root "b"',
    counts.map((n) => power(n, n)),
    pairs.filter(([n, m]) => n !== m).map(([n, m]) => power(n, m)),
  );
});

const repetitions: readonly [suffix: string, min: number, max: number][] = [
  ["", 1, 1],
  ["*", 0, Infinity],
  ["+", 1, Infinity],
  ["?", 0, 1],
  ["{0}", 0, 0],
  ["{3}", 3, 3],
  ["{2,}", 2, Infinity],
  ["{ 2 , 5 }", 2, 5],
  ["{0,40}", 0, 40],
  ["{30,100}", 30, 100],
];
const items: readonly [gbnf: string, text: string][] = [
  ['"x"', "x"],
  ["[x-z]", "y"],
  ['("ab" | "c")', "ab"],
  ["word", "a-long-word-that-is-not-written-out"],
];

for (const [suffix, min, max] of repetitions)
  test(`from ${min} to ${max} times`, () => {
    for (const [item, text] of items) {
      const counts = Array.from({ length: 110 }, (_, n) => n);
      const inside = (n: number) => n >= min && n <= max;
      assertLanguage(
        `root ::= "<" ${item}${suffix} ">"\nword ::= "a-long-word-that-is-not-written-out"`,
        counts.filter(inside).map((n) => `<${text.repeat(n)}>`),
        counts.filter((n) => !inside(n)).map((n) => `<${text.repeat(n)}>`),
      );
    }
  });

test("rounds that may be empty count for any number", () => {
  assertLanguage('root ::= ("a"?){3,50} "."', [".", "a.", `${"a".repeat(50)}.`], ["", "aa"]);
  assertLanguage('root ::= ("a"*){2} "."', [".", `${"a".repeat(70)}.`], ["a"]);
  assertLanguage('root ::= ("a"?){50} "."', [".", `${"a".repeat(50)}.`], [`${"a".repeat(51)}.`]);
});

test("characters are code points, whatever their length in bytes", () => {
  const edges = ["\0", "\x7f", "\u0080", "\u07ff", "\u0800", "\ud7ff", "\ue000", "\uffff"];
  const all = [...edges, "\u{10000}", "\u{10ffff}", "é", "漢", "🙂"];
  assertLanguage("root ::= .", all, ["", "ab", "é🙂"]);
  assertLanguage("root ::= [^é\\x00-\\x7F]", ["漢", "è", "\u0080"], ["é", "a", "\0"]);
  assertLanguage("root ::= [\\u00e9-\\U0001F642]", ["é", "🙂", "漢"], ["è", "🙃", "a"]);
  assertLanguage('root ::= "\\x41\\u00e9\\U0001F642\\t\\"\\\\"', ['Aé🙂\t"\\'], ["A"]);
  assertLanguage("root ::= [\\]a-]+", ["]", "a-]"], ["b", "["]);
});

test("bytes that are no UTF-8 are never allowed", () => {
  const begin = compiler.grammar("root ::= .*");
  const decoder = new TextDecoder("utf-8", { fatal: true });
  const invalid = [[0x80], [0xc0], [0xc1], [0xe0, 0x9f], [0xed, 0xa0], [0xf0, 0x8f], [0xf4, 0x90]];
  for (const bytes of [...invalid, [0xf5], [0xff]]) {
    assert.throws(() => decoder.decode(Uint8Array.from([...bytes, 0x80, 0x80])));
    const constraint = begin();
    const [last, ...first] = bytes.toReversed() as [number, ...number[]];
    for (const byte of first.reverse()) constraint.accept(byte + 1);
    assert.throws(() => constraint.accept(last + 1), { code: "CONFIG" });
  }
  const open = begin();
  open.accept(0xe2 + 1);
  assert.equal(open.canEnd, false);
});

const json = `root   ::= object
value  ::= object | array | string | number | ("true" | "false" | "null") ws
object ::= "{" ws ( pair ("," ws pair)* )? "}" ws
pair   ::= string ":" ws value
array  ::= "[" ws ( value ("," ws value)* )? "]" ws
string ::= "\\"" ( [^"\\\\\\x7F\\x00-\\x1F] | "\\\\" (["\\\\bfnrt] | "u" [0-9a-fA-F]{4}) )* "\\"" ws
number ::= ("-"? ([0-9] | [1-9] [0-9]{0,15})) ("." [0-9]+)? ([eE] [-+]? [0-9]{1,15})? ws
ws ::= | " " | "\\n" [ \\t]{0,20}
`;

test("a grammar of JSON", () => {
  const value = { a: [1, -2.5e10, "x\n\u0001é", true, null, {}], b: { c: [] } };
  assertLanguage(
    json,
    [JSON.stringify(value), JSON.stringify(value, undefined, 2), "{ }"],
    ["", "[]", '{"a":1,}', '{"a":01}', '{"a"}', '{"a":"\u0001"}', "{}}"],
  );
});

const wrong: readonly [gbnf: string, message: RegExp][] = [
  ["", /a rule named root must be there.*line 1, column 1/],
  ['root = "a"', /::= must follow the name root.*line 1, column 6/],
  ['\nroot ::= "a', /a literal must be closed.*line 2, column 10/],
  ["root ::= [a", /a character class must be closed.*line 1, column 10/],
  ['root ::= ("a"', /a group must be closed.*line 1, column 10/],
  ['root ::= "\\q"', /must be followed by n r t.*column 13/],
  ["root ::= [z-a]", /a range must go upward/],
  ['root ::= "a"{3,2}', /max ≥ min.*column 13/],
  ['root ::= "a"{x}', /a repetition must be/],
  ['root ::= "\\uD800"', /Unicode scalar value/],
  ["root ::= other", /rule other must be defined, got "other" at line 1, column 10/],
  ['root ::= "a"\nroot ::= "b"', /defined once.*line 2, column 1/],
  ['root ::= "a" )', /a line must end after rule root.*column 14/],
  ['root ::= root "a" | "b"', /no rule may begin with itself, got root → root/],
  ['root ::= a\na ::= "x"? b\nb ::= ("y"* a)+', /never be finished/],
  ['root ::= a "."\na ::= "x"? b | "z"\nb ::= a "y"', /begin with itself, got a → b → a/],
  ['root ::= "a" root', /can never be finished/],
  ["root ::= []", /can never be finished/],
];

for (const [gbnf, message] of wrong)
  test(`refused: ${JSON.stringify(gbnf)}`, () => {
    assert.throws(() => compiler.grammar(gbnf), { code: "CONFIG", message });
  });

test("tokens by number are another thing", () => {
  assert.throws(() => compiler.grammar("root ::= <[5]>"), { code: "UNSUPPORTED" });
});

test("alternatives without an end are cut, so that every way leads out", () => {
  assertLanguage('root ::= "a" loop | "b"\nloop ::= "c" loop', ["b"], ["a", "ac"]);
  const begin = compiler.grammar('root ::= "a" loop | "b"\nloop ::= "c" loop');
  assert.throws(() => begin().accept("a".charCodeAt(0) + 1), { code: "CONFIG" });
});
