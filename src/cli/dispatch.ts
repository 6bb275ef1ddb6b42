/**
 * The command line: finds the command, runs it, turns what it throws into one line and an exit
 * code. 0 done, 1 failure, 2 usage, 130 interrupted.
 */
import { readFileSync } from "node:fs";
import { NutshellError } from "../error.ts";
import { suggestName } from "../nearest-name.ts";
import { type Command, parseCommand, runCommand } from "./command.ts";
import { commands } from "./command-table.ts";
import { renderCommandHelp, renderOverview } from "./help.ts";
import { Interrupt } from "./interrupt.ts";
import { createIo, type Streams } from "./terminal.ts";

/** @returns the exit code */
export async function dispatch(argv: readonly string[], streams: Streams): Promise<number> {
  const debug = argv.includes("--debug");
  try {
    return await runWords(argv, streams);
  } catch (error) {
    streams.stderr.write(`${renderError(error, debug)}\n`);
    return error instanceof NutshellError && error.code === "USAGE" ? 2 : 1;
  }
}

async function runWords(argv: readonly string[], streams: Streams): Promise<number> {
  const [name, ...rest] = argv;
  if (name === "--version") return print(streams, `${version()}\n`);
  if (name === undefined || name === "help" || name === "--help" || name === "-h") {
    return print(streams, renderOverview(await loadAll(), columnsOf(streams)));
  }
  const command = await loadCommand(name);
  const { globals, args } = parseCommand(command, rest);
  if (globals.help) return print(streams, renderCommandHelp(command, columnsOf(streams)));
  using interrupt = new Interrupt((text) => streams.stderr.write(text));
  try {
    await runCommand(command, args, createIo(streams, globals, interrupt.signal));
  } catch (error) {
    // A command that stops where it stands passes the signal's own reason on.
    if (!(interrupt.signal.aborted && error === interrupt.signal.reason)) throw error;
  }
  return interrupt.signal.aborted ? 130 : 0;
}

async function loadCommand(name: string): Promise<Command> {
  const load = Object.hasOwn(commands, name) ? commands[name] : undefined;
  if (load !== undefined) return (await load()).command;
  const known = Object.keys(commands);
  throw new NutshellError("USAGE", `${name}: unknown command. ${suggestName(name, known)}`);
}

async function loadAll(): Promise<Command[]> {
  const modules = await Promise.all(Object.values(commands).map((load) => load()));
  return modules.map(({ command }) => command);
}

/** One line that says the code; a stack only when asked for, or when it is our own bug. */
export function renderError(error: unknown, debug: boolean): string {
  if (!(error instanceof NutshellError)) {
    const stack = error instanceof Error ? error.stack : String(error);
    return `bug in nutshell, please report it: ${stack}`;
  }
  if (debug) return `${error.code} ${error.stack}${renderCauses(error.cause)}`;
  return `${error.code} ${error.message.replaceAll(/\s*\n\s*/g, " ")}`;
}

function renderCauses(cause: unknown): string {
  if (!(cause instanceof Error)) return "";
  return `\ncaused by ${cause.stack}${renderCauses(cause.cause)}`;
}

function version(): string {
  const manifest = readFileSync(new URL("../../package.json", import.meta.url), "utf8");
  return (JSON.parse(manifest) as { version: string }).version;
}

function print(streams: Streams, text: string): number {
  streams.stdout.write(text);
  return 0;
}

function columnsOf(streams: Streams): number {
  return streams.stderr.columns ?? 80;
}
