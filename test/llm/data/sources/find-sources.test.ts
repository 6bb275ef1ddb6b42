import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";
import { gzipSync } from "node:zlib";
import { findSources } from "../../../../src/llm/data/sources/find-sources.node.ts";
import type { MixtureFile } from "../../../../src/llm/data/sources/mixture-file.ts";
import { parseMixtureFile } from "../../../../src/llm/data/sources/mixture-file.ts";
import { readParts, refused, root, write } from "./scratch.ts";

const summary = async (path: string) => {
  const { sources } = await findSources(path);
  return sources.map(({ name, weight, licence, domain }) => [name, weight, licence, domain]);
};

test("the known layout is weighted by its table, what else lies there by size", async () => {
  write("known/wikipedia/a.jsonl", '{"id":1,"text":"one"}\n');
  write("known/stories/a.jsonl", '{"id":1,"text":"once"}\n');
  write("known/README.md", "not a source");
  assert.deepEqual(await summary(join(root, "known")), [
    ["stories", 0.06, "CDLA-Sharing-1.0, CC BY per story", "books"],
    ["wikipedia", 0.3, "CC BY-SA 3.0", "encyclopedia"],
  ]);
  write("known/mine/a.txt", "x".repeat(45));
  const [mine] = await summary(join(root, "known"));
  assert.deepEqual(mine, ["mine", 0.36, "as its owner says", "other"]);
  // One of the names alone may be anybody's folder.
  write("lone/books/a.txt", "mine too");
  const [books] = await summary(join(root, "lone/books"));
  assert.deepEqual(books, ["books", 8, "as its owner says", "other"]);
});

test("other folders are weighted by the size of their text", async () => {
  write("other/x/a.txt", "12345");
  write("other/x/b.txt", "é5");
  write("other/y/a.txt.gz", gzipSync("123".repeat(100)));
  write("other/README.md", "about");
  assert.deepEqual(await summary(join(root, "other")), [
    ["x", 8, "as its owner says", "other"],
    ["y", 300, "as its owner says", "other"],
  ]);
  write("other/loose.txt", "loose");
  const { sources } = await findSources(join(root, "other"));
  assert.deepEqual(
    sources.map(({ name }) => name),
    ["other"],
  );
  const one = await findSources(join(root, "other/x/a.txt"));
  assert.deepEqual([one.sources[0]?.name, one.sources[0]?.weight], ["a.txt", 5]);
});

test("a folder without text is one of code when it holds some", async () => {
  write("project/main.ts", "export {};\n");
  write("project/lib/min.min.js", "x");
  const [source] = (await findSources(join(root, "project"))).sources;
  assert.equal(source?.domain, "code");
  assert.match(source?.card ?? "", /project: 1 files; left out: 1 minified/);
  await assert.rejects(findSources(join(root, "project/lib")), refused("DATA", /lib: .*got none/));
});

test("a folder says its licence in a README or a card", async () => {
  write("said/a/README.md", "---\nlicense: cc-by-4.0\nlanguage:\n- de\n---\n# A\n");
  write("said/a/a.txt", "text");
  write("said/b/README.txt", "B\n\n**Licence:** CC0 1.0.\n");
  write("said/b/b.txt", "text");
  write("said/c/card.json", '{"license":"MIT","language":"fr","domain":"books","card":"C."}');
  write("said/c/c.txt", "text");
  write("said/d/README.md", "just a text");
  const { sources } = await findSources(join(root, "said"));
  const stated = sources.map(({ licence, language, domain, card }) => {
    return [licence, language, domain, card];
  });
  assert.deepEqual(stated, [
    ["cc-by-4.0", "de", "other", "Text of a."],
    ["CC0 1.0", undefined, "other", "Text of b."],
    ["MIT", "fr", "books", "C."],
    ["as its owner says", undefined, "other", "Text of d."],
  ]);
  const texts = await readParts(sources.flatMap(({ parts }) => parts));
  assert.deepEqual(
    texts.map(({ id }) => id),
    ["a.txt", "b.txt", "c.txt", "README.md"],
  );
  write("said/c/card.json", '{"domain":"boks"}');
  await assert.rejects(
    findSources(join(root, "said")),
    refused("CONFIG", /card\.json: .*domain must be one of web, .*got "boks"/),
  );
});

test("a mixture file names its sources, in the folder or by itself", async () => {
  write("mix/laws/1.txt", "law one");
  write("mix/laws/card.json", '{"licence":"public domain","domain":"books"}');
  write("mix/more.jsonl", '{"text":"more"}\n');
  write("mix/src/a.ts", "export const a = 1;\n");
  const file = write(
    "mix/mixture.json",
    JSON.stringify({
      sources: [
        { name: "laws", paths: ["laws", "more.jsonl"], weight: 2, maxEpochs: 4, language: "en" },
        { name: "mine", code: "src", licence: "MIT", weight: 1 },
        { name: "tales", builtin: "stories", weight: 1, card: "Tales." },
      ],
      preset: "as-given",
      temperature: 2,
      schedule: [{ at: 0.5, weights: { laws: 9 } }],
    }),
  );
  for (const path of [file, join(root, "mix")]) {
    const { sources, settings, bytes, origin } = await findSources(path);
    assert.equal(origin, file);
    assert.deepEqual(settings, {
      preset: "as-given",
      temperature: 2,
      schedule: [{ at: 0.5, weights: { laws: 9 } }],
    });
    assert.deepEqual(bytes.slice(0, 2), [7 + 16, 20]);
    const [laws, mine, tales] = sources;
    assert.deepEqual([laws?.weight, laws?.maxEpochs, laws?.language], [2, 4, "en"]);
    assert.deepEqual([laws?.licence, laws?.domain], ["public domain, as its owner says", "books"]);
    assert.deepEqual(
      laws?.parts.map(({ name }) => name),
      ["laws/1.txt", "more.jsonl/more.jsonl"],
    );
    assert.deepEqual([mine?.domain, mine?.licence], ["code", "MIT"]);
    const expected = ["Tales.", "Apache-2.0", "books", [{ kind: "builtin", name: "stories" }]];
    assert.deepEqual([tales?.card, tales?.licence, tales?.domain, tales?.parts], expected);
  }
});

const source = { name: "a", path: "a.txt" };
const mixture = (file: object): MixtureFile => parseMixtureFile(JSON.stringify(file), "m.json");

/** What is wrong with a mixture file, and what the one line must say. */
const badMixtures: readonly (readonly [object | string, ...RegExp[]])[] = [
  ["{", /m\.json: must be JSON, got /],
  ["[]", /m\.json: must be an object with "sources", got \[\]/],
  [{}, /m\.json: must have a list "sources"/],
  [{ sources: [] }, /sources: must be a list of sources, got \[\]/],
  [{ sources: [source], temprature: 2 }, /unknown key "temprature". Did you mean "temperature"\?/],
  [{ sources: [{ ...source, license: "x" }] }, /source "a": unknown key "license".*"licence"/],
  [{ sources: [{ ...source, domain: "law" }] }, /source "a": domain: must be one of web, /],
  [{ sources: [{ ...source, weight: -1 }] }, /weight: must be a number of at least 0, got -1/],
  [{ sources: [{ ...source, language: "english" }] }, /language: must be a code of two letters/],
  [{ sources: [{ ...source, maxEpochs: 0 }] }, /maxEpochs: must be a number above 0, got 0/],
  [{ sources: [{ path: "a.txt" }] }, /source sources\[0\]: must have "name"/],
  [{ sources: [{ name: "../a", path: "a.txt" }] }, /name: must be text of letters/],
  [{ sources: [{ name: "a" }] }, /exactly one of path, paths, code and builtin, got none/],
  [{ sources: [{ ...source, code: "src" }] }, /exactly one of .*, got path and code/],
  [
    { sources: [source, { name: "A", path: "b.txt" }] },
    /two sources must not have one name, got "a" \(a\.txt\) and "A" \(b\.txt\)\. Rename one/,
  ],
  [
    {
      sources: [
        { ...source, weight: 1 },
        { name: "b", path: "b.txt" },
      ],
    },
    /all sources must have a weight, or none, got none for b\./,
  ],
  [{ sources: [{ ...source, weight: 0 }] }, /some source must weigh more than 0/],
  [
    { sources: [source], preset: "lama" },
    /preset: must be one of as-given, natural, uniform, llama/,
  ],
  [{ sources: [source], schedule: [{ at: -1, weights: { a: 1 } }] }, /schedule\[0\]: at: must be/],
  [{ sources: [source], schedule: [{ at: 1 }] }, /schedule\[0\]: must have "weights"/],
  [
    { sources: [source], schedule: [{ at: 0, weights: { aa: 1 } }] },
    /got unknown "aa"\. Did you mean "a"\?/,
  ],
];

for (const [file, ...says] of badMixtures) {
  const json = typeof file === "string" ? file : JSON.stringify(file);
  test(`the mixture ${json} is refused in one line`, () => {
    assert.throws(() => parseMixtureFile(json, "m.json"), refused("CONFIG", /^m\.json: /, ...says));
  });
}

test("a mixture that is right is taken as it is", () => {
  assert.deepEqual(mixture({ sources: [source] }).sources, [{ name: "a", paths: ["a.txt"] }]);
});

test("what a mixture file leads to must be there", async () => {
  const at = (sources: object[]) => write("lost/mixture.json", JSON.stringify({ sources }));
  await assert.rejects(findSources(at([source])), refused("DATA", /lost\/a\.txt: .*ENOENT/));
  await assert.rejects(
    findSources(at([{ name: "b", builtin: "storys" }])),
    refused("CONFIG", /no built-in source "storys"\. Did you mean "stories"\?/),
  );
  write("lost/empty.txt", "");
  await assert.rejects(
    findSources(at([{ name: "e", path: "empty.txt" }])),
    refused("DATA", /lost\/empty\.txt: a source must hold text, got 0 bytes/),
  );
});
