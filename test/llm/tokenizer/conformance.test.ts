/**
 * The tokenizer beside the implementations that define gpt2 and cl100k_base: equal ids for every
 * document of five megabytes of varied text. JavaScript's `\s` holds U+FEFF and lacks U+0085, so
 * js-tiktoken cuts around these two unlike tiktoken: a vocabulary read from its `ranks` does as it
 * does, one read from a `.tiktoken` file as tiktoken does.
 */

import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import cl100kPeer from "gpt-tokenizer/encoding/cl100k_base";
import gpt2Peer from "gpt-tokenizer/encoding/r50k_base";
import { Tiktoken } from "js-tiktoken/lite";
import { fromTiktoken, fromTiktokenRanks } from "../../../src/llm/tokenizer/tiktoken.ts";
import { createUnicodePeer, encodings, fileOfRanks, peerEncode } from "./tiktoken-peer.ts";
import { createDice, type VariedText, variedTexts } from "./varied-text.ts";

const SEED = 20_241_123;
const texts = variedTexts(SEED);
/** Where JavaScript's white space is not Unicode's. */
const ODD_SPACE = /[\ufeff\u0085]/;

test("the text is varied and large enough", () => {
  const bytes = texts.reduce((sum, { text }) => sum + Buffer.byteLength(text), 0);
  assert.ok(bytes >= 5e6, `only ${bytes} bytes`);
  assert.ok(new Set(texts.map(({ kind }) => kind)).size >= 18);
  assert.ok(texts.some(({ text }) => ODD_SPACE.test(text)));
});

for (const { name, ranks, pattern } of encodings) {
  const fromRanks = fromTiktokenRanks(ranks);
  const specialTokens = fromRanks.specialTokens;
  const fromFile = fromTiktoken(fileOfRanks(ranks), { pattern, specialTokens });
  const peer = new Tiktoken(ranks);
  const unicodePeer = createUnicodePeer(ranks);

  test(`${name}: equal to js-tiktoken on every document`, () => {
    for (const document of texts) {
      const theirs = peerEncode(peer, document.text);
      assertEqualIds(fromRanks.encode(document.text), theirs, document);
      const odd = ODD_SPACE.test(document.text);
      const original = odd ? peerEncode(unicodePeer, document.text) : theirs;
      assertEqualIds(fromFile.encode(document.text), original, document);
      assert.equal(fromFile.decode(theirs), document.text);
    }
  });

  test(`${name}: UTF-8 bytes encode as their text does`, () => {
    for (const { text } of texts.filter((_, i) => i % 9 === 0)) {
      assert.deepEqual([...fromFile.encodeUtf8(Buffer.from(text))], fromFile.encode(text));
    }
  });

  test(`${name}: special tokens where they are asked for`, () => {
    const text = [...specialTokens.keys()].map((special) => `a ${special} b\n`).join("");
    assert.deepEqual(fromRanks.encode(text, { specials: true }), peer.encode(text, "all"));
    assert.deepEqual(fromRanks.encode(text), peerEncode(peer, text));
    const ids = fromRanks.encode(text, { specials: true });
    assert.equal(fromRanks.decode(ids, { specials: true }), text);
  });

  test(`${name}: decode(encode(text)) = text for any string`, () => {
    const anyText = fc.oneof(fc.string({ unit: "grapheme" }), fc.string({ unit: "binary" }));
    fc.assert(
      fc.property(anyText, (text) => {
        const ids = fromFile.encode(text);
        assert.equal(fromFile.decode(ids), text.toWellFormed());
        assert.deepEqual(ids, peerEncode(unicodePeer, text.toWellFormed()));
      }),
      { numRuns: 500 },
    );
  });
}

/** js-tiktoken needs minutes for these, gpt-tokenizer does not. */
test("very long words and runs: equal to gpt-tokenizer", () => {
  const dice = createDice(SEED);
  const letters = Array.from({ length: 8000 }, () => "etaoinshrd"[dice(10)]).join("");
  const runs = ["a", "Z", " ", "\t", "7", "-", "é", "日", "😀"].map((unit) => unit.repeat(2000));
  const peers = [gpt2Peer, cl100kPeer];
  for (const [i, { ranks }] of encodings.entries()) {
    const ours = fromTiktokenRanks(ranks);
    for (const text of [letters, ...runs].map((run) => `x${run}.`)) {
      const theirs = peers[i]?.encode(text) as number[];
      assertEqualIds(ours.encode(text), theirs, { kind: "runs", text });
    }
  }
});

test("known answers", () => {
  const answers: readonly [string, number[], number[]][] = [
    ["hello world", [31373, 995], [15339, 1917]],
    ["rer", [11751], [38149]],
    ["'rer", [821, 81], [2351, 81]],
    ["today\n \n", [40838, 198, 220, 198], [31213, 27907]],
    ["👍", [41840, 235], [9468, 239, 235]],
  ];
  const [gpt2, cl100k] = encodings.map(({ ranks }) => fromTiktokenRanks(ranks));
  for (const [text, small, large] of answers) {
    assert.deepEqual(gpt2?.encode(text), small);
    assert.deepEqual(cl100k?.encode(text), large);
  }
});

/** Says where two sequences part; a diff of all would be megabytes. */
function assertEqualIds(ours: readonly number[], theirs: readonly number[], of: VariedText): void {
  const at = theirs.findIndex((id, i) => ours[i] !== id);
  if (at < 0 && ours.length === theirs.length) return;
  const near = (ids: readonly number[]): string => ids.slice(Math.max(0, at - 3), at + 5).join(" ");
  const start = JSON.stringify(of.text.slice(0, 60));
  assert.fail(`${of.kind} ${start}: token ${at} differs, ${near(ours)} for ${near(theirs)}`);
}
