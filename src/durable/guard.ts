/**
 * Which executors live: each writes a beat; one that is silent for too long is declared dead by
 * whoever looks first, its row goes, and its workflows are given to those that live. DBOS leaves
 * that to a service of its own; without one, runs of a machine that never returns would never end.
 *
 * Invariant: a step begins only under a generation that was confirmed within half the time after
 * which it may be declared dead. One that was frozen and wakes finds its row gone, leaves the runs
 * of its former generation alone (they are others' now), and goes on under a fresh one.
 */
import { randomUUID } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import type pg from "pg";
import type { Database } from "./database.ts";

export interface GuardOptions {
  readonly database: Database;
  readonly id: string;
  readonly staleMs: number;
  /** Gives the unfinished runs of a dead executor to the living ones. @returns how many */
  readonly takeOver: (dead: string) => Promise<number>;
  readonly notice: (text: string) => void;
}

export interface Guard {
  /** Changes whenever others may have taken our runs; undefined when our name is another's now. */
  readonly generation: string | undefined;
  /** Resolves to whether what began under `generation` is still ours. Reads the clock, mostly. */
  confirm(generation: string | undefined): Promise<boolean>;
  stop(): Promise<void>;
}

export const guardVersions: readonly string[] = [
  `create table executor_beat (
    id text primary key, generation text not null, at timestamptz not null)`,
];

/** Registers under a new generation; a predecessor of the same name is thereby dead. */
export async function startGuard(options: GuardOptions): Promise<Guard> {
  const guard = new BeatGuard(options);
  await options.database.retry(() => guard.register());
  guard.start();
  return guard;
}

// Any number of our own; one transaction at a time sweeps.
const SWEEP_LOCK = "hashtextextended('nutshell sweep', 0)";
const insert = `insert into executor_beat values ($1, $2, now())`;
const beat = "update executor_beat set at = now() where id = $1 and generation = $2";

class BeatGuard implements Guard {
  readonly #options: GuardOptions;
  readonly #everyMs: number;
  readonly #ended = new AbortController();
  #generation: string | undefined = randomUUID();
  /** Times of the machine's monotonic clock, which runs on while a process is frozen. */
  #confirmedAt = 0;
  #steadySince = 0;
  #loop: Promise<void> = Promise.resolve();
  #beating: Promise<void> | undefined;

  constructor(options: GuardOptions) {
    this.#options = options;
    this.#everyMs = Math.min(1000, options.staleMs / 8);
  }

  get generation(): string | undefined {
    return this.#generation;
  }

  async register(): Promise<void> {
    const { database, id } = this.#options;
    const began = performance.now();
    const takeName = `${insert} on conflict (id) do update set generation = $2, at = now()`;
    await database.pool.query(takeName, [id, this.#generation]);
    this.#confirmedAt = began;
    this.#steadySince = began;
  }

  start(): void {
    this.#loop = this.#run();
  }

  async confirm(generation: string | undefined): Promise<boolean> {
    const silent = performance.now() - this.#confirmedAt;
    if (silent > this.#options.staleMs / 2 && !this.#ended.signal.aborted) {
      await this.#options.database.retry(() => this.#beat());
    }
    return generation !== undefined && generation === this.#generation;
  }

  async stop(): Promise<void> {
    this.#ended.abort();
    await this.#loop;
    const { database, id } = this.#options;
    // Its runs go to the others at the next sweep, or go on when it comes back before.
    const leave = "update executor_beat set at = '-infinity' where id = $1 and generation = $2";
    // When nobody can be told now, the silence will tell.
    await database.pool.query(leave, [id, this.#generation]).catch(() => {});
  }

  async #run(): Promise<void> {
    const { signal } = this.#ended;
    while (!signal.aborted) {
      try {
        await this.#beat();
        if (performance.now() - this.#steadySince > this.#options.staleMs) await this.#sweep();
      } catch {
        // The server is away: the next beat tells whether we are still thought alive.
      }
      await sleep(this.#everyMs, undefined, { signal, ref: false }).catch(() => {});
    }
  }

  #beat(): Promise<void> {
    this.#beating ??= this.#beatOnce().finally(() => {
      this.#beating = undefined;
    });
    return this.#beating;
  }

  async #beatOnce(): Promise<void> {
    const { database, id, staleMs, notice } = this.#options;
    if (this.#generation === undefined) return;
    const began = performance.now();
    const { rowCount } = await database.pool.query(beat, [id, this.#generation]);
    // After a gap of ours, others' silence may be the same outage: they get their time first.
    if (began - this.#confirmedAt > staleMs / 2) this.#steadySince = began;
    if (rowCount === 0) await this.#returnFromDead(database, id, notice);
    this.#confirmedAt = began;
  }

  async #returnFromDead(
    database: Database,
    id: string,
    notice: (text: string) => void,
  ): Promise<void> {
    const fresh = randomUUID();
    const { rowCount } = await database.pool.query(`${insert} on conflict do nothing`, [id, fresh]);
    this.#generation = rowCount === 1 ? fresh : undefined;
    notice(
      rowCount === 1
        ? `executor ${id}: was silent and declared dead; its processes went to others, it goes on`
        : `executor ${id}: another daemon has this name now; this one starts nothing any more`,
    );
  }

  /** Silence is measured by the database's clock alone. */
  async #sweep(): Promise<void> {
    const { database, staleMs } = this.#options;
    await database.transaction(async (client) => {
      const lock = `select pg_try_advisory_xact_lock(${SWEEP_LOCK}) as mine`;
      const { rows } = await client.query<{ mine: boolean }>(lock);
      if (rows[0]?.mine !== true) return;
      const silent = `select id, at = '-infinity' as gone from executor_beat
        where at < now() - make_interval(secs => $1) order by id for update skip locked`;
      const dead = await client.query<{ id: string; gone: boolean }>(silent, [staleMs / 1000]);
      for (const { id, gone } of dead.rows) await this.#bury(client, id, gone);
    });
  }

  /** Its row is locked: should it wake now, its beat waits for our end and finds no row. */
  async #bury(client: pg.PoolClient, id: string, gone: boolean): Promise<void> {
    const { takeOver, notice } = this.#options;
    const runs = await takeOver(id);
    await client.query("delete from executor_beat where id = $1", [id]);
    const why = gone ? "it has left" : "silent for too long, declared dead";
    notice(`executor ${id}: ${why}; ${runs} of its processes go on elsewhere`);
  }
}
