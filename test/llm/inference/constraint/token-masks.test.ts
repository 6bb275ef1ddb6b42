/** Masks against brute force: each token, byte by byte, from the same place. */
import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { test } from "node:test";
import { gunzipSync } from "node:zlib";
import { createConstraintCompiler } from "../../../../src/llm/inference/constraint/compiler.ts";
import type { Constraint } from "../../../../src/llm/inference/constraint/constraint.ts";
import { allowedIds, byteVocabulary, hasBit } from "./byte-vocabulary.ts";
import { createRandom, randomRoot } from "./random-schema.ts";

const words = [
  '"a"',
  '"a":',
  '": 1, "',
  '":1,"b',
  '"}',
  '{"',
  '{"a":1,"a":1}',
  "true",
  "tru",
  "12",
];
const more = [
  '","',
  '", "a',
  "]]",
  "}}",
  ' "',
  "\\",
  '\\"',
  "\\u001",
  "é",
  "\ud83d\ude42",
  "ab",
  "b c",
];
const codec = byteVocabulary([
  ...words,
  ...more,
  "\u6f22\u5b57",
  "-0.",
  "e+3",
  "",
  "ab",
  "abcde:,",
]);

function canSay(constraint: Constraint, bytes: Uint8Array): boolean {
  const copy = constraint.fork();
  for (const byte of bytes) {
    if (!hasBit(copy.allowed(), byte + 1)) return false;
    copy.accept(byte + 1);
  }
  return bytes.length > 0;
}

function assertBruteForce(begin: () => Constraint, seed: number): void {
  const random = createRandom(seed);
  const constraint = begin();
  for (let step = 0; step < 25 && !constraint.mustEnd; step++) {
    const ids = allowedIds(constraint, codec.vocabSize);
    const longer = Array.from({ length: codec.vocabSize - 257 }, (_, i) => i + 257);
    for (const id of [0, ...longer]) {
      const wanted = canSay(constraint, codec.tokenBytes(id));
      const where = `${new TextDecoder().decode(codec.tokenBytes(id))} at step ${step}`;
      assert.equal(ids.includes(id), wanted, `seed ${seed}: ${where}`);
    }
    constraint.accept(random.choose(ids));
  }
}

test("masks of random schemas", () => {
  const compiler = createConstraintCompiler(codec);
  for (let seed = 0; seed < 60; seed++) {
    const { schema } = randomRoot(createRandom(seed + 50_000), 2);
    assertBruteForce(compiler.jsonSchema(schema), seed);
  }
});

test("masks of any JSON and of a grammar", () => {
  const compiler = createConstraintCompiler(codec);
  const grammar = 'root ::= ("a" | "ab" | [b-e] "c"? | "é")* [,:] root?';
  for (let seed = 0; seed < 30; seed++) {
    assertBruteForce(compiler.json(), seed);
    assertBruteForce(compiler.grammar(grammar), seed);
  }
});

test("a key is said once, however tokens cut it", () => {
  const begin = createConstraintCompiler(codec).json();
  const idOf = (text: string) =>
    Array.from({ length: codec.vocabSize }, (_, id) => id).find(
      (id) => new TextDecoder().decode(codec.tokenBytes(id)) === text,
    ) as number;
  const constraint = begin();
  for (const text of ['{"', "a", '"', ":", "1", ","]) constraint.accept(idOf(text));
  const allowed = (text: string) => hasBit(constraint.allowed(), idOf(text));
  assert.equal(allowed('"a"'), false);
  assert.equal(allowed('"a":'), false);
  assert.equal(allowed('"'), true);
  assert.throws(() => constraint.accept(idOf('"a"')), { code: "CONFIG" });
  constraint.accept(idOf('"'));
  const other = constraint.fork();
  constraint.accept(idOf("a"));
  assert.equal(allowed('"'), false);
  assert.equal(hasBit(other.allowed(), idOf('"')), true, "an empty name is another one");
  assert.equal(hasBit(begin().allowed(), idOf('{"a":1,"a":1}')), false);
});

test("special tokens, ids outside and bytes without a token are never allowed", () => {
  const begin = createConstraintCompiler(codec).json();
  for (const id of [0, -1, 0.5, codec.vocabSize])
    assert.throws(() => begin().accept(id), { code: "CONFIG" });
  const texts = ["", "a", "b", '"', "é"].map((text) => new TextEncoder().encode(text));
  const poor = { vocabSize: 5, tokenBytes: (id: number) => texts[id] as Uint8Array };
  const strings = createConstraintCompiler(poor).jsonSchema({ type: "string" })();
  strings.accept(3);
  assert.deepEqual(allowedIds(strings, 5), [1, 2, 3]);
  assert.throws(() => createConstraintCompiler(poor).json()().accept(4), { code: "CONFIG" });
  assert.throws(() => createConstraintCompiler(poor).grammar('root ::= "c"'), { code: "CONFIG" });
});

const gpt2 = `${import.meta.dirname}/../../../../../shared/data/tokenizer/gpt2/encoder.json.gz`;
const skip = existsSync(gpt2) ? false : "needs ../shared/data/tokenizer/gpt2";

/** GPT-2 writes bytes that are no printable characters as those from U+0100 on. */
function gpt2Tokens(): Uint8Array[] {
  const printable = (byte: number) => (byte > 32 && byte < 127) || (byte > 160 && byte !== 173);
  const bytes = Array.from({ length: 256 }, (_, byte) => byte);
  const others = bytes.filter((byte) => !printable(byte));
  const byteOf = new Map(bytes.filter(printable).map((byte) => [byte, byte]));
  for (const [i, byte] of others.entries()) byteOf.set(256 + i, byte);
  const ids = JSON.parse(gunzipSync(readFileSync(gpt2)).toString()) as Record<string, number>;
  const tokens: Uint8Array[] = [];
  for (const [text, id] of Object.entries(ids))
    tokens[id] = Uint8Array.from(
      [...text],
      (c) => byteOf.get(c.codePointAt(0) as number) as number,
    );
  tokens[ids["<|endoftext|>"] as number] = new Uint8Array();
  return tokens;
}

test("a vocabulary of 50,257", { skip }, () => {
  const tokens = gpt2Tokens();
  const vocabulary = {
    vocabSize: tokens.length,
    tokenBytes: (id: number) => tokens[id] as Uint8Array,
  };
  const single = new Map(
    tokens.map((bytes, id) => [bytes.length === 1 ? bytes[0] : undefined, id]),
  );
  const begin = createConstraintCompiler(vocabulary).jsonSchema({
    type: "object",
    properties: { note: { type: "string", maxLength: 6 }, n: { type: "integer", maximum: 300 } },
    required: ["note", "n"],
  });
  const constraint = begin();
  for (const byte of new TextEncoder().encode('{"note":"ab'))
    constraint.accept(single.get(byte) as number);
  const canSay = (bytes: Uint8Array): boolean => {
    const copy = constraint.fork();
    try {
      for (const byte of bytes) copy.accept(single.get(byte) as number);
    } catch {
      return false;
    }
    return bytes.length > 0;
  };
  const mask = constraint.allowed();
  const wrong = tokens.keys().filter((id) => hasBit(mask, id) !== canSay(tokens[id] as Uint8Array));
  assert.deepEqual([...wrong], []);
  assert.ok(allowedIds(constraint, tokens.length).length > 10_000);
});
