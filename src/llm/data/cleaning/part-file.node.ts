/**
 * The cleaned documents of one part on disk: one or more Parquet files (zstd) and, written last, a
 * list of them with their checksums. A part whose list is missing or wrong is not there.
 *
 *     parts/KEY-0.parquet   row | id | text | bytes_read | bytes | content_hash | rule | detail |
 *                           span_start | span_end | masks | signature | eval_hits
 *     parts/KEY.json        {"version", "files": [{"name", "rows", "bytes", "sha256"}]}
 *
 * `row` counts the part's documents from 0; `rule` is null for documents that no rule of their own
 * dropped; `masks` maps kinds to counts; `signature` and `eval_hits` are what the whole-corpus
 * rules need of a document.
 */
import { mkdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { DuckDBMapValue, INTEGER, MAP, VARCHAR } from "@duckdb/node-api";
import { digestFile, diskError } from "../../../durable-file.node.ts";
import type { CleanedDocument } from "./clean-document.ts";
import { CLEANING_VERSION } from "./cleaning.ts";
import { type Database, openDatabase, quote, writeError } from "./database.node.ts";

export interface PartFile {
  readonly name: string;
  readonly rows: number;
  readonly bytes: number;
  readonly sha256: string;
}

/** What goes into a row besides the document. */
export interface RowExtras {
  readonly signature: Uint8Array | undefined;
  readonly evalHits: Uint32Array | undefined;
}

export interface PartWriter extends AsyncDisposable {
  write(document: CleanedDocument, extras: RowExtras): Promise<void>;
  /** Writes what is left and the list. @throws DISK */
  finish(): Promise<readonly PartFile[]>;
}

export const PARTS_FOLDER = "parts";

/** Text of one file, before compression: bounds the memory of a writer. */
const FILE_BYTES = 48 * 2 ** 20;

/** Rows of a row group: little enough that reading a few documents unpacks little. */
const GROUP_ROWS = 2048;

const WRITER_MEMORY = 256e6;

const columns = `row INTEGER, id VARCHAR, text VARCHAR, bytes_read BIGINT, bytes BIGINT,
  content_hash UBIGINT, rule VARCHAR, detail VARCHAR, span_start INTEGER, span_end INTEGER,
  masks MAP(VARCHAR, INTEGER), signature BLOB, eval_hits BLOB`;

const maskType = MAP(VARCHAR, INTEGER);

/** @param folder of the corpus; `parts` below it must exist */
export async function createPartWriter(folder: string, key: string): Promise<PartWriter> {
  const parts = join(folder, PARTS_FOLDER);
  const spillFolder = join(parts, `${key}.spill`);
  const database = await openDatabase({ threads: 1, memoryBytes: WRITER_MEMORY, spillFolder });
  await database.connection.run(`CREATE TABLE documents(${columns})`);
  const state = { files: [] as PartFile[], row: 0, rows: 0, bytes: 0 };
  let appender = await database.connection.createAppender("documents");
  const flush = async (): Promise<void> => {
    appender.closeSync();
    const name = `${key}-${state.files.length}.parquet`;
    state.files.push({ ...(await writeTable(database, parts, name)), rows: state.rows });
    await database.connection.run("TRUNCATE documents");
    Object.assign(state, { rows: 0, bytes: 0 });
    appender = await database.connection.createAppender("documents");
  };
  return {
    async write(document, extras) {
      appendRow(appender, state.row, document, extras);
      state.row++;
      state.rows++;
      state.bytes += document.bytes;
      if (state.bytes >= FILE_BYTES) await flush();
    },
    async finish() {
      if (state.rows > 0 || state.files.length === 0) await flush();
      await writeList(parts, key, state.files);
      return state.files;
    },
    async [Symbol.asyncDispose]() {
      appender.clear();
      appender.closeSync();
      database[Symbol.dispose]();
      await rm(spillFolder, { recursive: true, force: true });
    },
  };
}

type Appender = Awaited<ReturnType<Database["connection"]["createAppender"]>>;

function appendRow(
  appender: Appender,
  row: number,
  document: CleanedDocument,
  { signature, evalHits }: RowExtras,
): void {
  const { drop, masks } = document;
  appender.appendInteger(row);
  appender.appendVarchar(document.id);
  appender.appendVarchar(document.text);
  appender.appendBigInt(BigInt(document.bytesRead));
  appender.appendBigInt(BigInt(document.bytes));
  appender.appendUBigInt(document.contentHash);
  appendText(appender, drop?.rule);
  appendText(appender, drop?.detail);
  appendOffset(appender, drop?.span?.[0]);
  appendOffset(appender, drop?.span?.[1]);
  if (masks === undefined) appender.appendNull();
  else {
    const entries = [...masks].map(([key, value]) => ({ key, value }));
    appender.appendMap(new DuckDBMapValue(entries), maskType);
  }
  appendBytes(appender, signature);
  appendBytes(appender, evalHits);
  appender.endRow();
}

function appendText(appender: Appender, text: string | undefined): void {
  if (text === undefined) appender.appendNull();
  else appender.appendVarchar(text);
}

function appendOffset(appender: Appender, offset: number | undefined): void {
  if (offset === undefined) appender.appendNull();
  else appender.appendInteger(offset);
}

function appendBytes(appender: Appender, numbers: Uint8Array | Uint32Array | undefined): void {
  if (numbers === undefined || numbers.length === 0) appender.appendNull();
  else {
    const { buffer, byteOffset, byteLength } = numbers;
    appender.appendBlob(new Uint8Array(buffer, byteOffset, byteLength));
  }
}

async function writeTable(
  { connection }: Database,
  parts: string,
  name: string,
): Promise<Omit<PartFile, "rows">> {
  const path = join(parts, name);
  const temporary = `${path}.tmp`;
  const format = `FORMAT parquet, COMPRESSION zstd, ROW_GROUP_SIZE ${GROUP_ROWS}`;
  try {
    await connection.run(`COPY documents TO ${quote(temporary)} (${format})`);
    await rename(temporary, path);
    return { name, ...(await digestFile(path)) };
  } catch (error) {
    // The first failure is the one to tell.
    await rm(temporary, { force: true }).catch(() => {});
    throw diskError(path, writeError(path, error), CONSEQUENCE);
  }
}

const CONSEQUENCE = "Finished parts stay; run again.";

async function writeList(parts: string, key: string, files: readonly PartFile[]): Promise<void> {
  const path = join(parts, `${key}.json`);
  const temporary = `${path}.tmp`;
  try {
    await writeFile(temporary, JSON.stringify({ version: CLEANING_VERSION, files }));
    await rename(temporary, path);
  } catch (error) {
    throw diskError(path, error, CONSEQUENCE);
  }
}

/** @returns the files of a part when all are there and whole; else it has to be made again */
export async function tryReadPart(
  folder: string,
  key: string,
): Promise<readonly PartFile[] | undefined> {
  const parts = join(folder, PARTS_FOLDER);
  try {
    const list = JSON.parse(await readFile(join(parts, `${key}.json`), "utf8"));
    if (list.version !== CLEANING_VERSION) return undefined;
    for (const file of list.files as PartFile[]) {
      const { bytes, sha256 } = await digestFile(join(parts, file.name));
      if (bytes !== file.bytes || sha256 !== file.sha256) return undefined;
    }
    return list.files;
  } catch {
    // Missing, unreadable or not JSON: all of it means that the part has to be made.
    return undefined;
  }
}

export async function createPartsFolder(folder: string): Promise<void> {
  try {
    await mkdir(join(folder, PARTS_FOLDER), { recursive: true });
  } catch (error) {
    throw diskError(folder, error, "Pass another --out.");
  }
}
