/** `nutshell tokenizer` through the real command line, on text made here. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { dispatch } from "../../../src/cli/dispatch.ts";
import { renderTokens } from "../../../src/cli/tokenizer/render-tokens.ts";
import { CL100K_PATTERN } from "../../../src/llm/tokenizer/pattern.ts";
import { fromTokenizerJson } from "../../../src/llm/tokenizer/tokenizer-json.ts";
import { RecordedStreams } from "../recorded-streams.ts";

const root = mkdtempSync(join(tmpdir(), "nutshell-tokenizer-"));
after(() => rmSync(root, { recursive: true, force: true }));
const at = (name: string): string => join(root, name);

/** Sixty short documents in two sources. */
for (const source of ["cats", "numbers"]) {
  mkdirSync(at(`text/${source}`), { recursive: true });
  for (let i = 0; i < 30; i++) {
    const cats = `The cat isn't on mat ${i}; WE'LL see the other cat, 日本 👍🏽.\n`;
    const text = source === "cats" ? cats : `${i * 12345} + ${i * i} = ${i * 12345 + i * i}\n`;
    writeFileSync(at(`text/${source}/${i}.txt`), text.repeat(20));
  }
}

async function tokenizer(...words: string[]): Promise<{ code: number; out: string; err: string }> {
  const streams = new RecordedStreams();
  const code = await dispatch(["tokenizer", ...words], streams);
  return { code, out: streams.out, err: streams.err };
}

const trainWords = ["train", "--data", at("text"), "--vocab-size", "340"];

test("train writes tokenizer.json; encode and decode read it", async () => {
  const words = ["--tokenizer", at("t.json")];
  const { code, out, err } = await tokenizer(...trainWords, ...words, "--json");
  assert.equal(code, 0, err);
  const { seconds, bytes, ...facts } = JSON.parse(out);
  assert.deepEqual(facts, { tokenizer: at("t.json"), vocab_size: 340 });
  assert.ok(seconds > 0 && bytes > 40_000);
  assert.match(err, /^learning from .* bytes of /);
  const text = "The cat, 日本 👍🏽\n";
  const encoded = await tokenizer("encode", text, ...words);
  const ours = fromTokenizerJson(readFileSync(at("t.json"), "utf8"));
  assert.equal(encoded.out, `${ours.encode(text).join(" ")}\n`);
  assert.equal((await tokenizer("decode", encoded.out, ...words)).out, text);
  const json = JSON.parse((await tokenizer("encode", text, "--json", "--show", ...words)).out);
  assert.deepEqual(json.ids, ours.encode(text));
  assert.equal(json.bytes, Buffer.byteLength(text));
  assert.equal(json.tokens.length, json.ids.length);
});

test("pattern, ties, special tokens and threads are the trainer's", async () => {
  const words = ["--pattern", "cl100k", "--ties", "larger-bytes", "--special-tokens", "<a>, <b>"];
  const file = ["--tokenizer", at("cl.json")];
  assert.equal((await tokenizer(...trainWords, ...words, ...file, "--threads", "1")).code, 0);
  const one = readFileSync(at("cl.json"), "utf8");
  const ours = fromTokenizerJson(one);
  assert.deepEqual([...ours.specialTokens.keys()], ["<a>", "<b>"]);
  assert.equal(ours.kind === "bpe" && ours.vocabulary.pattern, CL100K_PATTERN);
  await tokenizer(...trainWords, ...words, ...file, "--threads", "2");
  assert.equal(readFileSync(at("cl.json"), "utf8"), one);
  await tokenizer(...trainWords, "--pattern", "cl100k", "--special-tokens", "<a>,<b>", ...file);
  assert.notEqual(readFileSync(at("cl.json"), "utf8"), one);
  const { out } = await tokenizer("encode", "x<b><a>", "--specials", ...file);
  assert.equal(out, "120 339 338\n");
  assert.equal((await tokenizer("decode", "120 339", "--specials", ...file)).out, "x<b>");
  assert.equal((await tokenizer("decode", "120,339", ...file)).out, "x");
});

test("X.tiktoken is written and read, pattern and special tokens named beside it", async () => {
  const words = ["--tokenizer", at("r.tiktoken"), "--pattern", "gpt2", "--special-tokens", "<s>"];
  assert.equal((await tokenizer(...trainWords, ...words)).code, 0);
  const lines = readFileSync(at("r.tiktoken"), "utf8").split("\n");
  assert.equal(lines[0], "AA== 0");
  assert.equal(lines.length, 340); // 339 ranks and the end
  await tokenizer(...trainWords, ...words.slice(2), "--tokenizer", at("r.json"));
  const text = "WE'LL see the cat 12345<s>";
  const asRanks = await tokenizer("encode", text, "--specials", ...words);
  const asJson = await tokenizer("encode", text, "--specials", "--tokenizer", at("r.json"));
  assert.equal(asRanks.out, asJson.out);
  assert.match(asRanks.out, / 339\n$/);
});

test("published ranks need no flags", async () => {
  const folder = new URL("../../../node_modules/gpt-tokenizer/data/", import.meta.url).pathname;
  const answers = [
    ["r50k_base", "31373 995 1849 50256"],
    ["cl100k_base", "15339 1917 4194 100257"],
  ] as const;
  for (const [name, ids] of answers) {
    const words = ["--tokenizer", `${folder}${name}.tiktoken`, "--specials"];
    const { out } = await tokenizer("encode", "hello world\u00a0<|endoftext|>", ...words);
    assert.equal(out, `${ids}\n`);
  }
});

test("text comes from --file and from stdin, byte for byte", () => {
  writeFileSync(at("input.txt"), Buffer.from("cat \xff\xfe é", "latin1"));
  const main = new URL("../../../src/cli/main.ts", import.meta.url).pathname;
  const run = (input: Buffer, ...words: string[]): Buffer =>
    spawnSync(process.execPath, [main, "tokenizer", ...words, "--tokenizer", at("t.json")], {
      input,
    }).stdout;
  const fromFile = run(Buffer.alloc(0), "encode", "--file", at("input.txt"));
  assert.deepEqual(run(readFileSync(at("input.txt")), "encode"), fromFile);
  const ids = fromFile.toString().trim().split(" ").map(Number);
  const ours = fromTokenizerJson(readFileSync(at("t.json"), "utf8"));
  assert.deepEqual(Buffer.from(ours.decodeBytes(ids)), readFileSync(at("input.txt")));
  assert.equal(run(fromFile, "decode").toString(), "cat \ufffd\ufffd \ufffd");
});

test("eval counts the same tokens as encode, for each source and vocabulary", async () => {
  const words = ["eval", "--tokenizer", at("t.json"), "--data", at("text")];
  const { code, out, err } = await tokenizer(...words, "--json");
  assert.equal(code, 0, err);
  const { rows, vocab_size, missing } = JSON.parse(out);
  assert.deepEqual(missing, []);
  assert.deepEqual(vocab_size, { this: 340, gpt2: 50257, cl100k_base: 100277 });
  assert.deepEqual(
    rows.map(({ source }: { source: string }) => source),
    ["cats", "numbers", "all"],
  );
  for (const { bytes, tokens } of rows) assert.ok(bytes > 0 && tokens.this > 0 && tokens.gpt2 > 0);
  const table = (await tokenizer(...words)).out.split("\n");
  assert.match(table[1] ?? "", /^source +domain +bytes +this +gpt2 +cl100k_base$/);
  const [cats] = rows;
  assert.ok(table[3]?.includes((cats.bytes / cats.tokens.this).toFixed(3)), table[3]);
});

test("tokens to look at: lines elsewhere, two backgrounds on a terminal", async () => {
  const ours = fromTokenizerJson(readFileSync(at("t.json"), "utf8"));
  const text = "the cat\n\x1b[31m é👍";
  const ids = ours.encode(text);
  const plain = renderTokens(ours, ids, Buffer.byteLength(text), false);
  assert.match(plain, /^ *\d+ {2}the\n *\d+ {2} cat\n/);
  assert.match(plain, /\\n/);
  assert.match(plain, /\n\d+ tokens, 20 bytes, \d\.\d\d bytes a token\n$/);
  assert.ok(!plain.includes("\x1b"), "escapes of the text must not reach the terminal");
  const coloured = renderTokens(ours, ids, Buffer.byteLength(text), true);
  const backgrounds = coloured.match(/\[30;48;5;\d+m/g) ?? [];
  assert.equal(backgrounds.length, ids.length);
  assert.notEqual(backgrounds[0], backgrounds[1]);
  assert.equal(backgrounds[0], backgrounds[2]);
  assert.equal(renderTokens(ours, [], 0, true), "0 tokens, 0 bytes\n");
});

const damaged = (name: string, text: string): string => {
  writeFileSync(at(name), text);
  return at(name);
};

test("what is wrong is one line with its code", async () => {
  const t = ["--tokenizer", at("t.json")];
  const torn = damaged("torn.json", readFileSync(at("t.json"), "utf8").slice(0, 3000));
  const base64 = damaged("bad.tiktoken", "AA== 0\n!! 1\n");
  const twice = damaged("twice.tiktoken", "AA== 0\nAQ== 0\n");
  const few = damaged("few.tiktoken", "AA== 0\n");
  const wrong: readonly [words: readonly string[], code: number, message: RegExp][] = [
    [
      ["encode", "a", "--tokenizer", at("none.json")],
      1,
      /^TOKENIZER .*none\.json must be readable/,
    ],
    [["encode", "a", "--tokenizer", torn], 1, /^TOKENIZER .*torn\.json must be JSON/],
    [
      ["encode", "a", "--tokenizer", base64],
      1,
      /bad\.tiktoken line 2: a token is .*base64, got "!!"/,
    ],
    [["encode", "a", "--tokenizer", twice], 1, /twice\.tiktoken line 2: every rank has one token/],
    [["encode", "a", "--tokenizer", few], 1, /few\.tiktoken: every byte must have a token/],
    [["decode", "340", ...t], 1, /^TOKENIZER .*lies in \[0, 340\), got 340/],
    [["decode", "4x", ...t], 2, /^USAGE .*token ids are integers, got "4x"/],
    [["encode", "a", "--file", "b", ...t], 2, /^USAGE .*one text, got TEXT and --file b/],
    [["encode", "--file", at("gone"), ...t], 1, /^DATA .*gone must be readable/],
    [["trian"], 2, /^USAGE tokenizer: no action "trian"\. Did you mean "train"\?/],
    [["train", "--pattern", "gpt3"], 2, /^USAGE --pattern must be one of own, gpt2, cl100k/],
    [["train", "--special-tokens", "a,a"], 2, /^USAGE --special-tokens: .*got a twice/],
    [[...trainWords, "--tokenizer", at("text")], 1, /^DISK .*must be writable/],
    [["train", "--data", at("text"), "--vocab-size", "9"], 1, /^TOKENIZER .*at least 257/],
  ];
  for (const [words, code, message] of wrong) {
    const result = await tokenizer(...words);
    const last = result.err.trimEnd().split("\n").at(-1) ?? "";
    assert.match(last, message);
    assert.equal(result.code, code, last);
    assert.equal(result.out, "");
  }
});
