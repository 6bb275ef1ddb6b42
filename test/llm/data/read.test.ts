import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { after, test } from "node:test";
import { gzipSync } from "node:zlib";
import { loadMixture } from "../../../src/llm/data/mixture.node.ts";
import { readDocuments } from "../../../src/llm/data/read-source.node.ts";

const root = mkdtempSync(join(tmpdir(), "nutshell-data-"));
after(() => rmSync(root, { recursive: true }));

function write(name: string, content: string | Uint8Array): string {
  const path = join(root, name);
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, content);
  return path;
}

test("each row shape becomes plain text", () => {
  const rows = [
    { id: 7, title: "Fox", text: "A fox is an animal." },
    { question: "What is it?", answer: "A fox." },
    { question: "Which one?", choices: ["ox", "fox"], answer: 1 },
    {
      id: "d",
      turns: [
        { agent: 0, text: "Hi." },
        { agent: 1, text: "Hello." },
      ],
    },
    "just a string",
  ];
  const path = write("rows.jsonl", rows.map((row) => JSON.stringify(row)).join("\n"));
  assert.deepEqual(readDocuments(path), [
    { id: "7", text: "Fox\n\nA fox is an animal." },
    { id: "rows.jsonl:2", text: "Question: What is it?\nAnswer: A fox." },
    { id: "rows.jsonl:3", text: "Question: Which one?\nAnswer: fox" },
    { id: "d", text: "A: Hi.\nB: Hello." },
    { id: "rows.jsonl:5", text: "just a string" },
  ]);
});

test("a folder gives its text files in order, gzip or not, and nothing else", () => {
  write("folder/b.txt", "second");
  write("folder/a/deep.md.gz", gzipSync("first"));
  write("folder/image.png", Uint8Array.of(0, 1));
  write("folder/.hidden.txt", "no");
  assert.deepEqual(readDocuments(join(root, "folder")), [
    { id: join("a", "deep.md.gz"), text: "first" },
    { id: "b.txt", text: "second" },
  ]);
});

/** Every way a source can be bad: what is written, what the one line must say. */
const badFiles: Readonly<Record<string, readonly [content: string | Uint8Array, says: RegExp]>> = {
  "empty.txt": ["", /empty\.txt: .*0 bytes/],
  "blank.txt": [" \n\n", /blank\.txt: .*white space only/],
  "binary.txt": [Uint8Array.of(65, 66, 0, 67), /binary\.txt: .*NUL byte at offset 2.*binary/],
  "latin1.txt": [Buffer.from("caf\xe9 au lait", "latin1"), /byte 0xe9 at offset 3.*iconv/],
  "cut.txt": [Buffer.from("ab😀").subarray(0, 4), /byte 0xf0 at offset 2/],
  "long.txt": [
    Buffer.concat([Buffer.from("é".repeat(500)), Buffer.of(0xff), Buffer.from("é".repeat(900))]),
    /byte 0xff at offset 1000/,
  ],
  "broken.jsonl": [
    '{"text":"a"}\n{"text":\n',
    /broken\.jsonl: line 2: every line must be one JSON/,
  ],
  "textless.jsonl": ['{"text":"a"}\n\n{"label":"b"}\n', /line 3: a row must have "text".*"label"/],
  "torn.txt.gz": [gzipSync("hello hello hello").subarray(0, 20), /torn\.txt\.gz: .*unexpected end/],
  "false.txt.gz": ["plain", /false\.txt\.gz: a \.gz file must be whole gzip/],
  "one.txt": ["Only one short text.", /at least 2 documents.*got 1 of 20/],
  "one.jsonl": ['{"text":"Only one row."}', /at least 2 documents.*got 1 of 13/],
};

for (const [name, [content, says]] of Object.entries(badFiles)) {
  test(`${name} is refused in one line`, () => {
    const data = write(join("bad", name), content);
    assert.throws(
      () => loadMixture({ data }),
      (error: Error & { code?: string }) => {
        assert.equal(error.code, "DATA");
        assert.match(error.message, says);
        assert.doesNotMatch(error.message, /\n/);
        return true;
      },
    );
  });
}

test("a missing path and a folder without text are named", () => {
  assert.throws(() => loadMixture({ data: join(root, "nowhere") }), {
    code: "DATA",
    message: /nowhere: .*nothing there\. Check the path/,
  });
  mkdirSync(join(root, "hollow"));
  assert.throws(() => loadMixture({ data: join(root, "hollow") }), {
    code: "DATA",
    message: /hollow: .*got none/,
  });
});

test("one long text is split at nine tenths", () => {
  const text = "0123456789".repeat(2000);
  const [source] = loadMixture({ data: write("play.txt", text) }).sources;
  assert.equal(source?.train.map((document) => document.text).join(""), text.slice(0, 18_000));
  assert.equal(source?.validation.map((document) => document.text).join(""), text.slice(18_000));
});

test("the known layout is weighted by its table, other folders by size", () => {
  write("known/wikipedia/a.jsonl", '{"id":1,"text":"one"}\n{"id":2,"text":"two"}\n');
  write("known/stories/a.jsonl", '{"id":1,"text":"once"}\n{"id":2,"text":"twice"}\n');
  write("known/README.md", "not a source");
  const known = loadMixture({ data: join(root, "known") });
  assert.deepEqual(
    known.sources.map(({ name, weight, licence }) => [name, weight, licence]),
    [
      ["stories", 0.06, "CDLA-Sharing-1.0, CC BY per story"],
      ["wikipedia", 0.3, "CC BY-SA 3.0"],
    ],
  );
  write("other/x/a.txt", "12345");
  write("other/x/b.txt", "é5");
  write("other/y/a.txt", "123");
  const other = loadMixture({ data: join(root, "other") });
  assert.deepEqual(
    other.sources.map(({ name, weight }) => [name, weight]),
    [
      ["x", 8],
      ["y", 3],
    ],
  );
});
