import assert from "node:assert/strict";
import { test } from "node:test";
import { Tokenizer } from "@huggingface/tokenizers";
import type { BpeTokenizer } from "../../../src/llm/tokenizer/bpe.ts";
import { toByteAlphabet, tryFromByteAlphabet } from "../../../src/llm/tokenizer/byte-alphabet.ts";
import { characterTokenizer } from "../../../src/llm/tokenizer/character.ts";
import { CL100K_PATTERN, GPT2_PATTERN, SPLIT_PATTERN } from "../../../src/llm/tokenizer/pattern.ts";
import { fromTiktoken, fromTiktokenRanks } from "../../../src/llm/tokenizer/tiktoken.ts";
import { fromTokenizerJson, toTokenizerJson } from "../../../src/llm/tokenizer/tokenizer-json.ts";
import { trainBpe } from "../../../src/llm/tokenizer/train.ts";
import { foreignFiles, gpt2File, noGpt2Files, readGpt2Files } from "./foreign-files.ts";
import { type Encoding, encodings, fileOfRanks } from "./tiktoken-peer.ts";
import { variedTexts } from "./varied-text.ts";

const TEXT = "the cat sat on the mat, the cat's hat; 2024 日本 😀\n\nthe end of the cat\n";
const texts = variedTexts(7);
const noCut = { type: "ByteLevel", add_prefix_space: false, use_regex: false };

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
    normalizer: null,
    post_processor: null,
    decoder: { type: "ByteLevel" },
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

test("special tokens are in id order whatever the order in the file", () => {
  const added_tokens = [
    { id: 300, content: "<b>" },
    { id: 0, content: "<|endoftext|>" },
    { id: 299, content: "<a>" },
  ];
  const { specialTokens, vocabSize } = fromTokenizerJson(
    JSON.stringify({ ...foreignFile(), added_tokens }),
  );
  assert.deepEqual([...specialTokens.keys()], ["<|endoftext|>", "<a>", "<b>"]);
  assert.equal(vocabSize, 301);
});

function rankOfByte(character: string): number {
  const bytes = Array.from({ length: 256 }, (_, byte) => toByteAlphabet(Uint8Array.of(byte)));
  return bytes.sort().indexOf(toByteAlphabet(new TextEncoder().encode(character)));
}

test("what the format asks and Nutshell cannot do is refused by name", () => {
  const { model } = foreignFile();
  const refusals: readonly [change: object, message: RegExp][] = [
    [{ normalizer: { type: "NFKC" } }, /t\.json: a .* no normalizer but NFC, got .*NFKC/],
    [{ pre_tokenizer: { type: "Metaspace" } }, /pre-tokenizer must be ByteLevel.*Metaspace/],
    [{ pre_tokenizer: null }, /pre-tokenizer must be ByteLevel.*got null/],
    [{ model: { ...model, merges: ["h zz"] } }, /merges must name tokens.*h zz/],
    [{ model: { ...model, merges: ["constr uctor"] } }, /merges must name tokens/],
    [{ model: { ...model, dropout: 0.1 } }, /has no dropout, got 0\.1/],
    [{ model: { ...model, end_of_word_suffix: "</w>" } }, /has no end_of_word_suffix, got "<\/w>"/],
    [{ model: { type: "Unigram", vocab: {} } }, /must be BPE or WordLevel, got "Unigram"/],
    [{ model: { type: "BPE", vocab: { a: 0, b: -2 } } }, /ids are integers below.*"-2 for b"/],
    [{ model: { type: "BPE", vocab: { a: 0, b: 1e9 } } }, /ids are integers below.*for b/],
    [{ model: { type: "BPE", vocab: { b: 1, c: 1 } } }, /id 1 has one token, got "b and c"/],
    [{ model: { type: "BPE", vocab: { a: 1 } } }, /every byte must have a token, got "none for 0"/],
    [{ model: { type: "BPE" } }, /model\.vocab must map tokens to ids, got "undefined"/],
    [{ added_tokens: [{ id: 0, content: "<|endoftext|>", lstrip: true }] }, /take no text around/],
    [splitOn("\\b"), /split pattern must mean the same in JavaScript, got "\\\\b"/],
    [splitOn("a.b"), /must mean the same in JavaScript, got "\."/],
    [splitOn("\\p{L}++"), /must be a regular expression of JavaScript/],
    [splitOn("a", "Removed"), /pre-tokenizer must be ByteLevel, or one Split/],
  ];
  for (const [change, message] of refusals) {
    const text = JSON.stringify({ ...foreignFile(), ...change });
    assert.throws(() => fromTokenizerJson(text, "t.json"), { code: "TOKENIZER", message });
  }
});

function splitOn(regex: string, behavior = "Isolated"): object {
  const split = { type: "Split", pattern: { Regex: regex }, behavior, invert: false };
  return { pre_tokenizer: { type: "Sequence", pretokenizers: [split, noCut] } };
}

test("a damaged file is one line", () => {
  const whole = toTokenizerJson(trainBpe([TEXT], { vocabSize: 290 }));
  const torn = [whole.slice(0, whole.length >> 1), "", "{\n\n", "not JSON\nat all", "[1, 2"];
  for (const text of torn) {
    assert.throws(
      () => fromTokenizerJson(text, "t.json"),
      (error: Error) => {
        assert.match(
          error.message,
          /^tokenizer: t\.json must be JSON, got .*\. It is damaged; copy/,
        );
        return !error.message.includes("\n");
      },
    );
  }
  for (const text of ["null", "[]", "7", '"text"', "{}", '{"model": null}'])
    assert.throws(() => fromTokenizerJson(text), { message: /model\.vocab must map/ });
});

test("pieces between the matches of an unknown pattern are pieces", () => {
  const json = { ...foreignFile(), ...splitOn("[a-z]+") };
  const ids = sameAsPeer(json, ["the he, 12 t the-he \u00e9the", "", "...", "\n \n"]);
  assert.ok(ids > 20);
});

test("digits of an unknown pattern are those of Unicode, as in the tools that write it", () => {
  const { model, ...file } = foreignFile();
  const vocab = { ...(model.vocab as object), "Ù¡": 300, "Ù¡Ù¡": 301 };
  const merges = [...(model.merges as string[]), "Ù ¡", "Ù¡ Ù¡"];
  const json = { ...file, model: { ...model, vocab, merges } };
  assert.deepEqual(sameAsPeer({ ...json, ...splitOn("\\d") }, ["\u0661\u0661"]), 2);
  assert.deepEqual(sameAsPeer({ ...json, ...splitOn("\\D") }, ["\u0661\u0661"]), 1);
});

/** Ours, written for others and read by Hugging Face's library. */
test("a tokenizer trained here encodes equally through @huggingface/tokenizers", () => {
  const specialTokens = ["<|bos|>", "<|end|>"];
  for (const pattern of [SPLIT_PATTERN, GPT2_PATTERN, CL100K_PATTERN]) {
    const learned = texts.slice(0, 40).map(({ text }) => text);
    const ours = trainBpe(learned, { vocabSize: 2000, specialTokens, pattern });
    const json = JSON.parse(toTokenizerJson(ours)) as object;
    sameAsPeer(json, [...sample(16), "<|bos|>the cat<|end|>\n<|bos|> ", "<|bos|><|bos|>"], ours);
  }
});

test("text is brought into form NFC where the file asks for it, and the file says so again", () => {
  const learned = trainBpe(["caf\u00e9 \ud55c\uae00 ".repeat(20)], { vocabSize: 280 });
  const json = JSON.parse(toTokenizerJson(learned)) as object;
  const composed = { ...json, normalizer: { type: "NFC" } };
  const ours = fromTokenizerJson(JSON.stringify(composed)) as BpeTokenizer;
  const apart = "cafe\u0301 \u1112\u1161\u11ab\u1100\u1173\u11af";
  assert.deepEqual(ours.encode(apart), learned.encode("caf\u00e9 \ud55c\uae00"));
  assert.deepEqual([...ours.encodeUtf8(Buffer.from(apart))], ours.encode(apart));
  assert.notDeepEqual(learned.encode(apart), ours.encode(apart));
  const peer = new Tokenizer(composed, {});
  for (const text of [apart, ...sample(100)])
    assert.deepEqual(ours.encode(text), peer.encode(text, { add_special_tokens: false }).ids);
  assert.match(toTokenizerJson(ours), /"normalizer": \{\s*"type": "NFC"/);
});

test("a vocabulary of tiktoken encodes equally through @huggingface/tokenizers", () => {
  const [{ ranks }] = encodings as [Encoding];
  const { specialTokens } = fromTiktokenRanks(ranks);
  const ours = fromTiktoken(fileOfRanks(ranks), { pattern: CL100K_PATTERN, specialTokens });
  const special = `a${[...specialTokens.keys()].join("b ")} \n`;
  sameAsPeer(JSON.parse(toTokenizerJson(ours)) as object, [...sample(20), special], ours);
});

/** Theirs: files as other tools write them, through ours. */
for (const { title, split, file } of foreignFiles) {
  test(`${title} encodes equally through ours`, () => {
    const json = file();
    // ByteLevel's own split is JavaScript's in the peer, whose white space is not Unicode's.
    const fair = sample(14).filter((text) => split !== "ByteLevel" || !/[\ufeff\u0085]/.test(text));
    sameAsPeer(json, [...fair, ...contractions, specialText(json)]);
  });
}

test("GPT-2's own files give the merges that its ranks imply", { skip: noGpt2Files }, () => {
  const { vocab, merges } = readGpt2Files();
  const file = gpt2File();
  assert.deepEqual(file.model.merges, merges);
  assert.deepEqual(file.model.vocab, vocab);
});

/** All three must agree; returns how many ids were compared. */
function sameAsPeer(json: object, documents: readonly string[], ours?: BpeTokenizer): number {
  const peer = new Tokenizer(json, {});
  const read = fromTokenizerJson(JSON.stringify(json));
  let count = 0;
  for (const text of documents) {
    const theirs = peer.encode(text, { add_special_tokens: false }).ids;
    assert.deepEqual(read.encode(text, { specials: true }), theirs, JSON.stringify(text));
    if (ours) assert.deepEqual(ours.encode(text, { specials: true }), theirs);
    assert.equal(read.decode(theirs, { specials: true }), text);
    count += theirs.length;
  }
  return count;
}

/** Every n-th document, of every kind, shortened: the peer is slow. */
function sample(step: number): string[] {
  return texts
    .filter((_, i) => i % step === 0)
    .map(({ text }) => text.slice(0, 6000).toWellFormed());
}

const contractions = ["I'LL we'Ve you're'S 'd 'ſ", "it's IT'S 'Sabc ''s", "don't\n'T 'tis"];

function specialText(json: { added_tokens: readonly { content: string }[] }): string {
  return json.added_tokens.map(({ content }) => `x ${content} y\n${content}`).join(" ");
}
