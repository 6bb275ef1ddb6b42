/**
 * A daemon for `verify:cluster`: an executor that runs what it is given, until it is killed. Its
 * one argument is JSON (`DaemonOptions`). Every attempt at a step is a line in a file that is
 * opened for appending, and every effect a row in a database that the executor knows nothing of.
 */
import { appendFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import pg from "pg";
import { openDatabase } from "../src/durable/database.ts";
import { type Executor, launchExecutor } from "../src/durable/executor.ts";

export interface DaemonOptions {
  readonly id: string;
  readonly url: string;
  /** Database of the effects. */
  readonly world: string;
  /** File of the attempts. */
  readonly ledger: string;
  readonly staleMs: number;
  /** Runs that it starts itself; names begin with its id. */
  readonly runs: number;
  readonly steps: number;
  readonly stepMs: number;
}

const options = JSON.parse(process.argv[2] ?? "") as DaemonOptions;
const { id, ledger, steps, stepMs } = options;
const world = new pg.Pool({ connectionString: options.world, max: 4 });
const database = await openDatabase(options.url);
const executor: Executor = await launchExecutor({
  ...{ database, id, version: "verify", staleMs: options.staleMs, workflows: { work } },
  notice: (text) => console.error(`${id}: ${text}`),
});
for (let n = 0; n < options.runs; n++) await executor.start("work", `${id}-${n}`, [`${id}-${n}`]);
console.log("ready");
process.stdin.on("end", () => process.exit(0)).resume();

async function work(run: string): Promise<number> {
  for (let n = 0; n < steps; n++) {
    await executor.step(`step ${n}`, async () => {
      appendFileSync(ledger, `${JSON.stringify({ run, n, daemon: id, at: Date.now() })}\n`);
      await sleep(stepMs / 2);
      await world.query("insert into effect values ($1) on conflict do nothing", [`${run} ${n}`]);
      await sleep(stepMs / 2);
      return n;
    });
  }
  return steps;
}
