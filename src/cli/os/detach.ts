/** A daemon in the background: its own session, its talk in a log file, ready when it answers. */
import { spawn } from "node:child_process";
import { open, readFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { NutshellError } from "../../error.ts";
import { connectControl } from "../../server/control/control-client.ts";
import type { CommandIo } from "../command.ts";
import { makeHome, socketPath } from "./home.ts";

const main = fileURLToPath(new URL("../main.ts", import.meta.url));
const READY_MS = 60_000;

/** @param words of the command line, with --detach among them */
export async function bootDetached(
  home: string,
  words: readonly string[],
  io: CommandIo,
): Promise<void> {
  if (await isListening(home))
    throw new NutshellError("USAGE", `boot: one daemon per home, got one that runs in ${home}.`);
  await makeHome(home);
  const logPath = join(home, "daemon.log");
  const log = await open(logPath, "a", 0o600);
  const rest = words.filter((word) => word !== "--detach");
  const stdio = ["ignore", "ignore", log.fd] as const;
  const child = spawn(process.execPath, [main, ...rest], { detached: true, stdio: [...stdio] });
  await log.close();
  let exitCode: number | null | undefined;
  child.once("exit", (code) => {
    exitCode = code;
  });
  const deadline = Date.now() + READY_MS;
  while (!(await isListening(home))) {
    if (exitCode !== undefined || Date.now() > deadline) throw await notReady(logPath);
    await sleep(100);
  }
  child.unref();
  const ready = { pid: child.pid, socket: socketPath(home), log: logPath };
  io.stdout(io.json ? `${JSON.stringify(ready)}\n` : `${child.pid}\n`);
  io.stderr(`booted in the background, its log is ${logPath}\n`);
}

async function isListening(home: string): Promise<boolean> {
  const control = connectControl(socketPath(home));
  return control.call("processes", {}).then(
    () => true,
    () => false,
  );
}

async function notReady(logPath: string): Promise<NutshellError> {
  const lines = (await readFile(logPath, "utf8")).trimEnd().split("\n");
  return new NutshellError(
    "PROCESS",
    `boot: the daemon must listen within a minute, got: ${lines.at(-1)} See ${logPath}.`,
  );
}
