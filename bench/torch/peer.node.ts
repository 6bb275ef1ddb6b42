/**
 * PyTorch as a peer of our benches: a Python process that is started once, warms up, and then
 * answers one JSON line per request, so that a bench alternates its runs with ours.
 *
 *     const torch = await startTorch("train.py", ["--precision", "bf16", "--threads", "2"]);
 *     if (torch) { const { seconds } = await torch.request({ op: "step" }); await torch.stop(); }
 *     else console.error(howToInstall);
 *
 * An answer is handed over `SETTLE_MS` after it came: OpenBLAS and OpenMP threads keep spinning
 * for up to 30 ms after their work, and would take the cores from whatever is timed next.
 */
import { type ChildProcess, execFile, spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

export const howToInstall =
  "apt-get install --no-install-recommends python3-torch libopenblas0-pthread";

const SETTLE_MS = 60;
const PYTHONS = ["/usr/bin/python3", "python3"];

/**
 * glibc returns large blocks to the kernel at every free; torch then spends a third of a training
 * step on page faults (measured: 2.05 s a step, 1.30 s with the blocks kept). `stock` leaves it so.
 */
const KEEP_MEMORY = {
  MALLOC_MMAP_MAX_: "0",
  MALLOC_TRIM_THRESHOLD_: "17179869184",
  MALLOC_TOP_PAD_: "268435456",
};

export type Answer = Readonly<Record<string, unknown>>;

export interface Peer {
  /** What the script said when it was ready: versions, parameters, threads. */
  readonly ready: Answer;
  /** One request at a time. Rejects when the script answers with an error or ends. */
  request(question: object): Promise<Answer>;
  stop(): Promise<void>;
}

export interface TorchOptions {
  readonly allocator?: "kept" | "stock";
}

/** @returns null when no Python here can import torch; a script that fails to start rejects. */
export async function startTorch(
  script: "train.py" | "matmul.py",
  args: readonly string[],
  { allocator = "kept" }: TorchOptions = {},
): Promise<Peer | null> {
  const python = await findPython();
  if (python === null) return null;
  const path = fileURLToPath(new URL(script, import.meta.url));
  const env = { ...process.env, ...(allocator === "kept" ? KEEP_MEMORY : {}) };
  const child = spawn(python, [path, ...args], { env, stdio: ["pipe", "pipe", "inherit"] });
  child.stdin.on("error", () => undefined); // a dead script shows as a missing answer
  const next = readAnswers(child, script);
  const ready = await next();
  return { ready, request: (question) => ask(child, next, question), stop: () => stop(child) };
}

async function findPython(): Promise<string | null> {
  for (const python of PYTHONS) {
    const found = await promisify(execFile)(python, ["-c", "import torch"]).then(
      () => true,
      () => false,
    );
    if (found) return python;
  }
  return null;
}

/** @returns a function that resolves to the next line, or rejects once the process has ended */
function readAnswers(child: ChildProcess, script: string): () => Promise<Answer> {
  if (!child.stdout) throw new Error(`${script}: started without a pipe to read`);
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  return async () => {
    const line = await lines.next();
    if (line.done) throw new Error(`${script}: ended without an answer`);
    const answer = JSON.parse(line.value) as Answer;
    if (answer.error !== undefined) throw new Error(`${script}: ${String(answer.error)}`);
    return answer;
  };
}

async function ask(
  child: ChildProcess,
  next: () => Promise<Answer>,
  question: object,
): Promise<Answer> {
  child.stdin?.write(`${JSON.stringify(question)}\n`);
  const answer = await next();
  await sleep(SETTLE_MS);
  return answer;
}

/** Ends the input and waits until the process is gone. */
async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const gone = new Promise((resolve) => child.once("exit", resolve));
  child.stdin?.end();
  await gone;
}
