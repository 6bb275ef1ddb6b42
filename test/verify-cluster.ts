/**
 * `npm run verify:cluster -- --json`: several daemons on one Postgres, stopped (SIGTERM), killed
 * (SIGKILL), frozen and woken (SIGSTOP, SIGCONT) in the midst of many processes that make calls of
 * every effect class. Holds when every process ends, no call's driver is started more than twice,
 * no effect happens twice, one is missing only where the process was told "unknown" and a person
 * has a ticket, and the journals are whole. Counted by a file and a database of its own.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import pg from "pg";
import { type Command, type CommandIo, defineCommand } from "../src/cli/command.ts";
import { runProgram } from "../src/cli/execute.ts";
import { type Database, openDatabase } from "../src/durable/database.ts";
import { type PostgresServer, startPostgres } from "../src/durable/postgres.ts";
import { inRange, type OptionTableFor } from "../src/options.ts";
import { bootKernel } from "../src/os/kernel/boot.ts";
import { type DaemonOptions, worldTables } from "./cluster-daemon.ts";

interface Values {
  processes: number;
  calls: number;
  staleMs: number;
  rounds: number;
}

/** What is done to the daemons a, b, c once their processes are under way. */
interface Scenario {
  readonly name: string;
  readonly daemons: readonly string[];
  readonly happens: (cluster: Cluster) => Promise<void>;
}

const scenarios: readonly Scenario[] = [
  {
    name: "one of two is killed for good",
    daemons: ["a", "b"],
    happens: async ({ kill }) => kill("a"),
  },
  {
    name: "one of two is killed, the other frozen and woken",
    daemons: ["a", "b"],
    happens: async ({ kill, freeze, wake, staleMs }) => {
      kill("a");
      freeze("b");
      await sleep(1.5 * staleMs);
      wake("b");
    },
  },
  {
    name: "of three one is killed, one frozen until it is taken for dead, and woken",
    daemons: ["a", "b", "c"],
    happens: async ({ kill, freeze, wake, staleMs }) => {
      kill("a");
      freeze("b");
      await sleep(2 * staleMs);
      wake("b");
    },
  },
  {
    name: "one of two is stopped in order and stays away",
    daemons: ["a", "b"],
    happens: async ({ stop }) => stop("a"),
  },
  {
    name: "one of two is killed and comes back under its name at once",
    daemons: ["a", "b"],
    happens: async ({ kill, start }) => {
      kill("a");
      await start("a", 0);
    },
  },
];

interface Cluster {
  readonly staleMs: number;
  /** Resolves when it runs. */
  start(id: string, processes: number): Promise<void>;
  stop(id: string): void;
  kill(id: string): void;
  freeze(id: string): void;
  wake(id: string): void;
}

interface Outcome {
  readonly scenario: string;
  readonly processes: number;
  readonly ended: number;
  readonly calls: number;
  /** Starts of drivers, and the most of one call. */
  readonly attempts: number;
  readonly most_attempts: number;
  /** Calls that should have changed the world, and how they did. */
  readonly changes: number;
  readonly effects: number;
  readonly effects_twice: number;
  readonly unknown: number;
  readonly tickets: number;
  readonly journal_ok: boolean;
  readonly seconds: number;
  readonly holds: boolean;
}

const CALL_MS = 60;
const LIMIT_S = 60;

async function verify(values: Values, io: CommandIo): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), "nutshell-cluster-"));
  chmodSync(folder, 0o711); // under root the server is user nobody's
  const outcomes: Outcome[] = [];
  const server = await startPostgres({ dir: join(folder, "postgres"), url: undefined });
  try {
    const all = scenarios.length * values.rounds;
    const began = performance.now();
    for (let n = 0; n < all; n++) {
      io.signal.throwIfAborted();
      const scenario = scenarios[n % scenarios.length] as Scenario;
      const outcome = await play(scenario, values, server, join(folder, `ledger-${n}`), io);
      outcomes.push(outcome);
      const left = ((performance.now() - began) / (n + 1) / 1000) * (all - n - 1);
      const verdict = outcome.holds ? "holds" : "DOES NOT HOLD";
      io.stderr(`${n + 1}/${all} ${verdict}: ${outcome.scenario}, ${outcome.seconds} s; `);
      io.stderr(`about ${left.toFixed(0)} s left\n`);
    }
  } finally {
    await server.stop();
    rmSync(folder, { recursive: true, force: true });
  }
  report(outcomes, io);
}

async function play(
  scenario: Scenario,
  values: Values,
  server: PostgresServer,
  ledger: string,
  io: CommandIo,
): Promise<Outcome> {
  const database = await openDatabase(await freshDatabase(server.url));
  const world = await openDatabase(await freshDatabase(server.url));
  await world.pool.query(worldTables);
  const began = performance.now();
  const children = new Map<string, ChildProcess>();
  const { calls, staleMs } = values;
  const given = { url: database.url, world: world.url, ledger, staleMs, calls, callMs: CALL_MS };
  const cluster: Cluster = {
    staleMs,
    start: async (id, processes) => {
      children.set(id, await startDaemon({ ...given, id, processes }, io));
    },
    stop: (id) => children.get(id)?.kill("SIGTERM"),
    kill: (id) => children.get(id)?.kill("SIGKILL"),
    freeze: (id) => children.get(id)?.kill("SIGSTOP"),
    wake: (id) => children.get(id)?.kill("SIGCONT"),
  };
  try {
    await Promise.all(scenario.daemons.map((id) => cluster.start(id, values.processes)));
    await sleep((calls * CALL_MS) / 3);
    await scenario.happens(cluster);
    const processes = values.processes * scenario.daemons.length;
    const ends = await waitForEnds(database, processes, io);
    await sleep(2 * CALL_MS + 500); // what a woken one still had in its hands
    const counts = { ...ends, ...countAttempts(ledger), ...(await countEffects(world)) };
    const seconds = Number(((performance.now() - began) / 1000).toFixed(1));
    const asked = { processes, calls: processes * calls, changes: changesOf(calls) * processes };
    const seen = await inspect(database);
    const outcome = { scenario: scenario.name, ...asked, ...counts, ...seen, seconds };
    return { ...outcome, holds: holds(outcome) };
  } finally {
    for (const child of children.values()) child.kill("SIGKILL");
    await world[Symbol.asyncDispose]();
    await database[Symbol.asyncDispose]();
  }
}

/** Every fourth call is pure, the first of them first. */
function changesOf(calls: number): number {
  return calls - Math.ceil(calls / 4);
}

function holds(o: Omit<Outcome, "holds">): boolean {
  const lost = o.changes - o.effects;
  const once = o.most_attempts <= 2 && o.effects_twice === 0;
  return o.ended === o.processes && once && lost >= 0 && lost <= o.unknown && o.journal_ok;
}

async function freshDatabase(url: string): Promise<string> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  const name = `verify_${process.hrtime.bigint()}`;
  await client.query(`create database ${name}`);
  await client.end();
  return url.replace(/[^/]*$/, name);
}

async function startDaemon(options: DaemonOptions, io: CommandIo): Promise<ChildProcess> {
  const path = join(import.meta.dirname, "cluster-daemon.ts");
  const child = spawn(process.execPath, [path, JSON.stringify(options)], { stdio: "pipe" });
  child.stderr.on("data", (text: Buffer) => io.stderr(`  ${text}`));
  const ready = once(child.stdout, "data");
  const ended = once(child, "exit").then(([code]) => {
    throw new Error(`daemon ${options.id} ended with ${code} before it was ready`);
  });
  ended.catch(() => {});
  await Promise.race([ready, ended]);
  return child;
}

/** @returns how many returned within the limit, and how many calls they took for unknown */
async function waitForEnds(
  database: Database,
  processes: number,
  io: CommandIo,
): Promise<Pick<Outcome, "ended" | "unknown">> {
  const count = `select count(*) filter (where how = 'returned')::int as ended,
      coalesce(sum(value::int) filter (where how = 'returned'), 0)::int as unknown,
      count(*) filter (where how <> 'returned')::int as failed
    from (select exit::json ->> 'how' as how, exit::json ->> 'value' as value
      from process where ended_at is not null) as ends`;
  let ends = { ended: 0, unknown: 0, failed: 0 };
  for (const end = Date.now() + LIMIT_S * 1000; Date.now() < end; await sleep(100)) {
    io.signal.throwIfAborted();
    ends = (await database.pool.query<typeof ends>(count)).rows[0] ?? ends;
    if (ends.ended + ends.failed === processes) break;
  }
  return { ended: ends.ended, unknown: ends.unknown };
}

function countAttempts(ledger: string): Pick<Outcome, "attempts" | "most_attempts"> {
  const lines = existsSync(ledger) ? readFileSync(ledger, "utf8").trim().split("\n") : [];
  const tries = new Map<string, number>();
  for (const line of lines) {
    const { pid, call } = JSON.parse(line) as { pid: number; call: number };
    tries.set(`${pid} ${call}`, (tries.get(`${pid} ${call}`) ?? 0) + 1);
  }
  return { attempts: lines.length, most_attempts: Math.max(0, ...tries.values()) };
}

async function countEffects(world: Database): Promise<Pick<Outcome, "effects" | "effects_twice">> {
  const { rows } = await world.pool.query<{ effects: number; effects_twice: number }>(
    `select count(*)::int as effects,
       count(*) filter (where times > 1)::int as effects_twice from effect`,
  );
  return rows[0] ?? { effects: 0, effects_twice: 0 };
}

/** A daemon of our own looks at what the others left. */
async function inspect(database: Database): Promise<Pick<Outcome, "tickets" | "journal_ok">> {
  await using kernel = await bootKernel({
    ...{ database, executorId: "inspector", syscalls: [], programs: {} },
  });
  const { ok } = await kernel.verifyJournal();
  return { tickets: (await kernel.tickets({ all: true })).length, journal_ok: ok };
}

function report(outcomes: readonly Outcome[], io: CommandIo): void {
  const ok = outcomes.every(({ holds }) => holds);
  if (!io.json) console.table(outcomes);
  io.stdout(`${JSON.stringify({ verify: "cluster", holds: ok, scenarios: outcomes })}\n`);
  if (!ok) process.exitCode = 1;
}

const atLeastOne = inRange(1, 10_000);
const options: OptionTableFor<Values> = {
  processes: { type: "integer", value: 8, doc: "That each daemon spawns.", check: atLeastOne },
  calls: { type: "integer", value: 40, doc: "Of each process.", check: atLeastOne },
  staleMs: {
    type: "integer",
    value: 2000,
    placeholder: "MS",
    doc: "Silence after which a daemon is dead.",
    check: inRange(500, 60_000),
  },
  rounds: { type: "integer", value: 1, doc: "Times that all is done.", check: atLeastOne },
};

const command: Command<OptionTableFor<Values>> = defineCommand({
  name: "verify:cluster",
  start: "npm run verify:cluster --",
  summary: "daemons killed, frozen and woken: every process ends, nothing happens twice",
  example: "npm run verify:cluster -- --json",
  options,
  run: verify,
});

await runProgram(command);
