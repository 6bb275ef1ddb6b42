/**
 * The key that seals approvals and anchors, and the name of this database. With an anchor file the
 * key lies beside it, mode 0600, out of reach of whoever can write to the database; daemons that
 * share processes share that file. Without one it lies in the database, and then seals prove only
 * that no process wrote them.
 */
import { randomBytes, randomUUID } from "node:crypto";
import { linkSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import type { Client } from "./process-row.ts";

const KEY_BYTES = 32;

export async function readKey(client: Client, anchorFile?: string): Promise<Uint8Array> {
  if (anchorFile !== undefined) return readKeyFile(`${anchorFile}.key`);
  return await secret(client, "key", randomBytes(KEY_BYTES));
}

export async function readInstance(client: Client): Promise<string> {
  return (await secret(client, "instance", Buffer.from(randomUUID()))).toString();
}

/** The first daemon's word stands. */
async function secret(client: Client, name: string, fresh: Buffer): Promise<Buffer> {
  await client.query("insert into secret values ($1, $2) on conflict do nothing", [name, fresh]);
  const { rows } = await client.query<{ bytes: Buffer }>(
    "select bytes from secret where name = $1",
    [name],
  );
  return (rows[0] as { bytes: Buffer }).bytes;
}

/** Written whole under another name and then linked: of two daemons one wins, nobody reads half. */
function readKeyFile(path: string): Uint8Array {
  const temporary = `${path}.${randomUUID()}`;
  try {
    return readFileSync(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
  }
  writeFileSync(temporary, randomBytes(KEY_BYTES), { mode: 0o600, flush: true });
  try {
    linkSync(temporary, path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
  }
  rmSync(temporary);
  return readFileSync(path);
}
