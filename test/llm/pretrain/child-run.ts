/** `nutshell pretrain` as a process of its own: to be watched, stopped, killed and resumed. */
import { type ChildProcess, spawn } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, watch, writeFileSync } from "node:fs";
import { join } from "node:path";
import { createStory } from "../../../src/llm/data/builtin/stories.ts";

const main = new URL("../../../src/cli/main.ts", import.meta.url).pathname;

/** Two sources of `count` documents each, so that the data order has something to order. */
export function writeCorpus(folder: string, count: number): string {
  for (const [part, name] of ["first", "second"].entries()) {
    mkdirSync(join(folder, name), { recursive: true });
    const stories = Array.from({ length: count }, (_, i) => createStory(2 * i + part));
    const lines = stories.map((text, i) => `${JSON.stringify({ id: `${name}-${i}`, text })}\n`);
    writeFileSync(join(folder, name, "stories.jsonl"), lines.join(""));
  }
  return folder;
}

export interface ChildRun {
  readonly process: ChildProcess;
  /** Everything it has said. */
  text(): string;
  /** Steps done, as its last line of progress says. */
  step(): number;
  /** Resolves when `found` holds, or when the process has ended. */
  until(found: () => boolean): Promise<void>;
  readonly ended: Promise<{ readonly code: number | null; readonly signal: string | null }>;
}

/** @param args flags of `nutshell pretrain` */
export function startChild(
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): ChildRun {
  const child = spawn(process.execPath, [main, "pretrain", ...args], {
    env: { ...process.env, ...env },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let text = "";
  let check = (): void => {};
  for (const stream of [child.stdout, child.stderr])
    stream.on("data", (chunk) => {
      text += chunk;
      check();
    });
  const ended = new Promise<{ code: number | null; signal: string | null }>((resolve) =>
    child.on("close", (code, signal) => resolve({ code, signal })),
  );
  return {
    process: child,
    text: () => text,
    step: () => Number([...text.matchAll(/^step (\d+)\//gm)].at(-1)?.[1] ?? 0),
    ended,
    until(found) {
      const seen = new Promise<void>((resolve) => {
        check = () => void (found() && resolve());
        check();
      });
      return Promise.race([seen, ended.then(() => {})]);
    },
  };
}

/** Resolves when a half-written checkpoint lies in `out`: the moment to kill during a save. */
export async function untilSaving(out: string, { ended }: ChildRun): Promise<void> {
  const saving = Promise.withResolvers<void>();
  const watcher = watch(out, (_, name) => void (name?.startsWith(".torn-") && saving.resolve()));
  await Promise.race([saving.promise, ended]);
  watcher.close();
}

/** Names of the half-written checkpoints in `out`; each carries the process that left it. */
export function tornCheckpoints(out: string): string[] {
  return existsSync(out) ? readdirSync(out).filter((name) => name.startsWith(".torn-")) : [];
}
