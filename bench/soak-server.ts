/** `nutshell serve` as a process of its own, with a probe of its memory in it. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { createInterface } from "node:readline";
import type { Readable } from "node:stream";
import type { Memory } from "./soak-probe.ts";

export interface SoakServer {
  readonly url: string;
  readonly model: string;
  memory(when: "now" | "collected"): Promise<Memory>;
  /** Of the engine: timelines that are open now. */
  sessions(): Promise<number>;
  /** @returns its exit code */
  stop(): Promise<number | null>;
}

const root = join(import.meta.dirname, "..");

/** @param words flags of `nutshell serve` */
export async function startSoakServer(words: readonly string[]): Promise<SoakServer> {
  const probe = join(import.meta.dirname, "soak-probe.ts");
  const own = ["--expose-gc", "--import", probe, join(root, "src/cli/main.ts"), "serve"];
  const stdio = ["ignore", "pipe", "inherit", "ipc"] as const;
  const args = [...own, "--port", "0", "--quiet", "--json", ...words];
  const child = spawn(process.execPath, args, { stdio: [...stdio] });
  const { url, model } = await readAddress(child);
  const ended = once(child, "exit").then(([code]): never => {
    throw new Error(`soak: the server must live, got exit ${code}`);
  });
  ended.catch(() => {}); // Whoever waits hears of it.
  return {
    url,
    model,
    async memory(when) {
      const told = once(child, "message");
      child.send(when);
      const [memory] = await Promise.race([told, ended]);
      return memory as Memory;
    },
    async sessions() {
      const text = await (await fetch(`${url}/metrics`)).text();
      return Number(/^nutshell_sessions (\d+)$/m.exec(text)?.[1]);
    },
    async stop() {
      if (child.exitCode !== null || child.signalCode !== null) return child.exitCode;
      const exit = once(child, "exit");
      child.kill("SIGTERM");
      const [code] = (await exit) as [number | null];
      return code;
    },
  };
}

async function readAddress(child: ChildProcess): Promise<{ url: string; model: string }> {
  for await (const line of createInterface(child.stdout as Readable))
    return JSON.parse(line) as { url: string; model: string };
  throw new Error("soak: the server ended before it listened");
}
