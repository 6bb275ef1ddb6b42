import assert from "node:assert/strict";
import {
  chmodSync,
  mkdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { gzipSync } from "node:zlib";
import { hashPart } from "../../../../src/llm/data/sources/hash-part.node.ts";
import { lineBlocks } from "../../../../src/llm/data/sources/line-blocks.node.ts";
import { codePartsOf, textPartsOf } from "../../../../src/llm/data/sources/parts.node.ts";
import { readPart } from "../../../../src/llm/data/sources/read-part.node.ts";
import type { SourcePart } from "../../../../src/llm/data/sources/source.ts";
import { collect, readPath, refused, root, write } from "./scratch.ts";

const encrypted = Buffer.from(gzipSync("hello"));
encrypted[3] = 0x20;
const damaged = Buffer.from(gzipSync("hello hello hello"));
damaged[14] = (damaged[14] as number) ^ 0x55;
const utf16 = (text: string): Buffer => Buffer.from(text, "utf16le");

/** Every way a file can be bad: what is written, what the one line must say. */
const badFiles: Readonly<Record<string, readonly [string | Uint8Array, ...RegExp[]]>> = {
  "empty.txt": ["", /0 bytes.*Fill it or leave it out/],
  "empty.jsonl": ["\n\n", /must hold rows, got none/],
  "empty.txt.gz": [gzipSync(""), /0 bytes/],
  "blank.txt": [" \n\n", /white space only/],
  "binary.txt": [Uint8Array.of(65, 10, 66, 0, 67, 68, 69, 70), /NUL at line 2, byte 2.*binary/],
  "wide.txt": [utf16("no mark here\n"), /NUL at line 1, byte 2.*iconv -f UTF-16LE -t UTF-8 FILE/],
  "wide32.txt": [Uint8Array.of(0xff, 0xfe, 0, 0, 65, 0, 0, 0), /got UTF-32LE.*iconv -f UTF-32LE/],
  "half.txt": [Uint8Array.of(0xff, 0xfe, 65, 0, 0, 0xdc, 65, 0), /UTF-16LE must stay so/],
  "latin1.txt": [
    Buffer.from("one\ncaf\xe9 au lait", "latin1"),
    /byte 0xe9 at line 2, byte 4/,
    /iconv -f WINDOWS-1252 -t UTF-8/,
  ],
  "latin1.txt.gz": [gzipSync(Buffer.from("caf\xe9 au", "latin1")), /zcat FILE \| iconv/],
  "cut.txt": [Buffer.from("ab😀").subarray(0, 4), /byte 0xf0 at line 1, byte 3.*cut/],
  "mixed.jsonl": [
    Buffer.concat([
      Buffer.from('{"text":"gut für alle"}\n'.repeat(30_000)),
      Buffer.from('{"text":"f\xfcr"}\n', "latin1"),
      Buffer.from('{"text":"für"}\n'.repeat(3)),
    ]),
    /mixed\.jsonl: .*byte 0xfc at line 30001, byte 11\./,
  ],
  "wideline.jsonl": [
    Buffer.concat([Buffer.from('{"text":"a"}\n'), utf16('{"text":"b"}\n')]),
    /NUL at line 2, byte 2.*UTF-16/,
  ],
  "broken.jsonl": ['{"text":"a"}\n{"text":\n{"text":"c"}\n', /line 2: every line must be one JSON/],
  "torn.jsonl": ['{"text":"a"}\n{"text":"b', /line 2: .*last line.*torn/],
  "textless.jsonl": ['{"text":"a"}\n\n{"label":"b"}\n', /line 3: a row must have "text".*"label"/],
  "number.jsonl": ["17\n", /line 1: a row must have "text".*got 17\./],
  "chat.jsonl": [
    '{"messages":[{"role":"user","content":"hi"}]}\n',
    /line 1: pretraining takes text, got a row of chat messages.*fine-tuning/,
  ],
  "torn.txt.gz": [gzipSync("hello hello hello").subarray(0, 20), /must be whole.*unexpected end/],
  "damaged.txt.gz": [damaged, /must be whole, got in.*damaged/],
  "false.txt.gz": ["plain", /must be gzip.*got 706c6169.*take \.gz off its name/],
  "locked.txt.gz": [encrypted, /gzip must not be encrypted/],
  "openssl.txt.gz": [Buffer.from("Salted__12345678abcdefgh"), /OpenSSL-encrypted.*openssl enc -d/],
  "pgp.txt.gz": [Buffer.from("-----BEGIN PGP MESSAGE-----\n"), /PGP-encrypted.*gpg --decrypt/],
  "x.zip": [Buffer.from("PK\x03\x04 and so on"), /zip archive.*unzip/],
  "x.txt.gz": [gzipSync("%PDF-1.7\n..."), /gzip must hold text, got a PDF/],
  "x.txt.zst": [Uint8Array.of(0x28, 0xb5, 0x2f, 0xfd, 1, 2), /zstd -d/],
};

for (const [name, [content, ...says]] of Object.entries(badFiles)) {
  test(`${name} is refused in one line`, async () => {
    const path = write(join("bad", name), content);
    await assert.rejects(readPath(path), refused("DATA", new RegExp(name), ...says));
  });
}

const file = (path: string, format: "text" | "jsonl" = "text"): SourcePart => {
  return { kind: "file", path, name: "x", format };
};

test("a line of a gigabyte ends the reading after 64 MiB", async () => {
  const member = gzipSync(Buffer.alloc(1 << 20, "a"));
  const path = write(
    "bomb.jsonl.gz",
    Buffer.concat([gzipSync("{}\n"), ...Array(1024).fill(member)]),
  );
  const before = process.memoryUsage().rss;
  let most = 0;
  const watch = setInterval(() => {
    most = Math.max(most, process.memoryUsage().rss - before);
  }, 5);
  const says = refused("DATA", /bomb\.jsonl\.gz: line 2: a line may hold at most 64 MiB/);
  await assert.rejects(collect(lineBlocks(path)), says);
  clearInterval(watch);
  assert.ok(most < 250e6, `used ${most} bytes`);
});

test("what is missing, no file, or leads in a circle is said as such", async () => {
  await assert.rejects(readPath(join(root, "nowhere")), refused("DATA", /nowhere: .*ENOENT/));
  mkdirSync(join(root, "hollow"));
  await assert.rejects(readPath(join(root, "hollow")), refused("DATA", /hollow: .*got none/));
  assert.throws(() => codePartsOf(join(root, "hollow")), refused("DATA", /hollow: .*code/));
  await assert.rejects(collect(readPart(file(root))), refused("DATA", /got a folder/));
  await assert.rejects(collect(readPart(file("/dev/null"))), refused("DATA", /a device/));
  symlinkSync("self.txt", join(root, "self.txt"));
  await assert.rejects(readPath(join(root, "self.txt")), refused("DATA", /self\.txt: .*ELOOP/));
  write("circle/a.txt", "text");
  symlinkSync("..", join(root, "circle/back"));
  await assert.rejects(
    readPath(join(root, "circle")),
    refused("DATA", /circle\/back: .*one back to .*Remove the link/),
  );
});

test("a file without the right to read it is named", async (t) => {
  const path = write("secret.txt", "text");
  chmodSync(path, 0);
  chmodSync(root, 0o755);
  const asRoot = process.geteuid?.() === 0;
  if (process.geteuid === undefined) return t.skip("no user rights on this system");
  if (asRoot) process.seteuid?.(65534);
  try {
    await assert.rejects(
      readPath(path),
      refused("DATA", /secret\.txt: .*no permission \(EACCES\).*chmod \+r/),
    );
    await assert.rejects(hashPart(file(path)), refused("DATA", /secret\.txt: .*EACCES/));
  } finally {
    if (asRoot) process.seteuid?.(0);
  }
});

test("a source that vanishes during the run is named, what was read before it stays", async () => {
  for (const name of ["a", "b", "c"]) write(`going/${name}.txt`, `text of ${name}`);
  const parts = await textPartsOf(join(root, "going"));
  const read: string[] = [];
  const reading = (async () => {
    for await (const { id } of readPart(parts[0] as SourcePart)) {
      read.push(id);
      if (id === "a.txt") rmSync(join(root, "going/b.txt"));
    }
  })();
  await assert.rejects(reading, refused("DATA", /b\.txt: .*ENOENT.*what was finished stays/));
  assert.deepEqual(read, ["a.txt"]);
  await assert.rejects(hashPart(parts[0] as SourcePart), refused("DATA", /b\.txt: .*ENOENT/));
});

test("a file that changes while it is read is refused", async () => {
  const text = "one line of text\n".repeat(1_000_000);
  for (const change of [
    (path: string) => truncateSync(path, 9_000_000),
    (path: string) => writeFileSync(path, "and more\n", { flag: "a" }),
  ]) {
    const path = write("moving.txt", text);
    const reading = (async () => {
      let isFirst = true;
      for await (const _ of readPart(file(path))) {
        if (isFirst) change(path);
        isFirst = false;
      }
    })();
    await assert.rejects(reading, refused("DATA", /moving\.txt: .*must not change/));
  }
});

test("a disk that fails is named", async (t) => {
  // Reading another part of memory than one's own fails in the kernel as a bad disk does.
  if (process.platform !== "linux") return t.skip("needs /proc");
  assert.throws(() => readFileSync("/proc/self/mem"), { code: "EIO" });
  await assert.rejects(
    collect(readPart(file("/proc/self/mem"))),
    refused("DATA", /EIO.*Check the disk/),
  );
});
