/**
 * The one door to Postgres: a pool, transactions, migrations and LISTEN. All tables of the product
 * are in the schema `nutshell`, so that a shared database may hold others' tables too.
 * Invariant: a server that goes away and comes back is a normal event. Nothing here ends the
 * daemon; a query that was under way fails, and `retry` repeats what may be repeated.
 */
import { setTimeout as sleep } from "node:timers/promises";
import pg from "pg";
import { NutshellError } from "../error.ts";
import { createListenHub } from "./listen.ts";
import { migrate } from "./migrations.ts";
import { transaction } from "./transaction.ts";

export interface Database extends AsyncDisposable {
  readonly url: string;
  readonly pool: pg.Pool;
  /** Begin, run, commit; rolled back when `run` throws. */
  transaction<T>(run: (client: pg.PoolClient) => Promise<T>): Promise<T>;
  /**
   * Runs each version's statements once, in order, recorded under the part's name.
   * @throws NutshellError DATABASE when the database was made by a newer or a different program
   */
  migrate(part: string, versions: readonly string[]): Promise<void>;
  /**
   * The handler sees the payload of every NOTIFY, and `undefined` when some may have been missed
   * (the connection was lost and is back). Ready when this returns.
   */
  listen(channel: string, handler: (payload: string | undefined) => void): Promise<AsyncDisposable>;
  /**
   * Repeats what lost its server until it gets through, for a minute at most. Only for work that
   * may be done twice: a commit whose answer was lost may have happened.
   */
  retry<T>(run: () => Promise<T>): Promise<T>;
}

export interface DatabaseOptions {
  /** Connections at most; the listener has one more. Default 10. */
  readonly connections?: number;
}

const START_MS = 15_000;
const OUTAGE_MS = 60_000;

/** @throws NutshellError DATABASE when nothing answers there, or not to us */
export async function openDatabase(url: string, options: DatabaseOptions = {}): Promise<Database> {
  const pool = createPool(url, options.connections ?? 10);
  const hub = createListenHub(connectionOf(url));
  try {
    await retryLost(() => pool.query("select 1"), START_MS);
  } catch (error) {
    await pool.end();
    throw cannotOpen(url, error);
  }
  return {
    url,
    pool,
    transaction: (run) => transaction(pool, run),
    migrate: (part, versions) => retryLost(() => migrate(pool, part, versions), OUTAGE_MS),
    listen: (channel, handler) => hub.listen(channel, handler),
    retry: (run) => retryLost(run, OUTAGE_MS),
    [Symbol.asyncDispose]: async () => {
      await hub[Symbol.asyncDispose]();
      await pool.end();
    },
  };
}

/** A pool that outlives its server. */
export function createPool(url: string, connections: number): pg.Pool {
  const pool = new pg.Pool({ ...connectionOf(url), max: connections });
  // An idle connection that breaks is replaced by the next query; unheard, it would end Node.
  pool.on("error", () => {});
  pool.on("connect", (client) => client.on("error", () => {}));
  return pool;
}

function connectionOf(url: string): pg.ClientConfig {
  return {
    connectionString: url,
    // A daemon that is frozen in a transaction must not keep its locks from the others.
    options: "-c search_path=nutshell,public -c idle_in_transaction_session_timeout=5s",
    connectionTimeoutMillis: 10_000,
    keepAlive: true,
    application_name: "nutshell",
  };
}

// SQLSTATE classes and codes: https://www.postgresql.org/docs/current/errcodes-appendix.html
const lostStates: readonly RegExp[] = [
  /^08/, // the connection failed
  /^57P0[1-5]$/, // the server stops, crashed, is starting, or dropped the session
  /^25P03$/, // we slept in a transaction, and it was taken from us
  /^53300$/, // too many connections for now
  /^(ECONNREFUSED|ECONNRESET|EPIPE|ETIMEDOUT|EHOSTUNREACH|ENETUNREACH|ENOTFOUND|EAI_AGAIN)$/,
];
// What pg says where there is no code.
const lostTexts: readonly RegExp[] = [
  /connection terminated|connection ended|not queryable/i,
  /client has encountered a connection error|timeout exceeded when trying to connect/i,
];

/** True when the server, and not the statement, was the reason. */
export function isServerLost(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  if (error instanceof AggregateError) return error.errors.some(isServerLost);
  const { code } = error as NodeJS.ErrnoException;
  if (code !== undefined) return lostStates.some((state) => state.test(code));
  return lostTexts.some((text) => text.test(error.message));
}

/** @param ms how long to go on, from the first failure */
async function retryLost<T>(run: () => Promise<T>, ms: number): Promise<T> {
  let end = 0;
  for (let waitMs = 50; ; waitMs = Math.min(waitMs * 2, 1000)) {
    try {
      return await run();
    } catch (error) {
      end ||= Date.now() + ms;
      if (!isServerLost(error) || Date.now() + waitMs > end) throw error;
    }
    await sleep(waitMs);
  }
}

function cannotOpen(url: string, error: unknown): NutshellError {
  const cause = error instanceof AggregateError ? error.errors[0] : error;
  const said = cause instanceof Error ? cause.message.replaceAll(/\s+/g, " ") : String(cause);
  return new NutshellError(
    "DATABASE",
    `${withoutPassword(url)}: Postgres must answer, got ${said}. ` +
      "Check DATABASE_URL and that the server runs, or unset it to use a private one.",
    { cause: error },
  );
}

/** For people: the address without its secret. */
export function withoutPassword(url: string): string {
  return url.replace(/(\/\/[^:/@]*):[^@]*@/, "$1@").replace(/([?&]password=)[^&]*/, "$1…");
}
