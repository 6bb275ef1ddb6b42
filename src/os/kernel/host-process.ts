/**
 * Children on the machine itself: shells, browsers. Each is a row with what names it for ever (boot,
 * pid, start time), begins in a session of its own and carries a mark in its environment, which its
 * descendants inherit. A kill takes its session, its descendants and all that carry the mark, again
 * until a look finds none: also those that left the session, or whose parents are gone. Whichever
 * daemon of the machine sees a row of an ended process, or of a daemon that died, does it.
 */
import { type ChildProcessWithoutNullStreams, spawn } from "node:child_process";
import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { setTimeout as sleep } from "node:timers/promises";
import type { Database } from "../../durable/database.ts";
import { DeviceError } from "./device-error.ts";
import { bootId, hasInEnvironment, listHost, type OnHost, readStart } from "./host-table.ts";
import type { SpawnOnHost } from "./syscall.ts";

export interface HostProcesses {
  spawn(pid: number, ...what: Parameters<SpawnOnHost>): ReturnType<SpawnOnHost>;
  /** Everything of these processes that runs on this machine. */
  kill(pids: readonly number[]): Promise<void>;
  /** What nobody owns any more. @returns how many rows were cleared */
  sweep(): Promise<number>;
}

const MARK = "NUTSHELL_MARK";
/** A fork bomb is outrun by stopping all that is seen before anything is killed. */
const ROUNDS = 50;

export function createHostProcesses(database: Database): HostProcesses {
  const { pool } = database;
  const daemon = { pid: process.pid, started: readStart(process.pid) ?? "" };
  return {
    spawn: async (pid, file, args, options = {}) => {
      const mark = `nutshell-${pid}-${randomUUID()}`;
      // The row comes first: a daemon that dies right after the fork leaves a mark to look for.
      const row = [bootId(), 0, mark, pid, mark, daemon.pid, daemon.started];
      await pool.query("insert into host_process values ($1, $2, $3, $4, $5, $6, $7)", row);
      return await start(database, mark, file, args, options);
    },
    kill: async (pids) => {
      if (pids.length > 0) await clear(database, "pid = any($2)", [pids]);
    },
    sweep: () => sweep(database),
  };
}

async function start(
  { pool }: Database,
  mark: string,
  file: string,
  args: readonly string[],
  options: NonNullable<Parameters<SpawnOnHost>[2]>,
): Promise<ChildProcessWithoutNullStreams> {
  const child = spawn(file, args, {
    ...(options.cwd !== undefined && { cwd: options.cwd }),
    env: { ...(options.env ?? { PATH: process.env.PATH }), [MARK]: mark },
    detached: true,
    stdio: "pipe",
  });
  try {
    await once(child, "spawn");
  } catch (error) {
    await pool.query("delete from host_process where mark = $1", [mark]);
    throw new DeviceError("host: the program must start, got an error.", { cause: error });
  }
  const pid = child.pid as number;
  // The process may have been killed meanwhile: then its row is gone, and so must this be.
  const { rowCount } = await pool.query(
    `update host_process h set os_pid = $2, started = $3 from process p
     where h.mark = $1 and p.pid = h.pid and p.ended_at is null`,
    [mark, pid, readStart(pid) ?? mark],
  );
  if (rowCount === 0) await killAll([{ os_pid: pid, started: readStart(pid) ?? "", mark }]);
  return child;
}

interface Target {
  readonly os_pid: number;
  readonly started: string;
  readonly mark: string;
}

/** @param where of which rows; `$1` is this boot. @returns how many there were */
async function clear(
  { pool }: Database,
  where: string,
  values: readonly unknown[],
): Promise<number> {
  const { rows } = await pool.query<Target>(
    `select os_pid, started, mark from host_process where boot = $1 and ${where}`,
    [bootId(), ...values],
  );
  if (rows.length === 0) return 0;
  await killAll(rows);
  await pool.query("delete from host_process where mark = any($1)", [rows.map((row) => row.mark)]);
  return rows.length;
}

/** Rows of processes that ended, and of daemons of this machine that are gone. */
async function sweep(database: Database): Promise<number> {
  const { rows } = await database.pool.query<{ pid: number; started: string }>(
    `select distinct daemon_pid as pid, daemon_started as started from host_process
     where boot = $1`,
    [bootId()],
  );
  const gone = rows.filter(({ pid, started }) => readStart(pid) !== started);
  const where = `(pid in (select pid from process where ended_at is not null)
    or (daemon_pid, daemon_started) in (select * from unnest($2::int[], $3::text[])))`;
  const columns = [gone.map(({ pid }) => pid), gone.map(({ started }) => started)];
  return await clear(database, where, columns);
}

async function killAll(targets: readonly Target[]): Promise<void> {
  for (let round = 0; round < ROUNDS; round += 1) {
    const found = findAll(targets);
    if (found.length === 0) return;
    for (const signal of ["SIGSTOP", "SIGKILL"]) for (const pid of found) send(pid, signal);
    await sleep(2);
  }
}

function send(pid: number, signal: string): void {
  try {
    process.kill(pid, signal);
  } catch {
    // It ended by itself meanwhile, which is what is wanted.
  }
}

/** In a target's session, with its mark, or descended from one that is. */
function findAll(targets: readonly Target[]): readonly number[] {
  const all = listHost().filter(
    ({ pid, state }) => state !== "Z" && pid > 1 && pid !== process.pid,
  );
  const marks = new Set(targets.map(({ mark }) => `${MARK}=${mark}`));
  const sessions = new Map(targets.map((target) => [target.os_pid, target.started]));
  const found = new Set<number>();
  for (const one of all) {
    if (isInSession(one, sessions, all) || hasInEnvironment(one.pid, marks)) found.add(one.pid);
  }
  for (let size = -1; size !== found.size; ) {
    size = found.size;
    for (const { pid, parent } of all) if (found.has(parent)) found.add(pid);
  }
  return [...found];
}

/** A number that still names a session is not given to another process, unless the session ended. */
function isInSession(
  one: OnHost,
  sessions: ReadonlyMap<number, string>,
  all: readonly OnHost[],
): boolean {
  const started = sessions.get(one.session);
  if (started === undefined) return false;
  const leader = all.find(({ pid }) => pid === one.session);
  return leader === undefined || leader.started === started;
}
