import assert from "node:assert/strict";
import { symlinkSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { Worker } from "node:worker_threads";
import { gzipSync } from "node:zlib";
import type { Document } from "../../../../src/llm/data/document.ts";
import { estimateBytes, hashPart } from "../../../../src/llm/data/sources/hash-part.node.ts";
import { codePartsOf, textPartsOf } from "../../../../src/llm/data/sources/parts.node.ts";
import { readPart } from "../../../../src/llm/data/sources/read-part.node.ts";
import { TEXT_PART_BYTES } from "../../../../src/llm/data/sources/read-text.node.ts";
import type { SourcePart } from "../../../../src/llm/data/sources/source.ts";
import { collect, readParts, readPath, root, write } from "./scratch.ts";

const jsonl = (rows: readonly unknown[]): string =>
  rows.map((row) => JSON.stringify(row)).join("\n");

test("each row shape becomes plain text", async () => {
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
    { content: "of content" },
    { body: "of body", label: 3 },
    { id: "empty", text: null },
    { text: "lone \ud800 half" },
  ];
  assert.deepEqual(await readPath(write("rows.jsonl", `\n${jsonl(rows)}`)), [
    { id: "7", text: "Fox\n\nA fox is an animal." },
    { id: "rows.jsonl:3", text: "Question: What is it?\nAnswer: A fox." },
    { id: "rows.jsonl:4", text: "Question: Which one?\nAnswer: fox" },
    { id: "d", text: "A: Hi.\nB: Hello." },
    { id: "rows.jsonl:6", text: "just a string" },
    { id: "rows.jsonl:7", text: "of content" },
    { id: "rows.jsonl:8", text: "of body" },
    { id: "empty", text: "" },
    { id: "rows.jsonl:10", text: "lone \ufffd half" },
  ]);
});

test("gzip is known by its bytes, marks of byte order are taken off, UTF-16 is decoded", async () => {
  const text = "Grüße, 世界 😀\nsecond line";
  const wide = Buffer.from(`\ufeff${text}`, "utf16le");
  const files = {
    "plain.txt": text,
    "packed.txt": gzipSync(text),
    "members.txt.gz": Buffer.concat([gzipSync("Grüße, 世界 😀\n"), gzipSync("second line")]),
    "marked.txt": `\ufeff${text}`,
    "little.txt": wide,
    "big.txt.gz": gzipSync(Buffer.from(wide).swap16()),
  };
  for (const [name, content] of Object.entries(files)) {
    assert.deepEqual(await readPath(write(`marks/${name}`, content)), [{ id: name, text }], name);
  }
});

test("lines come out whole wherever the chunks end", async () => {
  // Lengths around the chunk size of the reader, with characters of 1 to 4 bytes at every cut.
  const rows = Array.from({ length: 60 }, (_, i) => ({
    id: String(i),
    text: `${"aé世😀".repeat(900 * (i % 7) + i)}${i}`,
  }));
  const long = { id: "long", text: "世".repeat(400_000) };
  const path = write("chunks.jsonl.gz", gzipSync(jsonl([...rows, long, ...rows])));
  assert.deepEqual(await readPath(path), [...rows, long, ...rows]);
});

test("a long text is cut at line breaks into parts that join to the whole", async () => {
  const lines = Array.from({ length: 120_000 }, (_, i) => `${i} ${"x".repeat(i % 150)}\n`);
  const text = lines.join("");
  const parts = await readPath(write("long.txt.gz", gzipSync(text)));
  assert.equal(parts.map((part) => part.text).join(""), text);
  assert.deepEqual(
    parts.map(({ id }) => id),
    ["long.txt.gz#0", "long.txt.gz#1", "long.txt.gz#2"],
  );
  for (const part of parts) {
    assert.ok(Buffer.byteLength(part.text) <= TEXT_PART_BYTES);
    assert.ok(part.text.endsWith("\n"));
  }
  assert.deepEqual(await readPath(write("long.txt", text.trimEnd())), [
    { id: "long.txt#0", text: parts[0]?.text },
    { id: "long.txt#1", text: parts[1]?.text },
    { id: "long.txt#2", text: parts[2]?.text.trimEnd() },
  ]);
});

test("a folder gives its text files in order, small ones in groups, links followed", async () => {
  write("folder/b.txt", "second");
  write("folder/a/deep.md.gz", gzipSync("first"));
  write("folder/a/rows.ndjson", '{"text":"row"}\n');
  write("folder/c.rst", "");
  write("folder/image.png", Uint8Array.of(0, 1));
  write("folder/.hidden.txt", "no");
  write("folder/node_modules/x/readme.md", "no");
  write("elsewhere/d.txt", "linked");
  symlinkSync(join(root, "elsewhere"), join(root, "folder/link"));
  symlinkSync(join(root, "nowhere.bin"), join(root, "folder/dangling"));
  const parts = await textPartsOf(join(root, "folder"));
  assert.deepEqual(
    parts.map(({ name }) => name),
    ["a/deep.md.gz", "a/rows.ndjson", "texts"],
  );
  assert.deepEqual(await readParts(parts), [
    { id: "a/deep.md.gz", text: "first" },
    { id: "a/rows.ndjson:1", text: "row" },
    { id: "b.txt", text: "second" },
    { id: "c.rst", text: "" },
    { id: "link/d.txt", text: "linked" },
  ]);
});

test("many small files make few parts, and a changed file changes one of them", async () => {
  for (let i = 0; i < 40; i++) write(`many/${i}.txt`, `${i} `.repeat(300_000));
  const parts = await textPartsOf(join(root, "many"));
  assert.equal(parts.length, 4);
  const before = await Promise.all(parts.map(hashPart));
  write("many/7.txt", "8 ".repeat(300_000));
  const after = await Promise.all(parts.map(hashPart));
  assert.equal(after.filter((hash, i) => hash !== before[i]).length, 1);
  const ids = (await readParts(parts)).map(({ id }) => id);
  assert.equal(new Set(ids).size, 40);
});

test("a folder of code gives what people wrote, by its path", async () => {
  const line = "export const answer = 42;\n";
  const files = {
    "code/src/a.ts": line.repeat(30),
    "code/lib/b.py": "print('ä')\n",
    "code/lib/vendor.min.js": line,
    "code/lib/packed.js": `var x=${"1+".repeat(2000)}1;`,
    "code/lib/made.go": `// Code generated by protoc. DO NOT EDIT.\n${line}`,
    "code/lib/latin.c": Buffer.from("// caf\xe9\n", "latin1"),
    "code/lib/binary.h": Uint8Array.of(1, 0, 2),
    "code/node_modules/dep/index.js": line,
    "code/package-lock.json": "{}",
    "code/huge.sql": "insert;\n".repeat(150_000),
  };
  for (const [name, content] of Object.entries(files)) write(name, content);
  const { parts, skipped } = codePartsOf(join(root, "code"));
  assert.deepEqual(await readParts(parts), [
    { id: "lib/b.py", text: "print('ä')\n" },
    { id: "src/a.ts", text: line.repeat(30) },
  ]);
  const expected = { minified: 2, generated: 1, "not UTF-8": 1, binary: 1, large: 1 };
  assert.deepEqual(skipped, expected);
});

test("the hash is of the bytes, the estimate of the text", async () => {
  const text = "one line of text\n".repeat(5000);
  const path = write("sized.txt.gz", gzipSync(text));
  const [part] = await textPartsOf(path);
  assert.equal(await estimateBytes(part as SourcePart), text.length);
  const { createHash } = await import("node:crypto");
  const { readFileSync } = await import("node:fs");
  const digest = createHash("sha256").update(readFileSync(path)).digest("hex");
  assert.equal(await hashPart(part as SourcePart), digest);
  const [plain] = await textPartsOf(write("sized.txt", text));
  assert.equal(await estimateBytes(plain as SourcePart), text.length);
});

test("built-in parts are read, sized and hashed like files", async () => {
  const part = { kind: "builtin", name: "factbook" } as const;
  const documents = await readParts([part]);
  const bytes = documents.reduce((sum, { text }) => sum + Buffer.byteLength(text), 0);
  assert.ok(Math.abs((await estimateBytes(part)) / bytes - 1) < 0.05);
  assert.match(await hashPart(part), /^[0-9a-f]{64}$/);
  assert.notEqual(await hashPart(part), await hashPart({ kind: "builtin", name: "stories" }));
});

test("a sample is even, near its share, and the same every time", async () => {
  const rows = Array.from({ length: 4000 }, (_, i) => ({
    id: i,
    text: `${i} ${"word ".repeat(i % 100 === 0 ? 30_000 : 20 + (i % 50))}`.trim(),
  }));
  const part: SourcePart = {
    kind: "file",
    path: write("sample.jsonl.gz", gzipSync(jsonl(rows))),
    name: "s",
    format: "jsonl",
  };
  const all = rows.reduce((sum, { text }) => sum + text.length, 0);
  for (const fraction of [0.02, 0.3, 0.9]) {
    const kept: Document[] = await collect(readPart(part, { fraction }));
    const share = kept.reduce((sum, { text }) => sum + text.length, 0) / all;
    assert.ok(Math.abs(share - fraction) < 0.012, `asked ${fraction}, kept ${share}`);
    // Long documents are sampled in pieces, and no length is preferred.
    const long = kept.filter(({ text }) => text.length > 1000);
    const longShare = long.reduce((sum, { text }) => sum + text.length, 0) / (40 * 150_004);
    assert.ok(Math.abs(longShare - fraction) < 0.02, `of the long ones ${longShare}`);
    assert.ok(long.every(({ text, id }) => text.length <= 65_536 && id.includes("#")));
    assert.deepEqual(await collect(readPart(part, { fraction })), kept);
    const positions = kept.map(({ id }) => Number.parseInt(id, 10));
    assert.deepEqual(
      positions,
      [...positions].sort((a, b) => a - b),
    );
    const early = positions.filter((id) => id < 2000).length / positions.length;
    assert.ok(Math.abs(early - 0.5) < 0.1, `${early} of them from the first half`);
  }
  assert.deepEqual(await collect(readPart(part, { fraction: 0 })), []);
});

test("a reader that is left early closes its file", async () => {
  const path = write("early.txt", "line of text\n".repeat(1_000_000));
  const { readdirSync } = await import("node:fs");
  const descriptors = (): number => readdirSync("/proc/self/fd").length;
  const skip = process.platform !== "linux";
  const before = skip ? 0 : descriptors();
  for (let i = 0; i < 5; i++) {
    for await (const document of readPart({ kind: "file", path, name: "e", format: "text" })) {
      assert.equal(document.id, "e#0");
      break;
    }
  }
  assert.equal(skip ? 0 : descriptors(), before);
});

test("parts cross into worker threads", async () => {
  const file = write("worker.jsonl.gz", gzipSync(jsonl([{ id: 1, text: "from a thread" }])));
  const parts: SourcePart[] = [{ kind: "file", path: file, name: "w", format: "jsonl" }];
  const module = new URL("../../../../src/llm/data/sources/read-part.node.ts", import.meta.url);
  const code = `
    import { parentPort, workerData } from "node:worker_threads";
    import { readPart } from ${JSON.stringify(module.href)};
    for (const part of workerData) for await (const d of readPart(part)) parentPort.postMessage(d);`;
  const url = new URL(`data:text/javascript,${encodeURIComponent(code)}`);
  const worker = new Worker(url, { workerData: parts });
  const document = await new Promise((resolve, reject) => {
    worker.on("message", resolve).on("error", reject);
  });
  await worker.terminate();
  assert.deepEqual(document, { id: "1", text: "from a thread" });
});
