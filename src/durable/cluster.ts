/**
 * A private cluster's folder: `cluster/data` (Postgres's own), `cluster/password`, `server.log`,
 * `users/` (one file per process that uses the server), and links to libraries.
 *
 * Invariant: `cluster` appears by one rename when `initdb` is done, so that it is absent or whole,
 * and of several processes that make it at once one wins. All is for its owner's eyes alone, and
 * the server asks for the password even of local users.
 */
import { execFile } from "node:child_process";
import { randomBytes, randomUUID } from "node:crypto";
import { chmod, chown, mkdir, readdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { diskError, tryReadText } from "../durable-file.node.ts";
import { NutshellError } from "../error.ts";
import { type Binaries, type Owner, tryUnreachable } from "./binaries.ts";
import { isSameProcess, processMark } from "./process-mark.ts";

export interface Cluster {
  readonly dir: string;
  readonly data: string;
  readonly log: string;
  readonly password: string;
}

export const CLUSTER_USER = "nutshell";
const run = promisify(execFile);
const NOBODY = 65534;

/** Postgres refuses to run as root; then it runs as the user that owns nothing else. */
export function serverOwner(): Owner {
  return process.getuid?.() === 0 ? { uid: NOBODY, gid: NOBODY } : {};
}

/** Makes the folder, closed to others. @throws NutshellError DATABASE or DISK */
export async function prepareFolder(dir: string, owner: Owner): Promise<void> {
  try {
    await mkdir(join(dir, "users"), { recursive: true, mode: 0o700 });
    await chmod(dir, 0o700);
    if (owner.uid !== undefined) await chown(dir, owner.uid, owner.gid ?? owner.uid);
  } catch (error) {
    throw diskError(dir, error, "No database was made.");
  }
  const wall = tryUnreachable(dir, owner);
  if (wall === undefined) return;
  throw new NutshellError(
    "DATABASE",
    "postgres: root's database runs as user nobody, who must reach its folder, " +
      `got ${wall} closed. ` +
      `Choose a folder elsewhere, as in /var/lib/nutshell, or chmod o+x ${wall}.`,
  );
}

/** @returns major version of the cluster that is there */
export async function tryMajor(dir: string): Promise<number | undefined> {
  const text = await tryReadText(join(dir, "cluster/data/PG_VERSION"));
  return text === undefined ? undefined : Number.parseInt(text, 10);
}

/** Opens the cluster, made when there is none. @throws NutshellError DATABASE */
export async function openCluster(
  dir: string,
  binaries: Binaries,
  owner: Owner,
  durable: boolean,
): Promise<Cluster> {
  await removeTorn(dir);
  const path = join(dir, "cluster/password");
  if ((await tryReadText(path)) === undefined) await makeCluster(dir, binaries, owner, durable);
  const password = (await readFile(path, "utf8")).trim();
  return { dir, data: join(dir, "cluster/data"), log: join(dir, "server.log"), password };
}

/** Half-made clusters of processes that were killed; their `initdb` may be writing still. */
async function removeTorn(dir: string): Promise<void> {
  for (const name of await readdir(dir)) {
    const mark = /^making-(.+)-[0-9a-f]+$/.exec(name)?.[1];
    if (mark === undefined || isSameProcess(mark)) continue;
    const patient = { recursive: true, force: true, maxRetries: 10, retryDelay: 20 };
    await rm(join(dir, name), patient).catch(() => {}); // else at the next start
  }
}

async function makeCluster(
  dir: string,
  binaries: Binaries,
  owner: Owner,
  durable: boolean,
): Promise<void> {
  const making = join(dir, `making-${processMark()}-${randomUUID().slice(0, 8)}`);
  const password = join(making, "password");
  try {
    await mkdir(making, { mode: 0o700 });
    await writeFile(password, `${randomBytes(24).toString("hex")}\n`, { mode: 0o600 });
    if (owner.uid !== undefined) {
      for (const path of [making, password]) await chown(path, owner.uid, owner.gid ?? owner.uid);
    }
    await initialise(join(making, "data"), password, binaries, owner, durable);
    await rename(making, join(dir, "cluster"));
  } catch (error) {
    await rm(making, { recursive: true, force: true }).catch(() => {});
    const { code } = error as NodeJS.ErrnoException;
    // Somebody else was faster; theirs is as good.
    if (code !== "ENOTEMPTY" && code !== "EEXIST") throw diskError(dir, error, "It is not made.");
  }
}

async function initialise(
  data: string,
  password: string,
  { bin, env, major }: Binaries,
  owner: Owner,
  durable: boolean,
): Promise<void> {
  const locale = process.platform === "linux" ? "C.UTF-8" : "C";
  const args = [
    ...["-D", data, "-U", CLUSTER_USER, "-A", "scram-sha-256", `--pwfile=${password}`],
    ...["-E", "UTF8", `--locale=${locale}`, "--data-checksums"],
    // Upper and lower case of all scripts, the same on every platform.
    ...(major >= 17 ? ["--locale-provider=builtin", "--builtin-locale=C.UTF-8"] : []),
    ...(durable ? [] : ["--no-sync"]),
  ];
  try {
    await run(join(bin, "initdb"), args, { env, cwd: "/", ...owner });
  } catch (error) {
    const { stderr, message } = error as Error & { stderr?: string };
    throw serverError(data, "making the cluster", stderr || message, error);
  }
}

// What Postgres says when it cannot, and what to do about it.
const hints: readonly [pattern: RegExp, hint: string][] = [
  [/No space left|disk quota/i, "The disk is full: free some space and start again."],
  [/Permission denied|wrong ownership|permissions/i, "Give the folder to the user who starts it."],
  [/user does not exist/i, "Give its user a line in /etc/passwd, or set DATABASE_URL."],
  [/shared memory|Cannot allocate/i, "The machine has too little memory: free some."],
  [/incompatible|initialized by PostgreSQL version/i, "Install the version that made the cluster."],
];

/** One line out of what a program of Postgres printed. */
export function serverError(
  place: string,
  what: string,
  output: string,
  cause?: unknown,
): NutshellError {
  const lines = output.split("\n").map((line) => line.trim());
  const told = lines.findLast((line) => /FATAL|PANIC|error:|could not/i.test(line));
  const said = told ?? lines.findLast((line) => line !== "") ?? "nothing";
  const hint = hints.find(([pattern]) => pattern.test(output))?.[1] ?? "Its log says more.";
  const text = `postgres ${place}: ${what} must succeed, got ${said.slice(0, 300)}. ${hint}`;
  return new NutshellError("DATABASE", text, { cause });
}
