/**
 * One server on one cluster, whoever started it. Postgres's own lock file lets a second server on
 * the same data fail, so two processes may both try: one wins and both use it. A server outlives
 * the process that started it (it has a session of its own) and is found again by its lock file.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { randomInt } from "node:crypto";
import { closeSync, openSync, readFileSync, realpathSync, rmSync, statSync } from "node:fs";
import { readFile, rename, stat } from "node:fs/promises";
import { createServer } from "node:net";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import pg from "pg";
import type { Binaries, Owner } from "./binaries.ts";
import { CLUSTER_USER, type Cluster, serverError } from "./cluster.ts";
import { isAlive, isSameProcess, processMark } from "./process-mark.ts";

export interface Place {
  readonly cluster: Cluster;
  readonly binaries: Binaries;
  readonly owner: Owner;
  readonly durable: boolean;
}

export interface Running {
  readonly pid: number;
  readonly port: number;
}

export const DATABASE_NAME = "nutshell";
const START_MS = 60_000;
const EMPTY_LOCK_MS = 2000;
const LOG_BYTES = 4 << 20;
// The address of a socket has room for so many bytes: unix(7).
const SOCKET_BYTES = 107 - "/.s.PGSQL.65535".length;

/**
 * Finds the running server or starts one.
 * @param fixed the port it must have, because others know it already
 * @throws NutshellError DATABASE with the server's own words
 */
export async function ensureServer(place: Place, fixed?: number): Promise<Running> {
  const end = Date.now() + START_MS;
  let port = fixed ?? lastPort(place.cluster) ?? (await freePort());
  for (; Date.now() < end; await sleep(30)) {
    const running = findServer(place.cluster);
    if (running !== undefined) {
      if (running.ready && (await isOurs(place.cluster, running.port))) return running;
      continue;
    }
    const words = await startServer(place, port);
    if (words === undefined) continue;
    if (/could not bind|Address already in use|could not create any TCP/i.test(words)) {
      // With a fixed port there is nothing but to wait for whoever has taken it.
      if (fixed === undefined) port = await freePort();
      else await sleep(500);
    } else if (!/lock file .* (already exists|is empty)|shared memory block/i.test(words)) {
      throw serverError(place.cluster.dir, "starting the server", words);
    }
  }
  throw serverError(place.cluster.dir, "starting the server in a minute", "no answer");
}

/** What the lock file says, if it is the truth. Removes one whose server is gone for certain. */
export function findServer({ data }: Cluster): (Running & { ready: boolean }) | undefined {
  const path = join(data, "postmaster.pid");
  const text = tryReadNow(path);
  if (text === undefined) return undefined;
  const [pid, , , port, , , , status] = text.split("\n");
  const running = { pid: Number(pid), port: Number(port), ready: status?.trim() === "ready" };
  if (isServer(running.pid, data)) return running;
  // Postgres itself would take any living process of this number for a server, and an empty file
  // for one that is starting. A killed server's children may still write: their file stays.
  const wrong = text === "" ? isOld(path) : isAlive(running.pid) && !isAttached(text);
  if (wrong && tryReadNow(path) === text) rmSync(path, { force: true });
  return undefined;
}

/**
 * Its command line names our data. Where that cannot be seen, any living process will do. (Its
 * working directory would say so too, but root in a container may not read another user's.)
 */
function isServer(pid: number, data: string): boolean {
  if (!Number.isInteger(pid) || pid <= 0) return false;
  if (process.platform !== "linux") return isAlive(pid);
  const words = tryReadNow(`/proc/${pid}/cmdline`)?.split("\0") ?? [];
  const [, served] = words.slice(words.indexOf("-D"));
  return words.includes("-D") && served !== undefined && isSameFolder(served, data);
}

function isSameFolder(a: string, b: string): boolean {
  try {
    return realpathSync(a) === realpathSync(b);
  } catch {
    return false;
  }
}

/** Whether any process still uses the shared memory that the lock file names, as key and id. */
function isAttached(text: string): boolean {
  const id = text.split("\n")[6]?.trim().split(/\s+/)[1];
  const segments = tryReadNow("/proc/sysvipc/shm")?.split("\n") ?? [];
  const [, shmid, , , , , attached] =
    segments.map((line) => line.trim().split(/\s+/)).find((fields) => fields[1] === id) ?? [];
  return shmid !== undefined && attached !== "0";
}

function isOld(path: string): boolean {
  const found = statSync(path, { throwIfNoEntry: false });
  return found !== undefined && Date.now() - found.mtimeMs > EMPTY_LOCK_MS;
}

function tryReadNow(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return undefined;
  }
}

/** Knows our password and serves our folder; makes the database at the first time. */
async function isOurs({ data, password }: Cluster, port: number): Promise<boolean> {
  const connectionString = urlOf(password, port, "postgres");
  const client = new pg.Client({ connectionString, connectionTimeoutMillis: 5000 });
  client.on("error", () => {});
  try {
    await client.connect();
    const shown = await client.query<{ data_directory: string }>("show data_directory");
    if (!isSameFolder(shown.rows[0]?.data_directory ?? "", data)) return false;
    const found = await client.query("select from pg_database where datname = $1", [DATABASE_NAME]);
    if (found.rowCount === 0) await client.query(`create database ${DATABASE_NAME}`);
    return true;
  } catch {
    return false; // it starts, recovers, or stops: asked again soon
  } finally {
    await client.end().catch(() => {});
  }
}

export function urlOf(password: string, port: number, database: string): string {
  return `postgresql://${CLUSTER_USER}:${password}@127.0.0.1:${port}/${database}`;
}

/** @returns what it said when it ended before it was ready */
async function startServer(place: Place, port: number): Promise<string | undefined> {
  const { cluster, binaries, owner } = place;
  await rotate(cluster.log);
  const log = openSync(cluster.log, "a", 0o600);
  const from = (await stat(cluster.log)).size;
  const child = spawn(join(binaries.bin, "postgres"), argsOf(place, port), {
    ...{ env: binaries.env, cwd: "/", stdio: ["ignore", log, log], ...owner },
    detached: true, // Ctrl-C in our terminal is not for it
  });
  closeSync(log);
  child.unref();
  if (!(await endsBeforeReady(child, cluster))) return undefined;
  return (await readFile(cluster.log)).subarray(from).toString() || "no words";
}

function argsOf({ cluster, durable }: Place, port: number): string[] {
  const fits = Buffer.byteLength(cluster.dir) <= SOCKET_BYTES;
  const settings = [
    ...["listen_addresses=127.0.0.1", `unix_socket_directories=${fits ? cluster.dir : ""}`],
    ...["max_connections=200", `shared_buffers=${durable ? 64 : 16}MB`, "log_timezone=UTC"],
    // Commits still reach the operating system, so that only its own crash can lose them.
    ...(durable ? [] : ["fsync=off", "full_page_writes=off"]),
  ];
  return ["-D", cluster.data, "-p", `${port}`, ...settings.flatMap((setting) => ["-c", setting])];
}

async function endsBeforeReady(child: ChildProcess, cluster: Cluster): Promise<boolean> {
  let ended = false;
  child.once("error", () => {
    ended = true;
  });
  child.once("exit", () => {
    ended = true;
  });
  for (const end = Date.now() + START_MS; !ended && Date.now() < end; await sleep(10)) {
    const running = findServer(cluster);
    if (running?.pid === child.pid && running?.ready) return false;
  }
  return ended;
}

/** Keeps one older log, so that it cannot fill the disk over the years. */
async function rotate(log: string): Promise<void> {
  const found = await stat(log).catch(() => undefined);
  if (found !== undefined && found.size > LOG_BYTES) await rename(log, `${log}.1`);
}

/** The same port as last time, so that an address that somebody noted stays good. */
function lastPort({ data }: Cluster): number | undefined {
  const port = /"-p" "(\d+)"/.exec(tryReadNow(join(data, "postmaster.opts")) ?? "")?.[1];
  return port === undefined ? undefined : Number(port);
}

/**
 * Below the ports that systems give to outgoing connections: one of those could take ours while the
 * server is away, and keep it.
 */
async function freePort(): Promise<number> {
  for (;;) {
    const port = 15_000 + randomInt(17_000);
    if (await isFree(port)) return port;
  }
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once("error", () => resolve(false));
    server.listen(port, "127.0.0.1", () => server.close(() => resolve(true)));
  });
}

/** Ends it in order: clients are sent away, nothing is lost. */
export async function stopServer(cluster: Cluster): Promise<void> {
  // Fast, then immediate, as pg_ctl calls them; the latter recovers at the next start.
  for (const [signal, ms] of [
    ["SIGINT", 15_000],
    ["SIGQUIT", 5000],
  ] as const) {
    const running = findServer(cluster);
    if (running === undefined) return;
    const mark = processMark(running.pid);
    process.kill(running.pid, signal);
    const end = Date.now() + ms;
    while (Date.now() < end && isSameProcess(mark)) await sleep(10);
  }
}
