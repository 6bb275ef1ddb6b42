/**
 * verify:kill: processes that spawned children, timers and shells which do all they can to be
 * forgotten (a session of their own, two forks, nohup, no parent left), killed as trees. Holds when
 * nothing of a tree is left in the process table or on the machine within two seconds; who looks
 * for leftovers is `ps`, by a word in the shells' command lines that the kernel knows nothing of.
 */
import { execFileSync } from "node:child_process";
import { randomUUID } from "node:crypto";
import { chmodSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { type Command, type CommandIo, defineCommand } from "../src/cli/command.ts";
import { runProgram } from "../src/cli/execute.ts";
import { openDatabase } from "../src/durable/database.ts";
import { startPostgres } from "../src/durable/postgres.ts";
import { inRange, type OptionTableFor } from "../src/options.ts";
import type { Kernel } from "../src/os/kernel/kernel.ts";
import type { Program } from "../src/os/kernel/process.ts";
import { ask, boot, everything, okValue, row, typed } from "./os/kernel/test-kernel.ts";

interface KillValues {
  trees: number;
}

const options: OptionTableFor<KillValues> = {
  trees: { type: "integer", value: 100, doc: "Trees to kill.", check: inRange(1, 10_000) },
};

const LIMIT_MS = 2000;
/** Sleeps that nobody else's are: an odd number of seconds that the word stands behind. */
const shells = [
  "sleep 8641 WORD",
  "setsid sh -c 'sleep 8641 WORD; :' & wait",
  "(setsid sh -c 'sleep 8641 WORD & sleep 8641 WORD; :' &) ; sleep 8641 WORD",
  "nohup sh -c 'sleep 8641 WORD; :' > /dev/null 2>&1 & sleep 8641 WORD",
  "(trap '' TERM INT HUP; sh -c '(setsid nohup sleep 8641 WORD > /dev/null 2>&1 &)'; sleep 8641 WORD)",
];

/** A tree of three levels; each process has a shell, and a child that sleeps. */
const grower: Program = async (sys) => {
  const { depth, word, tree } = sys.input.value as { depth: number; word: string; tree: number };
  const shell = (shells[(depth + tree) % shells.length] as string).replaceAll(
    "sleep 8641 WORD",
    `${word}`,
  );
  okValue(await ask(sys, "test.shell", { value: shell }));
  okValue(await ask(sys, "process.spawn", { program: "sleeper", input: null }));
  if (depth > 0) {
    const input = { depth: depth - 1, word, tree };
    okValue(await ask(sys, "process.spawn", { program: "grower", input }));
    okValue(await ask(sys, "process.spawn", { program: "grower", input }));
  }
  await ask(sys, "time.sleep", { ms: 3_600_000 });
  return typed(null);
};
const sleeper: Program = async (sys) => {
  await ask(sys, "time.sleep", { ms: 3_600_000 });
  return typed(null);
};

/** Its work goes on after the call, as a shell's in the background does. */
const shellCall = row("test.shell", "idempotent", async ({ value }, { spawnOnHost }) => {
  const { value: text } = value as { value: string };
  const child = await spawnOnHost("/bin/sh", ["-c", text]);
  return { value: child.pid ?? 0 };
});

async function run({ trees }: KillValues, io: CommandIo): Promise<void> {
  const started = performance.now();
  const folder = mkdtempSync(join(tmpdir(), "nutshell-kill-"));
  chmodSync(folder, 0o755); // the server runs as another user
  const server = await startPostgres({ dir: join(folder, "postgres"), url: undefined });
  try {
    await using database = await openDatabase(server.url);
    await using kernel = await boot(database, { grower, sleeper }, { syscalls: [shellCall] });
    const killed: Killed[] = [];
    for (let tree = 0; tree < trees; tree += 1) {
      killed.push(await growAndKill(kernel, tree));
      tell(io, tree + 1, trees, performance.now() - started);
    }
    report(killed, (performance.now() - started) / 1000, io);
  } finally {
    await server.stop();
    rmSync(folder, { recursive: true, force: true });
  }
}

interface Killed {
  readonly processes: number;
  readonly onHost: number;
  /** From the kill to the first look that finds nothing; absent: something was left. */
  readonly ms?: number;
}

async function growAndKill(kernel: Kernel, tree: number): Promise<Killed> {
  // `sleep` takes several durations and sums them: the word is a fraction that names this tree.
  const word = `sleep 8641.${randomUUID().replaceAll(/\D/g, "").slice(0, 12)}`;
  const input = typed({ depth: tree % 3, word, tree });
  const pid = await kernel.spawn({ program: "grower", input, capabilities: everything });
  const full = 2 ** ((tree % 3) + 1) - 1;
  // Some are killed while they still grow.
  if (tree % 4 !== 3) while (countOnHost(word) < full) await sleep(10);
  else await sleep(20 + (tree % 50));
  const onHost = countOnHost(word);
  const start = performance.now();
  const reached = await kernel.signal(pid, "KILL", "tree");
  while (performance.now() - start < LIMIT_MS) {
    const living = await kernel.processes({ all: true });
    const left = living.filter(({ exit }) => exit === undefined).length;
    if (left === 0 && countOnHost(word) === 0) {
      await kernel.wait(pid);
      return { processes: reached.length, onHost, ms: performance.now() - start };
    }
  }
  return { processes: reached.length, onHost };
}

/** Zombies are over: what is left of them is a line for whoever started them. */
function countOnHost(word: string): number {
  const lines = execFileSync("ps", ["-eo", "stat=,args="], { encoding: "utf8" }).split("\n");
  return lines.filter((line) => line.includes(word) && !line.startsWith("Z")).length;
}

function tell(io: CommandIo, done: number, all: number, ms: number): void {
  if (!io.isTTY && done % 20 !== 0) return;
  const left = Math.round(((ms / done) * (all - done)) / 1000);
  const line = `tree ${done}/${all} | ${((done / ms) * 1000).toFixed(1)} trees/s | ${left} s left`;
  io.stderr(io.isTTY ? `\r${line.padEnd(io.columns - 1)}` : `${line}\n`);
}

function report(killed: readonly Killed[], seconds: number, io: CommandIo): void {
  const times = killed.flatMap(({ ms }) => (ms === undefined ? [] : [ms])).sort((a, b) => a - b);
  const round = (value: number): number => Number(value.toFixed(1));
  const holds = times.length === killed.length;
  const result = {
    trees: killed.length,
    processes: killed.reduce((sum, { processes }) => sum + processes, 0),
    onHost: killed.reduce((sum, { onHost }) => sum + onHost, 0),
    left: killed.length - times.length,
    medianMs: round(times[Math.floor(times.length / 2)] ?? 0),
    slowestMs: round(times.at(-1) ?? 0),
    limitMs: LIMIT_MS,
    seconds: round(seconds),
    holds,
  };
  io.stdout(`${JSON.stringify(result)}\n`);
  if (!holds) process.exitCode = 1;
}

const command: Command<OptionTableFor<KillValues>> = defineCommand({
  name: "verify:kill",
  start: "npm run verify:kill --",
  summary: "a killed tree leaves nothing: no process, no shell, no timer",
  example: "npm run verify:kill -- --json",
  options,
  run,
});

await runProgram(command);
