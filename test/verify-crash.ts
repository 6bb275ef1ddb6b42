/**
 * verify:crash: processes of 200 system calls of all effect classes, whose daemon is killed with
 * SIGKILL at every boundary of the journal, and Postgres at 20 of them. Several processes run at
 * once; in each round all of them are held at a boundary of their own, and one kill hits them all.
 * In the end it looks at the values that they returned, at a world outside of Postgres in which
 * each effect is a line, at the tickets and at the journals.
 */
import { type ChildProcessByStdio, spawn } from "node:child_process";
import { once } from "node:events";
import { chmodSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import type { Readable, Writable } from "node:stream";
import { setTimeout as sleep } from "node:timers/promises";
import { type Command, type CommandIo, defineCommand } from "../src/cli/command.ts";
import { runProgram } from "../src/cli/execute.ts";
import { philox, toUnit } from "../src/compute/philox.ts";
import { openDatabase } from "../src/durable/database.ts";
import { type PostgresServer, startPostgres } from "../src/durable/postgres.ts";
import { inRange, type OptionTableFor } from "../src/options.ts";
import type { Exit } from "../src/os/kernel/process.ts";
import type { Point } from "./os/kernel/crash/daemon.ts";
import {
  boundariesOf,
  effectOf,
  expectedState,
  nameOf,
  OPERATIONS,
} from "./os/kernel/crash/errand.ts";
import { openWorld } from "./os/kernel/crash/world.ts";
import { boot } from "./os/kernel/test-kernel.ts";

interface CrashValues {
  lanes: number;
  fresh: number;
  postgres: number;
  seed: number;
}

const options: OptionTableFor<CrashValues> = {
  lanes: {
    type: "integer",
    value: 7,
    doc: "Processes that share the boundaries, each of 200 calls.",
    check: inRange(1, 50),
  },
  fresh: {
    type: "integer",
    value: 14,
    doc: "Further processes, each killed once, at a boundary of the seed's choice.",
    check: inRange(0, 50),
  },
  postgres: {
    type: "integer",
    value: 20,
    doc: "Rounds in which Postgres is killed, and the daemon lives on.",
    check: inRange(0, 100),
  },
  seed: { type: "integer", value: 1, doc: "Of the choices.", check: inRange(0, 1e6) },
};

type Daemon = ChildProcessByStdio<Writable, Readable, null>;
type Round = readonly Point[];

interface Run {
  readonly server: PostgresServer;
  readonly folder: string;
  readonly lanes: readonly number[];
  readonly rounds: readonly Round[];
  /** Rounds, by number, in which Postgres dies instead of the daemon. */
  readonly postgresRounds: ReadonlySet<number>;
  readonly io: CommandIo;
}

async function run(values: CrashValues, io: CommandIo): Promise<void> {
  const started = performance.now();
  const folder = mkdtempSync(join(tmpdir(), "nutshell-crash-"));
  chmodSync(folder, 0o755); // the server runs as another user
  await using server = await startPostgres({ dir: join(folder, "postgres"), url: undefined });
  try {
    const random = seeded(values.seed);
    const lanes = Array.from({ length: values.lanes }, (_, lane) => lane);
    const fresh = Array.from({ length: values.fresh }, (_, index) => values.lanes + index);
    const rounds = spread(lanes);
    const postgresRounds = choose(rounds.length, values.postgres, random);
    const many = await killThrough({ server, folder, lanes, rounds, postgresRounds, io });
    const once = [fresh.map((lane) => pick(lane, random))];
    const few = {
      server,
      folder,
      lanes: fresh,
      rounds: once,
      postgresRounds: new Set<number>(),
      io,
    };
    const { exits, kills } = fresh.length > 0 ? await killThrough(few) : { exits: {}, kills: 0 };
    const seconds = Number(((performance.now() - started) / 1000).toFixed(1));
    const all = { ...many.exits, ...exits };
    const found = await inspect(server.url, folder, [...lanes, ...fresh], all);
    const boundaries = rounds.flat().length;
    const counts = { boundaries, kills: many.kills + kills, postgresKills: many.postgresKills };
    const result = { ...counts, fresh: fresh.length, ...found, seconds };
    const holds = found.wrongStates === 0 && found.wrongEffects === 0 && found.journalOk;
    const settled = found.openTickets === 0 && found.unqueued === 0 && found.unknown > 0;
    io.stdout(`${JSON.stringify({ ...result, holds: holds && settled })}\n`);
    if (!holds || !settled) process.exitCode = 1;
  } finally {
    await server.stop();
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Every boundary of the 200 operations, dealt to the lanes; a round has one of each. */
function spread(lanes: readonly number[]): Round[] {
  const every = Array.from({ length: OPERATIONS }, (_, operation) =>
    boundariesOf(operation).map((boundary) => ({ operation, boundary })),
  ).flat();
  const rounds = Array.from({ length: Math.ceil(every.length / lanes.length) }, (_, round) =>
    lanes.flatMap((lane, place) => {
      const one = every[round * lanes.length + place];
      return one === undefined ? [] : [[lane, one.operation, one.boundary] as const];
    }),
  );
  return rounds;
}

function pick(lane: number, random: () => number): Point {
  const operation = Math.floor(random() * OPERATIONS);
  const boundaries = boundariesOf(operation);
  const boundary = boundaries[Math.floor(random() * boundaries.length)];
  return [lane, operation, boundary as Point[2]];
}

function choose(from: number, count: number, random: () => number): Set<number> {
  const chosen = new Set<number>();
  while (chosen.size < Math.min(count, from)) chosen.add(Math.floor(random() * from));
  return chosen;
}

function seeded(seed: number): () => number {
  let draws = 0;
  return () => toUnit(philox([draws++, 0, 0, 0], [seed, 0])[0] as number);
}

interface Killed {
  readonly exits: Readonly<Record<string, Exit>>;
  readonly kills: number;
  readonly postgresKills: number;
}

async function killThrough(plan: Run): Promise<Killed> {
  const { rounds, postgresRounds, io } = plan;
  const started = performance.now();
  let daemon: Daemon | undefined;
  let postgresKills = 0;
  for (const [number, round] of rounds.entries()) {
    const words = daemon === undefined ? undefined : next(daemon, round);
    daemon ??= startDaemon(plan, round);
    await (words ?? heard(daemon, "held"));
    if (postgresRounds.has(number)) {
      await killPostgres(plan.server);
      postgresKills += 1;
    } else {
      daemon.kill("SIGKILL");
      await once(daemon, "close");
      daemon = undefined;
    }
    tell(io, number + 1, rounds.length, performance.now() - started);
  }
  const last = daemon ?? startDaemon(plan, []);
  const ended = heard(last, "end ");
  if (daemon !== undefined) last.stdin.write("[]\n");
  const exits = JSON.parse((await ended).slice("end ".length));
  last.kill("SIGKILL");
  await once(last, "close");
  return { exits, kills: rounds.length - postgresKills, postgresKills };
}

function startDaemon({ server, folder, lanes }: Run, round: Round): Daemon {
  const file = join(import.meta.dirname, "os/kernel/crash/daemon.ts");
  const args = [file, server.url, folder, lanes.join(","), JSON.stringify(round)];
  return spawn(process.execPath, args, { stdio: ["pipe", "pipe", "inherit"] });
}

function next(daemon: Daemon, round: Round): Promise<string> {
  const held = heard(daemon, "held");
  daemon.stdin.write(`${JSON.stringify(round)}\n`);
  return held;
}

/** The daemon's next line that begins so. */
async function heard(daemon: Daemon, start: string): Promise<string> {
  const lines = createInterface({ input: daemon.stdout });
  try {
    for await (const line of lines) if (line.startsWith(start)) return line;
  } finally {
    lines.close();
  }
  throw new Error(`verify:crash: the daemon must say ${start}, got its end.`);
}

async function killPostgres(server: PostgresServer): Promise<void> {
  const before = server.pid as number;
  process.kill(before, "SIGKILL");
  while (server.pid === before) await sleep(20);
}

/** On stderr, on one line of a terminal. */
function tell(io: CommandIo, done: number, all: number, ms: number): void {
  if (!io.isTTY && done % 10 !== 0 && done !== all) return;
  const left = Math.round(((ms / done) * (all - done)) / 1000);
  const line = `round ${done}/${all} | ${((done / ms) * 1000).toFixed(1)} kills/s | ${left} s left`;
  io.stderr(io.isTTY ? `\r${line.padEnd(io.columns - 1)}` : `${line}\n`);
}

interface Found {
  readonly processes: number;
  readonly wrongStates: number;
  readonly wrongEffects: number;
  readonly unknown: number;
  readonly unqueued: number;
  readonly openTickets: number;
  readonly records: number;
  readonly journalOk: boolean;
}

async function inspect(
  url: string,
  folder: string,
  lanes: readonly number[],
  exits: Readonly<Record<string, Exit>>,
): Promise<Found> {
  await using database = await openDatabase(url);
  await using kernel = await boot(database, {}, { anchorFile: join(folder, "anchors") });
  const counts = openWorld(join(folder, "world")).counts();
  const wanted = lanes.flatMap((lane) =>
    Array.from({ length: OPERATIONS }, (_, operation) => operation)
      .filter((operation) => effectOf(operation) !== "pure")
      .map((operation) => nameOf({ lane, operation })),
  );
  const missing = wanted.filter((name) => counts.get(name) !== 1).length;
  const wrongStates = lanes.filter((lane) => {
    const exit = exits[lane];
    return exit?.how !== "returned" || exit.value !== expectedState(lane);
  }).length;
  const tickets = await kernel.tickets({ all: true });
  const unknown = await countUnknown(database);
  const { ok, records } = await kernel.verifyJournal();
  return {
    ...{ processes: lanes.length, wrongStates, unknown, records, journalOk: ok },
    wrongEffects: missing + Math.abs(counts.size - wanted.length),
    unqueued: Math.abs(unknown - tickets.filter(({ kind }) => kind === "unknown").length),
    openTickets: tickets.filter(({ state }) => state === "open").length,
  };
}

/** Calls whose journaled result is that nobody knows. */
async function countUnknown({ pool }: Awaited<ReturnType<typeof openDatabase>>): Promise<number> {
  const { rows } = await pool.query<{ n: number }>(
    `select count(*)::int as n from journal
     where kind = 'result' and body::json->>'status' = 'unknown'`,
  );
  return (rows[0] as { n: number }).n;
}

const command: Command<OptionTableFor<CrashValues>> = defineCommand({
  name: "verify:crash",
  start: "npm run verify:crash --",
  summary: "kill -9 at every boundary of the journal: nothing lost, nothing done twice",
  example: "npm run verify:crash -- --json",
  options,
  run,
});

await runProgram(command);
