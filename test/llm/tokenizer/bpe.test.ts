import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { characterTokenizer } from "../../../src/llm/tokenizer/character.ts";
import { compilePattern, SPLIT_PATTERN } from "../../../src/llm/tokenizer/pattern.ts";
import { splitText } from "../../../src/llm/tokenizer/splitter.ts";
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

test("training finds the textbook merges", () => {
  const tokenizer = trainBpe(["aaabdaaabac"], { vocabSize: 259, specialTokens: [] });
  assert.deepEqual(tokenizer.encode("aaabdaaabac"), [258, 100, 258, 97, 99]);
  assert.equal(tokenizer.decode([258, 100, 258, 97, 99]), "aaabdaaabac");
});

test("training equals recounting every pair before every merge", () => {
  const text = fc.array(fc.constantFrom("a", "b", "c", "ab", " ", "é", "aa"), { maxLength: 60 });
  fc.assert(
    fc.property(fc.array(text), fc.integer({ min: 0, max: 12 }), (texts, mergeCount) => {
      const joined = texts.map((parts) => parts.join(""));
      const { merges } = trainBpe(joined, {
        vocabSize: 256 + mergeCount,
        specialTokens: [],
      }).vocabulary;
      assert.deepEqual(merges, slowMerges(joined, mergeCount));
    }),
    { numRuns: 300 },
  );
});

/** The definition, without any bookkeeping. */
function slowMerges(texts: readonly string[], mergeCount: number): number[][] {
  const pattern = compilePattern(SPLIT_PATTERN);
  let words = texts
    .flatMap((text) => [...splitText(text, pattern)])
    .map((word) => [...Buffer.from(word)]);
  const merges: number[][] = [];
  while (merges.length < mergeCount) {
    const counts = new Map<string, number>();
    for (const word of words) {
      for (let i = 0; i + 1 < word.length; i++) {
        const pair = `${word[i]},${word[i + 1]}`;
        counts.set(pair, (counts.get(pair) ?? 0) + 1);
      }
    }
    const ordered = [...counts].map(([pair, count]) => [...pair.split(",").map(Number), count]);
    ordered.sort(([a = 0, b = 0, x = 0], [c = 0, d = 0, y = 0]) => y - x || a - c || b - d);
    const [left = -1, right = -1, count = 0] = ordered[0] ?? [];
    if (count < 2) break;
    const token = 256 + merges.length;
    merges.push([left, right, token]);
    words = words.map((word) => {
      const out: number[] = [];
      for (let i = 0; i < word.length; i++) {
        const hit = word[i] === left && word[i + 1] === right;
        out.push(hit ? token : (word[i] as number));
        if (hit) i++;
      }
      return out;
    });
  }
  return merges;
}

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

test("encoding merges the lowest rank first, short and long pre-tokens alike", () => {
  const ranks = new Map(trained.vocabulary.merges.map(([l, r], rank) => [`${l},${r}`, rank]));
  fc.assert(
    fc.property(
      fc.array(fc.constantFrom("t", "h", "e", "th", "ca", "at"), { maxLength: 80 }),
      (parts) => {
        const word = parts.join("");
        const ids: number[] = [...Buffer.from(word)];
        for (;;) {
          const found = ids.map((id, i) => ranks.get(`${id},${ids[i + 1]}`) ?? Infinity);
          const best = Math.min(...found, Infinity);
          if (best === Infinity) break;
          ids.splice(found.indexOf(best), 2, trained.vocabulary.merges[best]?.[2] as number);
        }
        assert.deepEqual(trained.encode(word), ids);
      },
    ),
  );
});

test("a million repeated characters encode in linear time", () => {
  for (const unit of ["a", " ", "-", "\n", "7", " \n", "😀"]) {
    const text = unit.repeat(1e6 / unit.length);
    const start = performance.now();
    const ids = trained.encode(text);
    assert.ok(performance.now() - start < 10_000, `${JSON.stringify(unit)} took too long`);
    assert.equal(trained.decodeBytes(ids).length, Buffer.byteLength(text));
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
