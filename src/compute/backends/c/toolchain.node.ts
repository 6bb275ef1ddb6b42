/**
 * The system's C compiler and a cache of what it made. An object's name is a hash of its sources,
 * the compiler's version, the flags, and what `-march=native` means on this CPU; objects are
 * written beside their place and renamed, so a killed compile leaves nothing half done.
 */
import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { mkdir, readdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { homedir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { NutshellError } from "../../../error.ts";

const run = promisify(execFile);

const KERNELS = join(import.meta.dirname, "kernels");
const FLAGS = [
  "-std=gnu11",
  "-D_GNU_SOURCE",
  "-O3",
  "-fno-math-errno",
  "-fno-trapping-math",
  "-ffp-contract=fast",
];
/** nodelete: at exit a waiting worker may still stand in the library's code. */
const NO_DELETE = process.platform === "linux" ? ["-Wl,-z,nodelete"] : [];
const LINK = ["-fPIC", "-shared", "-pthread", "-w", ...NO_DELETE];

export interface Toolchain {
  readonly compiler: string;
  readonly flags: readonly string[];
  readonly cache: string;
  /** Compiler version and the CPU's features, as far as they change the machine code. */
  readonly fingerprint: string;
}

export const howToInstallCompiler: string =
  "Install one (Debian: apt-get install gcc libc6-dev; macOS: xcode-select --install) or set CC";

export function cacheFolder(): string {
  return join(process.env.XDG_CACHE_HOME || join(homedir(), ".cache"), "nutshell");
}

async function probe(compiler: string, flags: readonly string[]): Promise<string | undefined> {
  try {
    const version = await run(compiler, ["--version"]);
    const macros = run(compiler, [...flags, "-dM", "-E", "-x", "c", "/dev/null"]);
    return `${version.stdout}${(await macros).stdout}`;
  } catch {
    return undefined; // Not there, or it does not know the flags: the next candidate is tried.
  }
}

/**
 * @param machine flags that choose the CPU; default `-march=native`
 * @throws TOOLCHAIN when no compiler answers
 */
export async function findToolchain(machine?: readonly string[]): Promise<Toolchain> {
  const chosen = process.env.CC;
  const candidates = chosen ? [chosen] : ["cc", "gcc", "clang"];
  const native = process.arch === "arm64" ? "-mcpu=native" : "-march=native";
  const flags = [...FLAGS, ...(machine ?? [native])];
  for (const compiler of candidates) {
    const fingerprint = await probe(compiler, flags);
    if (fingerprint !== undefined) return { compiler, flags, fingerprint, cache: cacheFolder() };
  }
  throw new NutshellError(
    "TOOLCHAIN",
    `c backend: a C compiler must answer, got none of ${candidates.join(", ")}. ${howToInstallCompiler}.`,
  );
}

const digest = (parts: readonly string[]): string =>
  createHash("sha256").update(parts.join("\0")).digest("hex").slice(0, 32);

async function compile(t: Toolchain, args: readonly string[], target: string): Promise<void> {
  const temporary = `${target}.${process.pid}.${Math.random().toString(36).slice(2)}`;
  try {
    await run(t.compiler, [...t.flags, ...LINK, "-o", temporary, ...args], { maxBuffer: 1 << 24 });
    await rename(temporary, target);
  } catch (cause) {
    await rm(temporary, { force: true });
    const text = String((cause as { stderr?: string }).stderr || cause);
    const first = text.split("\n").find((line) => line.includes("error")) ?? text.split("\n")[0];
    throw new NutshellError(
      "TOOLCHAIN",
      `c backend: ${t.compiler} must accept the generated program, got: ${first}. Check free disk space, or force another compiler with CC.`,
      { cause },
    );
  }
}

async function openCache(t: Toolchain): Promise<void> {
  try {
    await mkdir(t.cache, { recursive: true });
  } catch (cause) {
    throw new NutshellError(
      "DISK",
      `c backend: the cache folder must be writable, got ${t.cache}. Set XDG_CACHE_HOME.`,
      { cause },
    );
  }
}

/** The kernel library, compiled once per machine. */
export async function kernelLibrary(t: Toolchain): Promise<string> {
  const names = (await readdir(KERNELS)).filter((name) => /\.[ch]$/.test(name)).sort();
  const sources = await Promise.all(names.map((name) => readFile(join(KERNELS, name), "utf8")));
  const hash = digest([t.fingerprint, ...t.flags, ...names, ...sources]);
  const target = join(t.cache, `libnutshell-${hash}.so`);
  if (existsSync(target)) return target;
  await openCache(t);
  await compile(t, [join(KERNELS, "kernels.c"), "-lm"], target);
  return target;
}

/** A program's library, linked to the kernels. */
export async function programLibrary(
  t: Toolchain,
  source: string,
  kernels: string,
): Promise<string> {
  const name = `program-${digest([t.fingerprint, ...t.flags, kernels, source])}`;
  const target = join(t.cache, `${name}.so`);
  if (existsSync(target)) return target;
  await openCache(t);
  const file = join(t.cache, `${name}.${process.pid}.c`);
  await writeFile(file, source);
  await compile(t, ["-I", KERNELS, file, kernels, "-lm"], target);
  await rename(file, join(t.cache, `${name}.c`));
  return target;
}
