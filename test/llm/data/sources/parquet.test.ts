import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { gzipSync } from "node:zlib";
import { type DuckDBConnection, DuckDBInstance } from "@duckdb/node-api";
import { estimateBytes } from "../../../../src/llm/data/sources/hash-part.node.ts";
import { textPartsOf } from "../../../../src/llm/data/sources/parts.node.ts";
import type { SourcePart } from "../../../../src/llm/data/sources/source.ts";
import { readPath, refused, root, write } from "./scratch.ts";

let instance: DuckDBInstance;
let database: DuckDBConnection;
before(async () => {
  instance = await DuckDBInstance.create(":memory:");
  database = await instance.connect();
});
after(() => {
  database.closeSync();
  instance.closeSync();
});

async function writeParquet(name: string, select: string): Promise<string> {
  const path = join(root, name);
  await database.run(`COPY (${select}) TO '${path.replaceAll("'", "''")}' (FORMAT parquet)`);
  return path;
}

test("rows of Parquet become documents in their order, in every shape", async () => {
  const texts = await writeParquet(
    "it's [odd]*.parquet",
    "SELECT 'text ' || range AS text, range AS label FROM range(5000)",
  );
  const read = await readPath(texts);
  assert.equal(read.length, 5000);
  assert.deepEqual(read[4999], { id: "it's [odd]*.parquet:5000", text: "text 4999" });
  assert.ok(read.every(({ text }, i) => text === `text ${i}`));
  const bodies = "SELECT 'a' || range AS id, 'Title' AS title, 'b'::BLOB AS body FROM range(2)";
  assert.deepEqual(await readPath(await writeParquet("bodies.parquet", bodies)), [
    { id: "a0", text: "Title\n\nb" },
    { id: "a1", text: "Title\n\nb" },
  ]);
  const choices = "SELECT 'Which?' AS question, ['ox', 'fox'] AS choices, 1::BIGINT AS answer";
  assert.deepEqual(await readPath(await writeParquet("q", choices)), [
    { id: "q:1", text: "Question: Which?\nAnswer: fox" },
  ]);
  const nothing = "SELECT 1 AS id, NULL::VARCHAR AS content";
  assert.deepEqual(await readPath(await writeParquet("null.parquet", nothing)), [
    { id: "1", text: "" },
  ]);
});

test("the size of the text is read off the metadata", async () => {
  const select =
    "SELECT md5(range::VARCHAR) AS text, repeat(md5((range + 7)::VARCHAR), 9) AS html FROM range(20000)";
  const [part] = await textPartsOf(await writeParquet("size.parquet", select));
  const bytes = await estimateBytes(part as SourcePart);
  assert.ok(bytes > 20_000 * 32 && bytes < 20_000 * 40, `estimated ${bytes}`);
});

test("Parquet without text, torn, empty or packed is refused in one line", async () => {
  const blind = await writeParquet("blind.parquet", "SELECT 1 AS url, 'x' AS html, 2 AS answer");
  await assert.rejects(
    readPath(blind),
    refused("DATA", /blind\.parquet: .*column "text".*got only url, html, answer.*Rename/),
  );
  const whole = readFileSync(await writeParquet("whole.parquet", "SELECT 'x' AS text"));
  const torn = write("torn.parquet", whole.subarray(0, whole.length - 9));
  await assert.rejects(readPath(torn), refused("DATA", /torn\.parquet: .*whole.*Copy or download/));
  const packed = write("packed.parquet.gz", gzipSync(whole));
  await assert.rejects(readPath(packed), refused("DATA", /packed.*got a Parquet file.*gunzip/));
  const rowless = await writeParquet("rowless.parquet", "SELECT 'x' AS text LIMIT 0");
  await assert.rejects(readPath(rowless), refused("DATA", /rowless\.parquet: .*got none/));
  const number = await writeParquet("number.parquet", "SELECT 7 AS text");
  await assert.rejects(readPath(number), refused("DATA", /row 1: a row must have.*got {"text":7}/));
  const latin = await writeParquet("latin.parquet", "SELECT '\\xE9'::BLOB AS text");
  await assert.rejects(readPath(latin), refused("DATA", /latin\.parquet: .*[Ii]nvalid/));
  await assert.rejects(
    readPath(join(root, "no.parquet")),
    refused("DATA", /no\.parquet: .*ENOENT/),
  );
});

test("an encrypted Parquet file is said to be so", async () => {
  const path = join(root, "secret.parquet");
  await database.run("SET force_mbedtls_unsafe = 'true'");
  await database.run("PRAGMA add_parquet_key('k', '0123456789112345')");
  await database.run(
    `COPY (SELECT 'x' AS text) TO '${path}' (FORMAT parquet, ENCRYPTION_CONFIG {footer_key: 'k'})`,
  );
  await assert.rejects(readPath(path), refused("DATA", /secret\.parquet: .*without encryption/));
});
