import assert from "node:assert/strict";
import { test } from "node:test";
import type { BpeTokenizer } from "../../../src/llm/tokenizer/bpe.ts";
import { toByteAlphabet, tryFromByteAlphabet } from "../../../src/llm/tokenizer/byte-alphabet.ts";
import { characterTokenizer } from "../../../src/llm/tokenizer/character.ts";
import { GPT2_PATTERN } from "../../../src/llm/tokenizer/pattern.ts";
import { fromTokenizerJson, toTokenizerJson } from "../../../src/llm/tokenizer/tokenizer-json.ts";
import { trainBpe } from "../../../src/llm/tokenizer/train.ts";

const TEXT = "the cat sat on the mat, the cat's hat; 2024 日本 😀\n\nthe end of the cat\n";

test("the byte alphabet is a bijection with GPT-2's known letters", () => {
  const all = Uint8Array.from({ length: 256 }, (_, byte) => byte);
  assert.equal(new Set(toByteAlphabet(all)).size, 256);
  assert.deepEqual(tryFromByteAlphabet(toByteAlphabet(all)), all);
  assert.equal(toByteAlphabet(new TextEncoder().encode(" \n\0a~")), "ĠĊĀa~");
  assert.equal(tryFromByteAlphabet("日"), undefined);
});

test("a tokenizer.json reads back as the same tokenizer", () => {
  const specialTokens = ["<|bos|>", "<|end|>"];
  const tokenizer = trainBpe([TEXT], { vocabSize: 290, specialTokens });
  const json = toTokenizerJson(tokenizer);
  const back = fromTokenizerJson(json) as BpeTokenizer;
  assert.deepEqual(back.vocabulary, tokenizer.vocabulary);
  assert.equal(toTokenizerJson(back), json);
  assert.equal(back.decode(back.encode(TEXT)), TEXT);
});

test("a character vocabulary goes through the same file", () => {
  const tokenizer = characterTokenizer(TEXT);
  const back = fromTokenizerJson(toTokenizerJson(tokenizer));
  assert.deepEqual(back.encode(TEXT), tokenizer.encode(TEXT));
  assert.equal(back.vocabSize, new Set(TEXT).size);
});

/** A file as others write them: ids by byte alphabet, merges as strings, GPT-2's own split. */
function foreignFile(): Record<string, unknown> & { model: Record<string, unknown> } {
  const bytes = Array.from({ length: 256 }, (_, byte) => toByteAlphabet(Uint8Array.of(byte)));
  bytes.sort();
  const names = ["<|endoftext|>", ...bytes, "he", "Ġt", "Ġthe"];
  return {
    added_tokens: [{ id: 0, content: "<|endoftext|>", special: true }],
    pre_tokenizer: { type: "ByteLevel", add_prefix_space: false, use_regex: true },
    model: {
      type: "BPE",
      vocab: Object.fromEntries(names.map((name, id) => [name, id])),
      merges: ["h e", "Ġ t", "Ġt he"],
    },
  };
}

test("foreign ids and merges are taken as they are", () => {
  const tokenizer = fromTokenizerJson(JSON.stringify(foreignFile())) as BpeTokenizer;
  assert.deepEqual(tokenizer.encode(" the he"), [259, 1 + rankOfByte(" "), 257]);
  assert.equal(tokenizer.decode(tokenizer.encode(TEXT)), TEXT);
  assert.equal(tokenizer.special("<|endoftext|>"), 0);
  assert.equal(tokenizer.vocabulary.pattern, GPT2_PATTERN);
  assert.equal(tokenizer.bos, undefined);
});

function rankOfByte(character: string): number {
  const bytes = Array.from({ length: 256 }, (_, byte) => toByteAlphabet(Uint8Array.of(byte)));
  return bytes.sort().indexOf(toByteAlphabet(new TextEncoder().encode(character)));
}

test("what the format asks and Nutshell cannot do is refused by name", () => {
  const refuses = (change: object, message: RegExp) =>
    assert.throws(
      () => fromTokenizerJson(JSON.stringify({ ...foreignFile(), ...change }), "t.json"),
      {
        code: "TOKENIZER",
        message,
      },
    );
  refuses(
    { normalizer: { type: "NFC" } },
    /t\.json: a byte-level BPE has no normalizer, got .*NFC/,
  );
  refuses({ pre_tokenizer: { type: "Metaspace" } }, /pre-tokenizer must be ByteLevel.*Metaspace/);
  refuses({ model: { ...foreignFile().model, merges: ["h zz"] } }, /merges must name tokens.*h zz/);
  refuses({ model: { type: "Unigram", vocab: {} } }, /must be BPE or WordLevel, got "Unigram"/);
  refuses(
    { model: { type: "BPE", vocab: { a: 0, b: 2 } } },
    /ids must run from 0 to 1, got "none with id 1"/,
  );
  assert.throws(() => fromTokenizerJson("{", "t.json"), {
    code: "TOKENIZER",
    message: /must be JSON/,
  });
  assert.throws(() => fromTokenizerJson("null", "t.json"), { message: /model\.vocab must map/ });
});
