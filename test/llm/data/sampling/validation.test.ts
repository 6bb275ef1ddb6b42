import assert from "node:assert/strict";
import { test } from "node:test";
import { bitsPerByte, validationBatches } from "../../../../src/llm/data/sampling/validation.ts";
import { tokenDocuments } from "../../../../src/llm/data/shards/token-documents.ts";
import { characterTokenizer } from "../../../../src/llm/tokenizer/character.ts";
import { tokenByteCounts } from "../../../../src/llm/tokenizer/tokenizer.ts";
import { trainBpe } from "../../../../src/llm/tokenizer/train.ts";

const texts = Array.from({ length: 9 }, (_, i) =>
  Array.from({ length: 4 + 3 * i }, (_, k) => `${100 * i + k} über`).join(" "),
);
const ascending = (list: number[]) => list.sort((a, b) => a - b);
const sum = (list: readonly number[]) => list.reduce((a, b) => a + b, 0);

test("validation batches count every token and every byte once", () => {
  const tokenizer = trainBpe(["the cat sat on the mat, über alles"], { vocabSize: 280 });
  const bos = tokenizer.special("<|bos|>");
  const documents = texts.map((text) => [bos, ...tokenizer.encode(text)]);
  const options = {
    ...{ documents: tokenDocuments(documents), bos, tokenBytes: tokenByteCounts(tokenizer) },
    ...{ batchSize: 2, sequenceLen: 8 },
  };
  const batches = [...validationBatches(options)];
  const counted = batches.flatMap(({ targets }) => [...targets]).filter((id) => id >= 0);
  assert.deepEqual(ascending(counted), ascending(documents.flat().filter((id) => id !== bos)));
  assert.equal(sum(batches.map(({ tokens }) => tokens)), counted.length);
  assert.equal(
    sum(batches.map(({ bytes }) => bytes)),
    sum(texts.map((text) => Buffer.byteLength(text))),
  );
  assert.ok(batches.every(({ inputs, targets }) => inputs.length === 16 && targets.length === 16));
  const half = Math.floor(batches.length / 2);
  const some = [...validationBatches({ ...options, maxBatches: half })];
  assert.equal(some.length, half);
  const rowsOf = (list: typeof batches) =>
    list.flatMap(({ inputs }) => [inputs.slice(0, 8).join(), inputs.slice(8).join()]);
  const all = rowsOf(batches);
  let at = -1;
  for (const row of rowsOf(some)) at = all.indexOf(row, at + 1);
  assert.ok(at > all.length - 5, "a part is rows of all of the text, in order");
});

test("a vocabulary without bos is measured in consecutive windows", () => {
  const tokenizer = characterTokenizer(texts.join(""));
  const ids = texts.map((text) => tokenizer.encode(text));
  const options = {
    ...{ documents: tokenDocuments(ids), bos: undefined, tokenBytes: tokenByteCounts(tokenizer) },
    ...{ batchSize: 2, sequenceLen: 8 },
  };
  const batches = [...validationBatches(options)];
  const targets = batches.flatMap((batch) => [...batch.targets]).filter((id) => id >= 0);
  assert.deepEqual(targets, ids.flat().slice(1));
  const one = { ...options, documents: tokenDocuments([[1]]) };
  assert.deepEqual([...validationBatches(one)], []);
  assert.deepEqual([...validationBatches({ ...one, documents: tokenDocuments([]) })], []);
});

test("uniform guessing over 256 bytes is eight bits per byte", () => {
  assert.equal(bitsPerByte(100 * Math.log(256), 100), 8);
});
