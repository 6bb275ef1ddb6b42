/**
 * Versions of the tables: each part has a list of statement texts, run once each, in order, in one
 * transaction under one lock. What ran is recorded with its digest, so that a database made by a
 * newer program, or by one whose past was edited, is refused instead of damaged.
 */
import { createHash } from "node:crypto";
import type pg from "pg";
import { NutshellError } from "../error.ts";
import { transaction } from "./transaction.ts";

const MIGRATE_LOCK = "hashtextextended('nutshell migrate', 0)";
const recordTable = `create table if not exists nutshell.migration (
  part text not null, version int not null, digest text not null,
  at timestamptz not null default now(), primary key (part, version))`;

/** @param versions each one or more statements; the list only ever grows at its end */
export async function migrate(
  pool: pg.Pool,
  part: string,
  versions: readonly string[],
): Promise<void> {
  await transaction(pool, async (client) => {
    await client.query(`select pg_advisory_xact_lock(${MIGRATE_LOCK})`);
    // Only when it is missing: a role may be allowed to use the schema and not to make one.
    const found = await client.query("select from pg_namespace where nspname = 'nutshell'");
    if (found.rowCount === 0) await client.query("create schema nutshell");
    await client.query(recordTable);
    await runMissing(client, part, versions);
  });
}

async function runMissing(
  client: pg.PoolClient,
  part: string,
  versions: readonly string[],
): Promise<void> {
  const { rows } = await client.query<{ version: number; digest: string }>(
    "select version, digest from nutshell.migration where part = $1 order by version",
    [part],
  );
  check(part, rows, versions);
  for (const [index, text] of versions.entries()) {
    if (index < rows.length) continue;
    await client.query(text);
    await client.query(
      "insert into nutshell.migration (part, version, digest) values ($1, $2, $3)",
      [part, index + 1, digestOf(text)],
    );
  }
}

function check(
  part: string,
  rows: readonly { version: number; digest: string }[],
  versions: readonly string[],
): void {
  if (rows.length > versions.length) {
    const got = `version ${rows.length}, this program knows ${versions.length}`;
    throw refusal(part, `must not be newer than the program, got ${got}`);
  }
  const edited = rows.find(({ version, digest }) => digest !== digestOf(versions[version - 1]));
  if (edited !== undefined) {
    throw refusal(part, `must be made by this program, got another version ${edited.version}`);
  }
}

function refusal(part: string, rule: string): NutshellError {
  return new NutshellError(
    "DATABASE",
    `migrate: tables of ${part} ${rule}. Use the program that made them, or another database.`,
  );
}

function digestOf(text = ""): string {
  return createHash("sha256").update(text).digest("hex");
}
