/**
 * Reads the documents of a cleaned corpus back from its Parquet files, always in corpus order and
 * a vector of rows at a time.
 */
import { join } from "node:path";
import type { CorpusLayout, FileLayout } from "./corpus-layout.ts";
import { type Database, quote } from "./database.node.ts";
import { PARTS_FOLDER } from "./part-file.node.ts";

export type Row = unknown[];

/** A share of wanted rows from which on skipping does not pay. */
const DENSE = 0.2;

export interface Store {
  readonly database: Database;
  /** Of the corpus. */
  readonly folder: string;
}

/**
 * Rows of one file, each with the number of its document before the columns.
 * @param columns as SQL
 * @param wanted numbers of documents in this file, rising; undefined: all
 */
export async function* readFileRows(
  { database, folder }: Store,
  file: FileLayout,
  columns: string,
  wanted?: Uint32Array,
): AsyncGenerator<Row> {
  if (wanted?.length === 0) return;
  const path = join(folder, PARTS_FOLDER, file.name);
  const sparse = wanted !== undefined && wanted.length < file.rows * DENSE;
  const set = wanted === undefined || sparse ? undefined : new Set(wanted);
  const where = sparse
    ? ` WHERE row IN (${wanted.map((document) => document - file.base)}) ORDER BY row`
    : "";
  const sql = `SELECT row, ${columns} FROM read_parquet(${quote(path)})${where}`;
  let last = -1;
  for await (const rows of (await database.connection.stream(sql)).yieldRows()) {
    for (const row of rows) {
      const document = file.base + (row[0] as number);
      if (document <= last) throw new Error(`clean: rows of ${path} must rise, got ${document}`);
      last = document;
      row[0] = document;
      if (set === undefined || set.has(document)) yield row;
    }
  }
}

/** Rows of several files in corpus order; see `readFileRows`. */
export async function* readCorpusRows(
  store: Store,
  files: readonly FileLayout[],
  columns: string,
  wanted?: Uint32Array,
): AsyncGenerator<Row> {
  for (const file of files) {
    yield* readFileRows(store, file, columns, wanted && within(wanted, file));
  }
}

/** The part of rising `documents` that lies in a file. */
function within(documents: Uint32Array, { first, rows }: FileLayout): Uint32Array {
  return documents.subarray(lowerBound(documents, first), lowerBound(documents, first + rows));
}

/** Index of the first entry that is not below `value`. */
function lowerBound(sorted: Uint32Array, value: number): number {
  let low = 0;
  let high = sorted.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((sorted[middle] as number) < value) low = middle + 1;
    else high = middle;
  }
  return low;
}

/**
 * Makes the view `documents` over all files: `document`, `source` (its index), `part` (its index in
 * the source) and the columns of a part file.
 */
export async function createDocumentsView(
  { database: { connection }, folder }: Store,
  layout: Pick<CorpusLayout, "sources">,
): Promise<void> {
  await connection.run(
    "CREATE OR REPLACE TABLE files(path VARCHAR, base INTEGER, source INTEGER, part INTEGER)",
  );
  const appender = await connection.createAppender("files");
  const paths: string[] = [];
  for (const [source, { parts }] of layout.sources.entries()) {
    for (const [part, { files }] of parts.entries()) {
      for (const { name, base } of files) {
        const path = join(folder, PARTS_FOLDER, name);
        paths.push(quote(path));
        appender.appendVarchar(path);
        for (const number of [base, source, part]) appender.appendInteger(number);
        appender.endRow();
      }
    }
  }
  appender.closeSync();
  const unique = [...new Set(paths)];
  await connection.run(
    `CREATE OR REPLACE VIEW documents AS SELECT base + row AS document, source, part, d.* EXCLUDE filename
     FROM read_parquet([${unique}], filename = true) d JOIN files ON files.path = d.filename`,
  );
}
