/**
 * Parquet through DuckDB, one vector of rows at a time: the columns that some row shape knows are
 * read, the others are never unpacked. Rows keep the order of the file.
 */

import { type DuckDBConnection, DuckDBInstance } from "@duckdb/node-api";
import { NutshellError } from "../../../error.ts";
import type { Document } from "../document.ts";
import { fileHead } from "./file-bytes.node.ts";
import { badFile, oneLine } from "./file-error.node.ts";
import { ROW_FIELDS, rowFields, tryRenderRow } from "./rows.ts";

interface Column {
  readonly name: string;
  readonly type: string;
}

/** One thread and little memory: readers of several parts run side by side. */
const settings = { threads: "1", memory_limit: "256MB" };

/** How far DuckDB reads ahead: its default costs 200 MB more where texts are of 2 kB. */
const STREAM_BYTES = 64_000;

/**
 * @param name begins the ids of rows that have none: `name:row`, from 1
 * @throws DATA for a file that is not Parquet, is torn or encrypted, or has no column of text
 */
export function readParquet(path: string, name: string): AsyncGenerator<Document> {
  return withDatabase(path, (connection) => readRows(connection, path, name));
}

async function* readRows(
  connection: DuckDBConnection,
  path: string,
  name: string,
): AsyncGenerator<Document> {
  const columns = await textColumns(connection, path);
  const result = await connection.stream(`SELECT ${columns.map(select)} FROM ${table(path)}`);
  let row = 0;
  for await (const rows of result.yieldRowObjectJs()) {
    for (const values of rows) {
      row++;
      const document = tryRenderRow(values, `${name}:${row}`);
      if (document === undefined) throw withoutText(path, row, values);
      yield document;
    }
  }
  if (row === 0) {
    throw badFile(path, "a source must hold rows", "none", "Fill it or leave it out.");
  }
}

/** @returns the known columns of a file; @throws DATA, naming the others, when no text is there */
async function textColumns(connection: DuckDBConnection, path: string): Promise<Column[]> {
  const described = await connection.runAndReadAll(`DESCRIBE SELECT * FROM ${table(path)}`);
  const all = described.getRowObjectsJS().map((row) => ({
    name: String(row.column_name),
    type: String(row.column_type),
  }));
  const known = all.filter(({ name }) => ["id", "title", ...rowFields].includes(name));
  if (known.some(({ name }) => rowFields.includes(name) && name !== "answer")) return known;
  const got = all.map(({ name }) => name).join(", ");
  const fix = "Rename the column that holds the text to text.";
  throw badFile(path, `a Parquet file must have a column ${ROW_FIELDS}`, `only ${got}`, fix);
}

/** Text of writers that did not mark it as such arrives as bytes. */
function select({ name, type }: Column): string {
  const column = `"${name.replaceAll('"', '""')}"`;
  return type === "BLOB" ? `decode(${column}) AS ${column}` : column;
}

function table(path: string): string {
  return `read_parquet('${globless(path).replaceAll("'", "''")}')`;
}

/** DuckDB takes these for patterns; in brackets they stand for themselves. */
function globless(path: string): string {
  return path.replace(/[*?[]/g, "[$&]");
}

function withoutText(path: string, row: number, values: object): NutshellError {
  const shown = JSON.stringify(values, (_, value) =>
    typeof value === "bigint" ? Number(value) : value,
  );
  const rule = `row ${row}: a row must have ${ROW_FIELDS}`;
  return badFile(path, rule, oneLine(shown, 80), "Repair the row or take it out.");
}

function parquetError(path: string, cause: unknown): unknown {
  if (cause instanceof NutshellError) return cause;
  const got = oneLine((cause as Error).message.split("\n", 1)[0] ?? "").replace(/\.$/, "");
  const fix = /encrypt/i.test(got)
    ? "Write it again without encryption."
    : "Copy or download it again, or write it anew.";
  return badFile(path, "a Parquet file must be whole and readable", got, fix, cause);
}

/** Bytes of text in a Parquet file, unpacked, from its metadata alone. */
export async function parquetTextBytes(path: string): Promise<number> {
  for await (const bytes of withDatabase(path, (it) => readSize(it, path))) return bytes;
  return 0;
}

async function* readSize(connection: DuckDBConnection, path: string): AsyncGenerator<number> {
  const known = rowFields.map((name) => `'${name}'`).join(", ");
  const metadata = table(path).replace("read_parquet", "parquet_metadata");
  const result = await connection.runAndReadAll(
    `SELECT coalesce(sum(total_uncompressed_size), 0)::DOUBLE FROM ${metadata}
     WHERE split_part(path_in_schema, ',', 1) IN (${known})`,
  );
  yield Number(result.getRowsJS()[0]?.[0] ?? 0);
}

/** A database of its own for one file, closed after the last row. */
async function* withDatabase<T>(
  path: string,
  read: (connection: DuckDBConnection) => AsyncGenerator<T>,
): AsyncGenerator<T> {
  // Its own look first: missing files and missing rights are said as for every other format.
  await fileHead(path, 4);
  const instance = await DuckDBInstance.create(":memory:", settings);
  const connection = await instance.connect();
  try {
    await connection.run(`SET streaming_buffer_size = '${STREAM_BYTES}B'`);
    yield* read(connection);
  } catch (cause) {
    throw parquetError(path, cause);
  } finally {
    connection.closeSync();
    instance.closeSync();
  }
}
