/**
 * `npm run verify:cluster -- --json`: several daemons on one Postgres, killed (SIGKILL), frozen and
 * woken (SIGSTOP, SIGCONT) in the midst of many runs. Holds when every run ends, no step is tried
 * more than twice and no effect happens twice, as counted by a file and a database of their own.
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
import { type PostgresServer, startPostgres } from "../src/durable/postgres.ts";
import { inRange, type OptionTableFor } from "../src/options.ts";
import type { DaemonOptions } from "./cluster-daemon.ts";

interface Values {
  runs: number;
  steps: number;
  staleMs: number;
  rounds: number;
}

/** What is done to the daemons a, b, c once their runs are under way. */
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
  start(id: string, runs: number): Promise<void>;
  kill(id: string): void;
  freeze(id: string): void;
  wake(id: string): void;
}

interface Outcome {
  readonly scenario: string;
  readonly runs: number;
  readonly ended: number;
  readonly steps: number;
  readonly attempts: number;
  readonly most_attempts: number;
  readonly effects: number;
  readonly effects_twice: number;
  readonly seconds: number;
  readonly holds: boolean;
}

const STEP_MS = 60;
const LIMIT_S = 120;

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
  const database = await freshDatabase(server.url);
  const world = await freshDatabase(server.url);
  const observer = new pg.Pool({ connectionString: database, max: 1 });
  const effects = new pg.Pool({ connectionString: world, max: 1 });
  await effects.query("create table effect (key text primary key, times int not null default 1)");
  const began = performance.now();
  const children = new Map<string, ChildProcess>();
  const { steps, staleMs } = values;
  const cluster: Cluster = {
    staleMs,
    start: async (id, runs) => {
      const options = { id, url: database, world, ledger, staleMs, runs, steps, stepMs: STEP_MS };
      children.set(id, await startDaemon(options, io));
    },
    kill: (id) => children.get(id)?.kill("SIGKILL"),
    freeze: (id) => children.get(id)?.kill("SIGSTOP"),
    wake: (id) => children.get(id)?.kill("SIGCONT"),
  };
  try {
    await Promise.all(scenario.daemons.map((id) => cluster.start(id, values.runs)));
    await sleep((steps * STEP_MS) / 3);
    await scenario.happens(cluster);
    const runs = values.runs * scenario.daemons.length;
    const ended = await waitForEnds(observer, runs, io);
    await sleep(2 * STEP_MS + 200); // what a woken one still had in its hands
    const counts = { ...countAttempts(ledger), ...(await countEffects(effects)) };
    const seconds = Number(((performance.now() - began) / 1000).toFixed(1));
    const outcome = {
      scenario: scenario.name,
      runs,
      ended,
      steps: runs * steps,
      ...counts,
      seconds,
    };
    return { ...outcome, holds: holds(outcome) };
  } finally {
    for (const child of children.values()) child.kill("SIGKILL");
    await observer.end();
    await effects.end();
  }
}

function holds(o: Omit<Outcome, "holds">): boolean {
  const all = o.ended === o.runs && o.effects === o.steps;
  return all && o.most_attempts <= 2 && o.effects_twice === 0;
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

/** @returns how many runs ended well within the limit */
async function waitForEnds(observer: pg.Pool, runs: number, io: CommandIo): Promise<number> {
  const count = `select count(*)::int as n from nutshell_dbos.workflow_status
    where status = 'SUCCESS'`;
  let ended = 0;
  for (const end = Date.now() + LIMIT_S * 1000; Date.now() < end; await sleep(100)) {
    io.signal.throwIfAborted();
    ended = (await observer.query<{ n: number }>(count)).rows[0]?.n ?? 0;
    if (ended === runs) break;
  }
  return ended;
}

function countAttempts(ledger: string): Pick<Outcome, "attempts" | "most_attempts"> {
  const lines = existsSync(ledger) ? readFileSync(ledger, "utf8").trim().split("\n") : [];
  const tries = new Map<string, number>();
  for (const line of lines) {
    const { run, n } = JSON.parse(line) as { run: string; n: number };
    tries.set(`${run} ${n}`, (tries.get(`${run} ${n}`) ?? 0) + 1);
  }
  return { attempts: lines.length, most_attempts: Math.max(0, ...tries.values()) };
}

async function countEffects(world: pg.Pool): Promise<Pick<Outcome, "effects" | "effects_twice">> {
  const { rows } = await world.query<{ effects: number; effects_twice: number }>(
    `select count(*)::int as effects,
       count(*) filter (where times > 1)::int as effects_twice from effect`,
  );
  return rows[0] ?? { effects: 0, effects_twice: 0 };
}

function report(outcomes: readonly Outcome[], io: CommandIo): void {
  const ok = outcomes.every(({ holds }) => holds);
  if (!io.json) console.table(outcomes);
  io.stdout(`${JSON.stringify({ verify: "cluster", holds: ok, scenarios: outcomes })}\n`);
  if (!ok) process.exitCode = 1;
}

const atLeastOne = inRange(1, 10_000);
const options: OptionTableFor<Values> = {
  runs: { type: "integer", value: 8, doc: "Runs that each daemon starts.", check: atLeastOne },
  steps: { type: "integer", value: 40, doc: "Of each run.", check: atLeastOne },
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
  summary: "daemons killed, frozen and woken: every run ends, nothing happens twice",
  example: "npm run verify:cluster -- --json",
  options,
  run: verify,
});

await runProgram(command);
