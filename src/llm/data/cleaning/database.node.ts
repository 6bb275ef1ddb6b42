/**
 * DuckDB as cleaning uses it: in memory, bounded, spilling into a folder of ours; its failures as
 * one line.
 */
import { type DuckDBConnection, DuckDBInstance } from "@duckdb/node-api";
import { NutshellError } from "../../../error.ts";

export interface Database extends Disposable {
  readonly connection: DuckDBConnection;
}

export interface DatabaseOptions {
  readonly threads: number;
  /** Bytes that it may use before it spills to disk. */
  readonly memoryBytes: number;
  readonly spillFolder: string;
}

export async function openDatabase(options: DatabaseOptions): Promise<Database> {
  const instance = await DuckDBInstance.create(":memory:", {
    threads: `${options.threads}`,
    memory_limit: `${Math.ceil(options.memoryBytes / 1e6)}MB`,
    temp_directory: options.spillFolder,
  });
  const connection = await instance.connect();
  return {
    connection,
    [Symbol.dispose]() {
      connection.closeSync();
      instance.closeSync();
    },
  };
}

/** A text as a literal of SQL. */
export function quote(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
}

const refusals =
  /no space left|disk quota|read-only|permission denied|could not write|failed to write|no such file or directory|file size limit|max_temp_directory_size/i;

/** @returns DISK when a write of DuckDB failed, else the error as it came */
export function writeError(path: string, error: unknown): unknown {
  if (error instanceof NutshellError) return error;
  const message = `${(error as Error).message}`.replace(/\s+/g, " ").trim();
  if (!refusals.test(message)) return error;
  return new NutshellError(
    "DISK",
    `${path}: writing must succeed, got ${message.slice(0, 160)}. ` +
      "Free some space or choose another --out; finished parts stay.",
    { cause: error },
  );
}
