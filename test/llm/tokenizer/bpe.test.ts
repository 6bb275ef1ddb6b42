import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { type BpeVocabulary, createBpeTokenizer } from "../../../src/llm/tokenizer/bpe.ts";
import { characterTokenizer } from "../../../src/llm/tokenizer/character.ts";
import { GPT2_PATTERN } from "../../../src/llm/tokenizer/pattern.ts";
import { createStreamDecoder } from "../../../src/llm/tokenizer/stream-decoder.ts";
import { tokenByteCounts } from "../../../src/llm/tokenizer/tokenizer.ts";
import { trainBpe } from "../../../src/llm/tokenizer/train.ts";

const PROSE =
  "The cat sat on the mat. The cat isn't here; where's the cat? It's 12345 o'clock.\n\n" +
  "Über den Bäumen 日本語 😀👩‍👩‍👧 the the the cat cat\r\n  indented\ttext  ";
const trained = trainBpe([PROSE, PROSE], { vocabSize: 320, specialTokens: ["<|bos|>", "<|end|>"] });
const anyText = fc.oneof(
  fc.string({ unit: "grapheme" }),
  fc.string({ unit: "binary" }),
  fc
    .array(fc.constantFrom("the", " cat", "\n", "  ", "é", "😀", "'s", "12", "\ufeff", "\u0085"))
    .map((parts) => parts.join("")),
);

test("decode(encode(s)) = s for any well-formed string", () => {
  fc.assert(
    fc.property(anyText, (text) => {
      assert.equal(trained.decode(trained.encode(text)), text.toWellFormed());
    }),
    { numRuns: 500 },
  );
});

test("any bytes survive decodeBytes, and a token's bytes are what it adds", () => {
  fc.assert(
    fc.property(fc.uint8Array(), (bytes) => {
      assert.deepEqual(trained.decodeBytes(bytes), bytes);
    }),
  );
  const ids = trained.encode(PROSE);
  const counts = tokenByteCounts(trained);
  const total = ids.reduce((sum, id) => sum + (counts[id] as number), 0);
  assert.equal(total, Buffer.byteLength(PROSE));
  assert.equal(counts[trained.special("<|bos|>")], 0);
});

test("lone surrogates become U+FFFD", () => {
  assert.equal(trained.decode(trained.encode("a\ud800b\udc00")), "a\ufffdb\ufffd");
});

test("bytes in are bytes out, text as bytes or not", () => {
  const slow = createBpeTokenizer({ ...trained.vocabulary, pattern: "\\p{L}+|\\s" });
  const bytesOf = anyText.map((text) => new Uint8Array(Buffer.from(text)));
  fc.assert(
    fc.property(fc.oneof(fc.uint8Array(), bytesOf), (bytes) => {
      for (const tokenizer of [trained, slow]) {
        assert.deepEqual(tokenizer.decodeBytes(tokenizer.encodeUtf8(bytes)), bytes);
      }
    }),
    { numRuns: 500 },
  );
  fc.assert(
    fc.property(anyText, (text) => {
      for (const tokenizer of [trained, slow]) {
        assert.deepEqual([...tokenizer.encodeUtf8(Buffer.from(text))], tokenizer.encode(text));
      }
    }),
  );
  const first = trained.encodeUtf8(Buffer.from("the cat"));
  const kept = [...first];
  trained.encodeUtf8(Buffer.from("another text"));
  assert.deepEqual([...first], kept, "the ids are the caller's own");
});

/** Lists on both sides of the length where a heap takes over. */
const LONG = { maxLength: 160, size: "max" } as const;

/** The definition: the best pair of all, leftmost among equals, until none is left. */
function slowIds(vocabulary: BpeVocabulary, word: string): number[] {
  const ranks = new Map(
    vocabulary.merges.map(([left, right, token], place) => [
      `${left},${right}`,
      { rank: vocabulary.mergeOrder === "token-id" ? token : place, token },
    ]),
  );
  const ids = Array.from(Buffer.from(word), (byte) => vocabulary.byteIds[byte] as number);
  for (;;) {
    const found = ids.map((id, i) => ranks.get(`${id},${ids[i + 1]}`));
    const best = Math.min(...found.map((merge) => merge?.rank ?? Infinity));
    if (best === Infinity) return ids;
    const at = found.findIndex((merge) => merge?.rank === best);
    ids.splice(at, 2, found[at]?.token as number);
  }
}

test("encoding merges the lowest rank first, short and long pre-tokens alike", () => {
  const parts = fc.array(fc.constantFrom("t", "h", "e", "th", "ca", "at"), LONG);
  fc.assert(
    fc.property(parts, (word) => {
      assert.deepEqual(trained.encode(word.join("")), slowIds(trained.vocabulary, word.join("")));
    }),
  );
});

/** Bytes, then tokens whose pairs are listed the way tiktoken reads a vocabulary. */
function tokenIdVocabulary(words: readonly string[]): BpeVocabulary {
  const bytes = Array.from({ length: 256 }, (_, byte) => String.fromCharCode(byte));
  const ids = new Map([...bytes, ...words].map((token, id) => [token, id]));
  const merges = [...ids].flatMap(([token, id]) =>
    Array.from(token, (_, at) => [ids.get(token.slice(0, at)), ids.get(token.slice(at)), id]),
  );
  return {
    tokens: Array.from(ids.keys(), (token) => Uint8Array.from(Buffer.from(token, "latin1"))),
    specialTokens: new Map(),
    byteIds: bytes.map((_, byte) => byte),
    merges: merges.filter((merge): merge is [number, number, number] => !merge.includes(undefined)),
    mergeOrder: "token-id",
    pattern: GPT2_PATTERN,
  };
}

test("by token id, pairs that spell one token are equal and the leftmost goes first", () => {
  // "aaa" is "a"+"aa" and "aa"+"a"; in "aaaa" after "aa" both could be next.
  const words = ["aa", "aaa", "ba", "aab", "baab", "aabaa"];
  for (const merges of [(list: unknown[]) => list, (list: unknown[]) => list.toReversed()]) {
    const vocabulary = tokenIdVocabulary(words);
    const tokenizer = createBpeTokenizer({
      ...vocabulary,
      merges: merges([...vocabulary.merges]) as typeof vocabulary.merges,
    });
    fc.assert(
      fc.property(fc.array(fc.constantFrom("a", "b"), LONG), (letters) => {
        const word = letters.join("");
        assert.deepEqual(tokenizer.encode(word), slowIds(vocabulary, word));
      }),
    );
  }
});

test("a whole pre-token that is a token is not merged when the vocabulary says so", () => {
  // "bc" goes first, so merging never makes "abc" from "ab" and "c".
  const vocabulary = tokenIdVocabulary(["bc", "ab", "abcd"]);
  const long = "x".repeat(120);
  const merged = createBpeTokenizer({ ...vocabulary, merges: vocabulary.merges.slice(0, 2) });
  assert.deepEqual(merged.encode("abcd"), [97, 256, 100]);
  const tokens = [...vocabulary.tokens, new Uint8Array(Buffer.from(long))];
  const whole = createBpeTokenizer({ ...merged.vocabulary, tokens, wholePieces: true });
  assert.deepEqual(whole.encode("abcd"), [258]);
  assert.deepEqual(whole.encode("abcde"), [97, 256, 100, 101]);
  assert.deepEqual(whole.encode(long), [259]);
  assert.equal(whole.encode(`${long}x`).length, 121);
});

test("more different words than are remembered encode the same", () => {
  const words = Array.from({ length: 280_000 }, (_, i) => ` ${(i * 7919).toString(36)}the`);
  const text = words.join("");
  const whole = createBpeTokenizer({ ...trained.vocabulary, wholePieces: true });
  const ids = whole.encode(text);
  assert.equal(whole.decode(ids), text);
  const head = whole.encode(words.slice(0, 50).join(""));
  assert.deepEqual(ids.slice(0, head.length), head);
  const tail = trained.encode(words.slice(-50).join(""));
  assert.deepEqual(ids.slice(-tail.length), tail);
});

test("a million repeated characters encode in linear time", () => {
  const units = ["a", " ", "\n", "7", " \n", "😀", "aab"];
  const runs = trainBpe(
    units.map((unit) => unit.repeat(1000)),
    { vocabSize: 400, pattern: GPT2_PATTERN },
  );
  for (const unit of units) {
    const text = unit.repeat(1e6 / unit.length);
    const before = process.cpuUsage();
    const ids = runs.encode(text);
    const seconds = process.cpuUsage(before).user / 1e6;
    assert.ok(seconds < 10, `${JSON.stringify(unit)} took ${seconds} s of CPU time`);
    assert.equal(runs.decodeBytes(ids).length, Buffer.byteLength(text));
  }
});

test("special tokens are text unless asked for", () => {
  const bos = trained.special("<|bos|>");
  assert.equal(trained.bos, bos);
  assert.equal(bos, trained.vocabSize - 2);
  assert.ok(!trained.encode("<|bos|>").includes(bos));
  const ids = trained.encode("<|bos|>the cat<|end|>", { specials: true });
  assert.equal(ids[0], bos);
  assert.equal(ids.at(-1), trained.special("<|end|>"));
  assert.equal(trained.decode(ids), "the cat");
  assert.equal(trained.decode(ids, { specials: true }), "<|bos|>the cat<|end|>");
});

test("errors say which rule broke", () => {
  const failsWith = (pattern: RegExp) => ({ code: "TOKENIZER", message: pattern });
  assert.throws(() => trained.special("<|tool|>"), failsWith(/<\|tool\|> must be a special token/));
  assert.throws(
    () => trained.decode([trained.vocabSize]),
    failsWith(/lies in \[0, 320\), got 320/),
  );
  assert.throws(() => trainBpe(["a"], { vocabSize: 256 }), failsWith(/at least 257.*got 256/));
  assert.throws(() => trainBpe(["a"], { vocabSize: 300, pattern: "a++" }), failsWith(/a\+\+/));
  assert.throws(() => characterTokenizer("abc").encode("abd"), failsWith(/"d" \(U\+0064\)/));
});

test("the stream decoder never splits a character and ends equal to decode", () => {
  fc.assert(
    fc.property(
      fc.oneof(
        anyText.map((text) => trained.encode(text)),
        fc.array(fc.nat(319)),
      ),
      (ids) => {
        const decoder = createStreamDecoder(trained);
        const parts = [...ids.map((id) => decoder.push(id)), decoder.end()];
        assert.equal(parts.join(""), trained.decode(ids));
        assert.ok(parts.every((part) => part.isWellFormed()));
      },
    ),
  );
  const emoji = [...Buffer.from("😀")];
  const decoder = createStreamDecoder(trained);
  assert.deepEqual(
    emoji.map((byte) => decoder.push(byte)),
    ["", "", "", "😀"],
  );
});

test("a character vocabulary is the sorted set of characters", () => {
  const tokenizer = characterTokenizer("hello 😀\n");
  assert.deepEqual(tokenizer.characters, ["\n", " ", "e", "h", "l", "o", "😀"]);
  assert.deepEqual(tokenizer.encode("hole"), [3, 5, 4, 2]);
  assert.equal(tokenizer.decode(tokenizer.encode("oh 😀")), "oh 😀");
  assert.equal(tokenizer.bos, undefined);
});
