/**
 * A private Postgres for one test file: a cluster under the temporary folder, without fsync, gone
 * when the file's process ends. Its databases are empty and one per call.
 */
import { type Database, openDatabase } from "../../src/durable/database.ts";
import { startPostgres } from "../../src/durable/postgres.ts";

/** Dispose of it at the test's end. */
export async function testDatabase(): Promise<Database> {
  const server = await startPostgres({ dir: "", durable: false });
  return openDatabase(server.url);
}
