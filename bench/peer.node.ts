/**
 * A peer of our benches in a process of its own: started once, it answers one JSON line per
 * request, so that a bench alternates its runs with ours.
 *
 * An answer is handed over `SETTLE_MS` after it came: threads of OpenBLAS, OpenMP and ggml keep
 * spinning for up to 30 ms after their work, and would take the cores from whatever is timed next.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { basename } from "node:path";
import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";

const SETTLE_MS = 60;

export type Answer = Readonly<Record<string, unknown>>;

export interface Peer {
  /** What the script said when it was ready: versions, parameters, threads. */
  readonly ready: Answer;
  /** One request at a time. Rejects when the script answers with an error or ends. */
  request(question: object): Promise<Answer>;
  stop(): Promise<void>;
}

/** @param script its path, the first argument; rejects when it fails to start */
export async function startPeer(
  program: string,
  [script, ...args]: readonly [script: string, ...args: string[]],
  env: NodeJS.ProcessEnv = process.env,
): Promise<Peer> {
  const child = spawn(program, [script, ...args], { env, stdio: ["pipe", "pipe", "inherit"] });
  child.stdin.on("error", () => undefined); // a dead script shows as a missing answer
  const next = readAnswers(child, basename(script));
  const ready = await next();
  return { ready, request: (question) => ask(child, next, question), stop: () => stop(child) };
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
