/**
 * A thousand random schemas, each with random walks: whatever is chosen among the allowed tokens,
 * the finished text parses and is valid under an independent validator; and values that are valid
 * by construction can be said, in whatever tokens.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import { Ajv2020 } from "ajv/dist/2020.js";
import { createConstraintCompiler } from "../../../../src/llm/inference/constraint/compiler.ts";
import type {
  Constraint,
  VocabularyBytes,
} from "../../../../src/llm/inference/constraint/constraint.ts";
import { trainBpe } from "../../../../src/llm/tokenizer/train.ts";
import { allowedIds, byteVocabulary, hasBit } from "./byte-vocabulary.ts";
import { formatChecks } from "./format-checks.ts";
import { createRandom, type Random, randomRoot, writeJson } from "./random-schema.ts";

const SCHEMAS = 1000;
const WALK_TOKENS = 30;

const pieces = ['{"', '":', '": ', '", "', '","', '"}', '"},{"', "}}", "]]", "[{", "true", "false"];
const words = [
  "null",
  "name",
  "kind",
  "circle",
  "an",
  "xy",
  "12",
  "00",
  "-0.",
  '\\"',
  "\\u00",
  "é",
];
const pairs = ['","name":"', '{"a":', "\u{1f642}", "a\u0301", '1,"b"', '"a"', '":1,"', "--", "://"];
const pieced = byteVocabulary([...pieces, ...words, ...pairs]);

function learned(): VocabularyBytes {
  const random = createRandom(11);
  const texts = Array.from({ length: 300 }, () => {
    return writeJson(randomRoot(random, 2).make(random), random);
  });
  return trainBpe(texts, { vocabSize: 500 });
}
const vocabularies = { pieced, learned: learned() };

const ajv = new Ajv2020({ strict: false, logger: false, ownProperties: true });
for (const [name, holds] of Object.entries(formatChecks)) ajv.addFormat(name, holds);

const toBytes = (marks: string): number[] => [...marks].map((mark) => mark.charCodeAt(0));
/** Bytes that bring a JSON text to its end, the best first. */
const closing = toBytes('}]"nt0123456789ulser');
/** What patterns and formats may still need before the string can be closed. */
const needed = toBytes("\\@:.bxy-Z09aT");
const QUOTE = 0x22;

function isInString(bytes: readonly number[]): boolean {
  const text = new TextDecoder().decode(Uint8Array.from(bytes));
  return text.replaceAll(/\\./g, "").replaceAll(/[^"]/g, "").length % 2 === 1;
}

function closingId(
  ids: readonly number[],
  codec: VocabularyBytes,
  said: readonly number[],
  random: Random,
): number | undefined {
  const single = ids.filter((id) => codec.tokenBytes(id).length === 1);
  const byByte = new Map(single.map((id) => [codec.tokenBytes(id)[0], id]));
  const wanted = isInString(said) ? [QUOTE, random.choose(needed)] : closing;
  return wanted.map((byte) => byByte.get(byte)).find((id) => id !== undefined);
}

function walk(constraint: Constraint, codec: VocabularyBytes, random: Random): Uint8Array {
  const bytes: number[] = [];
  for (let step = 0; !constraint.mustEnd; step++) {
    const late = step >= WALK_TOKENS;
    if (constraint.canEnd && (late || random.chance(0.3))) break;
    assert.ok(step < 2000, "no way out");
    const ids = allowedIds(constraint, codec.vocabSize);
    assert.ok(ids.length > 0, `dead end after ${new TextDecoder().decode(Uint8Array.from(bytes))}`);
    const end = late && random.chance(0.9) ? closingId(ids, codec, bytes, random) : undefined;
    const id = end ?? random.choose(ids);
    constraint.accept(id);
    bytes.push(...codec.tokenBytes(id));
  }
  assert.ok(constraint.canEnd);
  return Uint8Array.from(bytes);
}

function assertValid(bytes: Uint8Array, valid: (value: unknown) => boolean, schema: unknown): void {
  const text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  const value: unknown = JSON.parse(text);
  assert.ok(valid(value), `${text} under ${JSON.stringify(schema)}`);
  assert.equal(text.replaceAll(/"(?:[^"\\]|\\.)*"|[^:"]/g, "").length, keyCount(value), text);
}

/** Of all objects inside; fewer than the text has colons outside of strings when two are equal. */
function keyCount(value: unknown): number {
  if (typeof value !== "object" || value === null) return 0;
  const own = Array.isArray(value) ? 0 : Object.keys(value).length;
  return Object.values(value).reduce((sum: number, inner) => sum + keyCount(inner), own);
}

const byFirst = new Map<VocabularyBytes, number[][]>();

/** Ids by the first of their bytes. */
function beginning(codec: VocabularyBytes): readonly (readonly number[])[] {
  const known = byFirst.get(codec);
  if (known) return known;
  const lists = Array.from({ length: 256 }, (): number[] => []);
  for (let id = 0; id < codec.vocabSize; id++) {
    const [first] = codec.tokenBytes(id);
    if (first !== undefined) lists[first]?.push(id);
  }
  byFirst.set(codec, lists);
  return lists;
}

/** Any split of the text into tokens that the mask allows one after the other. */
function saidAtRandom(
  constraint: Constraint,
  codec: VocabularyBytes,
  text: string,
  random: Random,
): boolean {
  const bytes = new TextEncoder().encode(text);
  for (let at = 0; at < bytes.length; ) {
    const fitting = (beginning(codec)[bytes[at] as number] as readonly number[]).filter((id) =>
      codec.tokenBytes(id).every((byte, i) => byte === bytes[at + i]),
    );
    const mask = constraint.allowed();
    if (!fitting.every((id) => hasBit(mask, id))) return false;
    const id = random.choose(fitting);
    constraint.accept(id);
    at += codec.tokenBytes(id).length;
  }
  return constraint.canEnd;
}

for (const [name, codec] of Object.entries(vocabularies))
  test(`${SCHEMAS / 2} schemas with ${name} tokens`, () => {
    const compiler = createConstraintCompiler(codec);
    for (let seed = 0; seed < SCHEMAS / 2; seed++) {
      const random = createRandom(seed + (name === "learned" ? 10_000 : 0));
      const { schema, make } = randomRoot(random, 1 + (seed % 3));
      const begin = compiler.jsonSchema(schema);
      const valid = ajv.compile(schema as object);
      assertValid(walk(begin(), codec, random), valid, schema);
      const value = make(random);
      assert.ok(valid(value), `the maker is wrong: ${JSON.stringify([value, schema])}`);
      const text = writeJson(value, random);
      assert.ok(
        saidAtRandom(begin(), codec, text, random),
        `seed ${seed}: ${text} cannot be said under ${JSON.stringify(schema)}`,
      );
    }
  });
