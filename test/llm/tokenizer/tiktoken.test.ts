import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { Tokenizer } from "@huggingface/tokenizers";
import { Tiktoken } from "js-tiktoken/lite";
import type { BpeTokenizer } from "../../../src/llm/tokenizer/bpe.ts";
import { CL100K_PATTERN, SPLIT_PATTERN } from "../../../src/llm/tokenizer/pattern.ts";
import {
  fromTiktoken,
  fromTiktokenRanks,
  type TiktokenRanks,
  toTiktoken,
} from "../../../src/llm/tokenizer/tiktoken.ts";
import { fromTokenizerJson, toTokenizerJson } from "../../../src/llm/tokenizer/tokenizer-json.ts";
import { trainBpe } from "../../../src/llm/tokenizer/train.ts";
import { compactRanks, createUnicodePeer, encodings, peerEncode } from "./tiktoken-peer.ts";
import { variedTexts } from "./varied-text.ts";

const PUBLISHED = ["r50k_base", "cl100k_base"];
const specialTokens = new Map<string, number>();

for (const [i, { name, ranks }] of encodings.entries()) {
  test(`${name} is written byte for byte as it is published`, () => {
    const path = `../../../node_modules/gpt-tokenizer/data/${PUBLISHED[i]}.tiktoken`;
    const published = readFileSync(new URL(path, import.meta.url), "utf8");
    assert.equal(toTiktoken(fromTiktokenRanks(ranks)), published);
    const back = fromTiktoken(published, { pattern: CL100K_PATTERN, specialTokens });
    assert.equal(toTiktoken(back), published);
  });
}

test("a tokenizer trained here encodes equally through js-tiktoken", () => {
  const texts = variedTexts(3).map(({ text }) => text);
  for (const pattern of [SPLIT_PATTERN, CL100K_PATTERN]) {
    const specials = ["<|bos|>", "<|end|>"];
    const ours = trainBpe(texts.slice(0, 60), {
      vocabSize: 3000,
      specialTokens: specials,
      pattern,
    });
    const file = toTiktoken(ours);
    const special_tokens = Object.fromEntries(ours.specialTokens);
    const ranks = { pat_str: pattern, special_tokens, bpe_ranks: compactRanks(file) };
    const peer = createUnicodePeer(ranks);
    const back = fromTiktoken(file, { pattern, specialTokens: ours.specialTokens });
    assert.equal(back.vocabSize, ours.vocabSize);
    for (const text of texts.filter((_, i) => i % 15 === 0)) {
      const ids = ours.encode(text);
      assert.deepEqual(ids, peerEncode(peer, text));
      assert.deepEqual(back.encode(text), ids);
    }
    const chat = "<|bos|>a<|end|>";
    assert.deepEqual(ours.encode(chat, { specials: true }), peer.encode(chat, "all"));
  }
});

test("JavaScript's white space in JavaScript's patterns, Unicode's elsewhere", () => {
  const [, cl100k] = encodings;
  const { ranks, pattern } = cl100k as (typeof encodings)[number];
  const text = "a  \ufeff! b  \u0085! c \ufeff\n\u0085\n";
  const asScript = fromTiktokenRanks(ranks).encode(text);
  assert.deepEqual(asScript, peerEncode(new Tiktoken(ranks), text));
  const asFile = fromTiktoken(toTiktoken(fromTiktokenRanks(ranks)), { pattern, specialTokens });
  assert.deepEqual(asFile.encode(text), peerEncode(createUnicodePeer(ranks), text));
  assert.notDeepEqual(asScript, asFile.encode(text));
});

const bytes = Array.from(
  { length: 256 },
  (_, byte) => `${btoa(String.fromCharCode(byte))} ${byte}`,
);

test("Windows line ends, ids in any order and holes are taken", () => {
  const lines = [...bytes, `${btoa("ab")} 300`, `${btoa("abc")} 260`].reverse();
  const ours = fromTiktoken(lines.join("\r\n"), {
    pattern: "[^]+",
    specialTokens: new Map([["<s>", 270]]),
  });
  assert.equal(ours.vocabSize, 301);
  assert.deepEqual(ours.encode("abc"), [260]); // whole
  assert.deepEqual(ours.encode("abcab"), [260, 300]); // merged: ab, then abc before the other ab
  assert.equal(ours.decode([300, 270, 260]), "ababc");
  assert.equal(ours.tokenBytes(265).length, 0);
});

test("a whole pre-token that is a token is taken, though no merges lead to it", () => {
  const lines = [...bytes, `${btoa("abc")} 256`, ""].join("\n");
  const ours = fromTiktoken(lines, { pattern: "[a-c]+", specialTokens });
  const ranks = { pat_str: "[a-c]+", special_tokens: {}, bpe_ranks: compactRanks(lines) };
  const json = JSON.parse(toTokenizerJson(ours)) as object;
  for (const [text, ids] of [
    ["abc", [256]],
    ["abca", [97, 98, 99, 97]],
  ] as const) {
    assert.deepEqual(ours.encode(text), ids);
    assert.deepEqual(peerEncode(new Tiktoken(ranks), text), ids);
    assert.deepEqual(new Tokenizer(json, {}).encode(text).ids, ids);
    assert.deepEqual(fromTokenizerJson(JSON.stringify(json)).encode(text), ids);
  }
});

const damages: readonly [lines: readonly string[], message: RegExp][] = [
  [[...bytes, "YW= 256"], /x\.tiktoken line 257: a token is written in base64, got "YW="/],
  [[...bytes, "Y*Jh 256"], /line 257: a token is written in base64, got "Y\*Jh"/],
  [[...bytes, "YWI="], /line 257: a rank is an integer below 16777216, got ""/],
  [[...bytes, "YWI= -1"], /line 257: a rank is an integer below 16777216, got "-1"/],
  [[...bytes, "YWI= 99999999999"], /line 257: a rank is an integer below/],
  [[...bytes, "YWI= 97"], /line 257: every rank has one token, got "97 again"/],
  [[...bytes, "YQ== 256"], /line 257: every token has one rank, got "YQ== again"/],
  [bytes.slice(1), /x\.tiktoken: every byte must have a token, got "none for 0"/],
  [["<!DOCTYPE html>"], /line 1: a token is written in base64, got "<!DOCTYPE"/],
  [[], /every byte must have a token/],
];

for (const [lines, message] of damages) {
  test(`refused: ${lines.slice(256).join(" ") || `${lines.length} lines`}`, () => {
    const read = () =>
      fromTiktoken(lines.join("\n"), { pattern: SPLIT_PATTERN, specialTokens }, "x.tiktoken");
    assert.throws(read, (error: Error & { code?: string }) => {
      assert.match(error.message, message);
      assert.match(error.message, /^tokenizer: [^\n]+ copy it again\.$/);
      return error.code === "TOKENIZER";
    });
  });
}

test("special tokens need ids of their own", () => {
  const read = (special: readonly [string, number][]) => () =>
    fromTiktoken(bytes.join("\n"), { pattern: SPLIT_PATTERN, specialTokens: new Map(special) });
  assert.throws(read([["<a>", 97]]), /special token <a> needs an id of its own, got "97"/);
  assert.throws(
    read([
      ["<a>", 256],
      ["<b>", 256],
    ]),
    /special token <b> needs an id of its own/,
  );
  assert.throws(read([["<a>", 1.5]]), /needs an id of its own, got "1\.5"/);
});

test("a pattern that JavaScript cannot run is named", () => {
  const ranks: TiktokenRanks = {
    pat_str: "\\p{L}++",
    special_tokens: {},
    bpe_ranks: compactRanks(bytes.join("\n")),
  };
  assert.throws(() => fromTiktokenRanks(ranks), {
    code: "TOKENIZER",
    message: /got "\\\\p\{L\}\+\+"/,
  });
});

test("merges that do not follow the ids cannot become ranks", () => {
  const ours = trainBpe(["the cat the cat the mat"], { vocabSize: 262, specialTokens: [] });
  const json = JSON.parse(toTokenizerJson(ours)) as { model: { merges: unknown[] } };
  json.model.merges.reverse();
  const turned = fromTokenizerJson(JSON.stringify(json)) as BpeTokenizer;
  assert.throws(
    () => toTiktoken(turned),
    /merges in the order of token ids.*merge 1 makes token 26\d/,
  );
});
