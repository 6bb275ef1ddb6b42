import assert from "node:assert/strict";
import { test } from "node:test";
import {
  builtinBytes,
  builtinNames,
  builtinSource,
  readBuiltinPart,
} from "../../../src/llm/data/builtin/builtin.node.ts";
import { createStories, createStory } from "../../../src/llm/data/builtin/stories.ts";
import { createTelling, tell } from "../../../src/llm/data/builtin/template.ts";
import { renderEntry } from "../../../src/llm/data/builtin/wordnet.node.ts";
import { utf8Length } from "../../../src/llm/data/document.ts";

test("templates choose, bind, capitalise and mend the article", () => {
  const telling = createTelling({ toy: ["orange kite"], pet: ["cat"] }, 1, 0);
  assert.equal(tell(telling, "[A] {gift=toy} and a {pet}."), "An orange kite and a cat.");
  assert.equal(tell(telling, "{Gift}: [[x|x]y|xy]"), "Orange kite: xy");
  const other = createTelling({ pet: ["cat", "dog"] }, 1, 0);
  assert.notEqual(tell(other, "{one=pet}"), tell(other, "{pet}"), "a used word was drawn again");
});

test("stories are the same every time, finished, and hardly ever repeat", () => {
  const stories = createStories(4000);
  assert.equal(createStory(1234), stories[1234]?.text);
  const texts = stories.map(({ text }) => text);
  assert.equal(new Set(texts).size, texts.length);
  for (const text of texts) {
    assert.doesNotMatch(text, /[[\]{}|]|\ba [aeiou]|undefined|\s{3}/);
    assert.match(text, /[.!?]"?$/);
    assert.equal(text.split('"').length % 2, 1, `quotes do not pair: ${text}`);
  }
  const sentences = texts.flatMap((text) => text.split(/(?<=[.!?]"?)\s+/));
  const distinct = new Set(sentences).size;
  assert.ok(distinct > 25_000, `only ${distinct} distinct sentences`);
});

test("a WordNet line becomes a dictionary entry", () => {
  const line =
    "00404705 30 v 02 puncture 0 let_air_out 0 002 @ 00404874 v 0000 02 + 08 00 + 11 00 | " +
    'cause to lose air pressure; make flat; "puncture an air balloon"; "he punctured it"  ';
  assert.equal(
    renderEntry(line),
    "Puncture, let air out: Cause to lose air pressure; make flat. Puncture an air balloon. " +
      "He punctured it.",
  );
});

test("the built-in mixture stands on its own", () => {
  assert.deepEqual(builtinNames, ["stories", "wordnet", "factbook", "package-docs"]);
  for (const name of builtinNames) {
    const documents = [...readBuiltinPart(name)];
    const bytes = documents.reduce((sum, { text }) => sum + utf8Length(text), 0);
    assert.ok(bytes > 500_000, `${name} has ${bytes} bytes`);
    assert.ok(Math.abs(bytes / builtinBytes(name) - 1) < 0.25, `${name}: ${bytes} bytes`);
    assert.equal(new Set(documents.map(({ id }) => id)).size, documents.length, name);
  }
  const weights = builtinNames.map((name) => builtinSource(name).weight);
  const [stories = 0] = weights;
  assert.ok(stories / weights.reduce((sum, weight) => sum + weight, 0) > 0.5, "stories dominate");
});
