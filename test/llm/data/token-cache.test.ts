import assert from "node:assert/strict";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { tokenizeCached } from "../../../src/llm/data/token-cache.node.ts";
import { tokenizeSources } from "../../../src/llm/data/tokens.ts";
import { trainBpe } from "../../../src/llm/tokenizer/train.ts";

const root = mkdtempSync(join(tmpdir(), "nutshell-tokens-"));
after(() => rmSync(root, { recursive: true }));

const texts = ["the cat sat", "on the mat", "über 日本 😀"];
const documents = texts.map((text, i) => ({ id: `${i}`, text }));
const source = (name: string, weight: number) => ({
  name,
  weight,
  licence: "",
  train: documents.slice(0, 2),
  validation: [...documents.slice(2), { id: name, text: name }],
});
const sources = [source("a", 1), source("b", 2)];
const tokenizer = trainBpe(texts, { vocabSize: 270 });

/** Counts the documents that were tokenised, not read back. */
function load(folder: string, from = sources, using = tokenizer) {
  let tokenized = 0;
  const tokens = tokenizeCached(from, using, folder, () => tokenized++);
  assert.deepEqual(tokens, tokenizeSources(from, using));
  return tokenized;
}

test("a second start reads what the first one wrote", () => {
  const folder = join(root, "plain");
  assert.equal(load(folder), 8);
  assert.equal(readdirSync(folder).length, 2);
  assert.equal(load(folder), 0);
  assert.equal(load(folder, [source("b", 9)]), 0, "the weight does not matter");
});

test("other text, another tokenizer or a damaged file is tokenised again", () => {
  const folder = join(root, "changed");
  load(folder);
  assert.equal(load(folder, [source("c", 1), source("b", 2)]), 4);
  assert.equal(load(folder, sources, trainBpe(texts, { vocabSize: 258 })), 8);
  assert.equal(readdirSync(folder).length, 2, "files of the old tokenizer are gone");
  load(folder);
  for (const name of readdirSync(folder)) {
    const bytes = readFileSync(join(folder, name));
    bytes[bytes.length - 1] = (bytes.at(-1) as number) ^ 1;
    writeFileSync(join(folder, name), bytes);
  }
  assert.equal(load(folder), 8);
  for (const name of readdirSync(folder)) writeFileSync(join(folder, name), "torn");
  assert.equal(load(folder), 8);
  assert.equal(load(folder), 0);
});

test("a folder that cannot be written costs only time", () => {
  const file = join(root, "file");
  writeFileSync(file, "");
  assert.equal(load(join(file, "below")), 8);
});
