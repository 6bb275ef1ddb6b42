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
    doc: "Kills of Postgres that the daemon lives through.",
    check: inRange(0, 100),
  },
  seed: { type: "integer", value: 1, doc: "Of the choices.", check: inRange(0, 1e6) },
};

type Daemon = ChildProcessByStdio<Writable, Readable, null>;
type Round = readonly Point[];

/** Some processes, and where they are when something dies. */
interface Phase {
  readonly victim: "daemon" | "postgres";
  readonly lanes: readonly number[];
  readonly rounds: readonly Round[];
}

interface Place {
  readonly server: PostgresServer;
  readonly folder: string;
  readonly io: CommandIo;
}

async function run(values: CrashValues, io: CommandIo): Promise<void> {
  const started = performance.now();
  const folder = mkdtempSync(join(tmpdir(), "nutshell-crash-"));
  chmodSync(folder, 0o755); // the server runs as another user
  const server = await startPostgres({ dir: join(folder, "postgres"), url: undefined });
  try {
    const phases = plan(values);
    const exits: Record<string, Exit> = {};
    for (const phase of phases) {
      Object.assign(exits, await killThrough({ server, folder, io }, phase));
    }
    const lanes = phases.flatMap((phase) => phase.lanes);
    const found = await inspect(server.url, folder, lanes, exits);
    const seconds = Number(((performance.now() - started) / 1000).toFixed(1));
    const holds = isRight(found);
    io.stdout(`${JSON.stringify({ ...countKills(phases), ...found, seconds, holds })}\n`);
    if (!holds) process.exitCode = 1;
  } finally {
    await server.stop();
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Every boundary once for the daemon; some for Postgres; and processes that are killed just once. */
function plan({ lanes, postgres, fresh, seed }: CrashValues): readonly Phase[] {
  const random = seeded(seed);
  const numbers = (from: number, count: number): number[] =>
    Array.from({ length: count }, (_, index) => from + index);
  const all: Phase = { victim: "daemon", lanes: numbers(0, lanes), rounds: spread(lanes) };
  const alone = numbers(lanes, fresh);
  const once = [alone.map((lane) => pick(lane, 0, OPERATIONS, random))];
  const others = numbers(lanes + fresh, lanes);
  const span = OPERATIONS / postgres;
  const rounds = numbers(0, postgres).map((round) =>
    others.map((lane) => pick(lane, round * span, span, random)),
  );
  return [
    all,
    { victim: "postgres", lanes: postgres > 0 ? others : [], rounds },
    { victim: "daemon", lanes: alone, rounds: once },
  ];
}

function countKills(phases: readonly Phase[]): Readonly<Record<string, number>> {
  const [all, postgres, fresh] = phases as readonly [Phase, Phase, Phase];
  return {
    boundaries: all.rounds.flat().length,
    daemonKills: all.rounds.length + (fresh.lanes.length > 0 ? 1 : 0),
    postgresKills: postgres.rounds.length,
    fresh: fresh.lanes.length,
  };
}

/** Every boundary of the 200 operations, dealt to the lanes; a round has one of each. */
function spread(lanes: number): Round[] {
  const every = Array.from({ length: OPERATIONS }, (_, operation) =>
    boundariesOf(operation).map((boundary) => ({ operation, boundary })),
  ).flat();
  return Array.from({ length: Math.ceil(every.length / lanes) }, (_, round) =>
    every
      .slice(round * lanes, (round + 1) * lanes)
      .map(({ operation, boundary }, lane) => [lane, operation, boundary] as const),
  );
}

/** A boundary of one of `count` operations from `from` on. */
function pick(lane: number, from: number, count: number, random: () => number): Point {
  const operation = Math.floor(from + random() * count);
  const boundaries = boundariesOf(operation);
  const boundary = boundaries[Math.floor(random() * boundaries.length)];
  return [lane, operation, boundary as Point[2]];
}

function seeded(seed: number): () => number {
  let draws = 0;
  return () => toUnit(philox([draws++, 0, 0, 0], [seed, 0])[0] as number);
}

/** @returns how each of the phase's processes ended */
async function killThrough(place: Place, phase: Phase): Promise<Readonly<Record<string, Exit>>> {
  const { victim, lanes, rounds } = phase;
  if (lanes.length === 0) return {};
  const started = performance.now();
  let daemon: Daemon | undefined;
  for (const [number, round] of rounds.entries()) {
    const held = daemon === undefined ? undefined : next(daemon, round);
    daemon ??= startDaemon(place, lanes, round);
    await (held ?? heard(daemon, "held"));
    if (victim === "postgres") await killPostgres(place.server);
    else {
      await kill(daemon);
      daemon = undefined;
    }
    tell(place.io, victim, number + 1, rounds.length, performance.now() - started);
  }
  const last = daemon ?? startDaemon(place, lanes, []);
  const ended = heard(last, "end ");
  if (daemon !== undefined) last.stdin.write("[]\n");
  const exits = JSON.parse((await ended).slice("end ".length));
  await kill(last);
  return exits;
}

async function kill(daemon: Daemon): Promise<void> {
  daemon.kill("SIGKILL");
  await once(daemon, "close");
}

function startDaemon({ server, folder }: Place, lanes: readonly number[], round: Round): Daemon {
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
function tell(io: CommandIo, victim: string, done: number, all: number, ms: number): void {
  if (!io.isTTY && done % 10 !== 0 && done !== all) return;
  const left = Math.round(((ms / done) * (all - done)) / 1000);
  const rate = ((done / ms) * 1000).toFixed(1);
  const line = `${victim} killed ${done}/${all} | ${rate} kills/s | ${left} s left`;
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

function isRight(found: Found): boolean {
  const { wrongStates, wrongEffects, journalOk, unknown, unqueued, openTickets } = found;
  const settled = unknown > 0 && unqueued === 0 && openTickets === 0;
  return wrongStates === 0 && wrongEffects === 0 && journalOk && settled;
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
