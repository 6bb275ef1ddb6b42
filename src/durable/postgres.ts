/**
 * A Postgres server: the one that DATABASE_URL names, else a private one in a folder, with the
 * programs of the npm package, else the system's.
 *
 * Invariant: processes that use one folder share one server. It lives on when they are killed, the
 * next one finds it; the last to stop ends it; while somebody uses it, it is started again within
 * a second of its death, on the same port.
 */

import { randomUUID } from "node:crypto";
import { readdir, rm, writeFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { NutshellError } from "../error.ts";
import { type BinarySource, findBinaries } from "./binaries.ts";
import { openCluster, prepareFolder, serverOwner, tryMajor } from "./cluster.ts";
import { isSameProcess, processMark } from "./process-mark.ts";
import {
  DATABASE_NAME,
  ensureServer,
  findServer,
  type Place,
  type Running,
  stopServer,
  urlOf,
} from "./server-process.ts";

export interface PostgresServer extends AsyncDisposable {
  readonly url: string;
  readonly source: "DATABASE_URL" | BinarySource;
  /** Of the private server now; another after it was restarted. */
  readonly pid?: number;
  /** Lets go of it; a private server ends with its last user. */
  stop(): Promise<void>;
}

export interface PostgresOptions {
  /** Folder of the private cluster, for it alone; made when it is missing. */
  readonly dir: string;
  /** False: a power cut may lose everything, a kill nothing. For tests. Default true. */
  readonly durable?: boolean;
  /** Where the private server's programs come from; default: npm, else the system. */
  readonly source?: BinarySource;
  /** Address of a server that somebody else looks after. Default: DATABASE_URL. */
  readonly url?: string | undefined;
  /** Told in a line when the server died or came back. */
  readonly notice?: (text: string) => void;
}

const LOOK_MS = 200;

/** @throws NutshellError DATABASE, one line with what to do */
export async function startPostgres(options: PostgresOptions): Promise<PostgresServer> {
  const given = "url" in options ? options.url : process.env.DATABASE_URL;
  if (given !== undefined && given !== "" && options.source === undefined)
    return givenServer(given);
  const dir = resolve(options.dir);
  const owner = serverOwner();
  await prepareFolder(dir, owner);
  const major = await tryMajor(dir);
  const binaries = await findBinaries({ folder: dir, owner, major, source: options.source });
  const durable = options.durable ?? true;
  const cluster = await openCluster(dir, binaries, owner, durable);
  // Before the server is looked for: who stops it now sees that we want it.
  const user = join(dir, "users", `${processMark()}-${randomUUID().slice(0, 8)}`);
  await writeFile(user, "");
  try {
    const place = { cluster, binaries, owner, durable };
    return watchedServer(place, await ensureServer(place), user, options.notice ?? (() => {}));
  } catch (error) {
    await rm(user, { force: true });
    throw error;
  }
}

function givenServer(url: string): PostgresServer {
  if (!/^postgres(ql)?:\/\//.test(url)) {
    throw new NutshellError(
      "DATABASE",
      "DATABASE_URL: must begin with postgresql://, got something else. " +
        "Write postgresql://USER:PASSWORD@HOST:PORT/NAME, or unset it.",
    );
  }
  const stop = async (): Promise<void> => {};
  return { url, source: "DATABASE_URL", stop, [Symbol.asyncDispose]: stop };
}

function watchedServer(
  place: Place,
  first: Running,
  user: string,
  notice: (text: string) => void,
): PostgresServer {
  let { pid } = first;
  const ended = new AbortController();
  const watch = keepAlive(place, first.port, ended.signal, notice, (now) => {
    pid = now;
  });
  const stop = async (): Promise<void> => {
    if (ended.signal.aborted) return;
    ended.abort();
    await watch;
    await rm(user, { force: true });
    if (!(await isUsed(place.cluster.dir))) await stopServer(place.cluster);
  };
  return {
    url: urlOf(place.cluster.password, first.port, DATABASE_NAME),
    source: place.binaries.source,
    get pid() {
      return pid;
    },
    stop,
    [Symbol.asyncDispose]: stop,
  };
}

/** Looks at the server a few times a second and starts it again when it is gone. */
async function keepAlive(
  place: Place,
  port: number,
  signal: AbortSignal,
  notice: (text: string) => void,
  found: (pid: number) => void,
): Promise<void> {
  while (await pause(LOOK_MS, signal)) {
    if (findServer(place.cluster) !== undefined) continue;
    notice("postgres: the database server is gone, starting it again");
    try {
      const { pid } = await ensureServer(place, port);
      found(pid);
      notice("postgres: the database server is back");
    } catch (error) {
      notice(error instanceof Error ? error.message : String(error));
      await pause(1000, signal);
    }
  }
}

/** @returns false when the signal came first */
function pause(ms: number, signal: AbortSignal): Promise<boolean> {
  return new Promise((done) => {
    if (signal.aborted) return done(false);
    const end = (): void => {
      clearTimeout(timer);
      done(false);
    };
    const timer = setTimeout(() => {
      signal.removeEventListener("abort", end);
      done(true);
    }, ms);
    timer.unref(); // a server alone is no reason to stay
    signal.addEventListener("abort", end, { once: true });
  });
}

/** Whether any living process uses the server; forgets those that are gone. */
async function isUsed(dir: string): Promise<boolean> {
  let used = false;
  for (const name of await readdir(join(dir, "users"))) {
    if (isSameProcess(name.split("-")[0] ?? "")) used = true;
    else await rm(join(dir, "users", name), { force: true });
  }
  return used;
}
