/**
 * A daemon for `verify:cluster`: a kernel that runs what it is given, until it is killed. Its one
 * argument is JSON (`DaemonOptions`). Every start of a driver is a line in a file that is opened
 * for appending, and every effect a row in a database that the kernel knows nothing of.
 */
import { appendFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import pg from "pg";
import { openDatabase } from "../src/durable/database.ts";
import { bootKernel } from "../src/os/kernel/boot.ts";
import type { Sys } from "../src/os/kernel/process.ts";
import type { CallContext, CallResult, Effect, Syscall } from "../src/os/kernel/syscall.ts";
import { fromUser } from "../src/os/security/label.ts";
import { type Labelled, labelled } from "../src/os/security/labelled.ts";

export interface DaemonOptions {
  readonly id: string;
  readonly url: string;
  /** Database of the effects. */
  readonly world: string;
  /** File of the attempts. */
  readonly ledger: string;
  readonly staleMs: number;
  /** Processes that it spawns. */
  readonly processes: number;
  readonly calls: number;
  readonly callMs: number;
}

/** Tables of the world: what happened and how often, and which attempts it has shut out. */
export const worldTables = `
  create table effect (key text primary key, kind text not null, times int not null);
  create table void (key text not null, attempt int not null, primary key (key, attempt));`;

/** In this order, again and again. */
const effects: readonly Effect[] = ["pure", "idempotent", "reconcilable", "irreversible"];

async function serve(options: DaemonOptions): Promise<void> {
  const { id, staleMs, calls } = options;
  const world = new pg.Pool({ connectionString: options.world, max: 8 });
  const kernel = await bootKernel({
    ...{ database: await openDatabase(options.url), executorId: id, staleMs },
    ...{ syscalls: effects.map((effect) => row(effect, options, world)), programs: { work } },
    notice: (text) => console.error(`${id}: ${text}`),
  });
  const request = { program: "work", input: typed(calls), capabilities: [{ call: "world.*" }] };
  for (let n = 0; n < options.processes; n++) await kernel.spawn(request);
  process.once("SIGTERM", async () => {
    await kernel[Symbol.asyncDispose]();
    process.exit(0);
  });
  console.log("ready");
}

function typed(value: number): Labelled {
  return labelled(value, fromUser);
}

/** Returns how many of its calls had an unknown end. */
async function work(sys: Sys): Promise<Labelled> {
  let unknown = 0;
  for (let n = 0; n < (sys.input.value as number); n++) {
    const outcome = await sys.call(
      `world.${effects[n % effects.length]}`,
      labelled({ n }, fromUser),
    );
    if (outcome.status === "error") throw new Error(outcome.error.message);
    if (outcome.status === "unknown") unknown += 1;
  }
  return typed(unknown);
}

function row(effect: Effect, options: DaemonOptions, world: pg.Pool): Syscall {
  const { id, ledger, callMs } = options;
  const run = async (_: Labelled, { pid, call, key, again }: CallContext): Promise<CallResult> => {
    appendFileSync(ledger, `${JSON.stringify({ pid, call, effect, daemon: id, again })}\n`);
    await sleep(callMs / 2);
    await happen[effect](world, key, again ? 1 : 0);
    await sleep(callMs / 2);
    return { value: call };
  };
  return {
    ...{ name: `world.${effect}`, doc: "Adds to the world.", effect, run },
    args: { type: "object", properties: { n: { type: "integer" } }, additionalProperties: false },
    ...{ access: effect === "pure" ? "read" : "write", sinks: { n: "neutral" } },
    ...(effect === "reconcilable" && {
      reconcile: (_: Labelled, { key }: CallContext) => reconcile(world, key),
    }),
  };
}

/** How the world takes a request of each kind. Only for the idempotent one is a key a key. */
const happen: Readonly<
  Record<Effect, (world: pg.Pool, key: string, attempt: number) => Promise<unknown>>
> = {
  pure: async () => {},
  idempotent: (world, key) =>
    world.query("insert into effect values ($1, 'idempotent', 1) on conflict do nothing", [key]),
  reconcilable: async (world, key, attempt) => {
    const { rowCount } = await world.query(
      `insert into effect select $1, 'reconcilable', 1
       where not exists (select from void where key = $1 and attempt = $2)
       on conflict (key) do update set times = effect.times + 1`,
      [key, attempt],
    );
    if (rowCount === 0) throw new Error("this attempt was shut out");
  },
  irreversible: (world, key) =>
    world.query(
      `insert into effect values ($1, 'irreversible', 1)
       on conflict (key) do update set times = effect.times + 1`,
      [key],
    ),
};

/**
 * Whether it happened; if not, its first attempt never will, or the answer would be worth nothing:
 * whoever made it may be frozen just before the deed. One statement at a time per key, by its lock.
 */
async function reconcile(
  world: pg.Pool,
  key: string,
): Promise<{ happened: true; result: CallResult } | { happened: false }> {
  await world.query("insert into void values ($1, 0) on conflict do nothing", [key]);
  const { rowCount } = await world.query("select from effect where key = $1", [key]);
  return rowCount === 0 ? { happened: false } : { happened: true, result: { value: 0 } };
}

// The verifier imports the tables; as a program this is a daemon.
if (import.meta.main) await serve(JSON.parse(process.argv[2] ?? "") as DaemonOptions);
