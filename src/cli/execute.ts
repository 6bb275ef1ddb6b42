/**
 * Runs one command to an exit code: 0 done, 1 failure, 2 usage, 130 interrupted. What it throws
 * becomes one line on stderr. Scripts in `runs` and `bench` are commands without a name of their
 * own and start with `runProgram`.
 */
import { NutshellError } from "../error.ts";
import { type Command, parseCommand, runCommand } from "./command.ts";
import { renderCommandHelp } from "./help.ts";
import { Interrupt } from "./interrupt.ts";
import { createIo, exitOnClosedPipe, type Streams } from "./terminal.ts";

/** This process is the command: its words, its streams, its exit code. */
export async function runProgram(command: Command): Promise<void> {
  exitOnClosedPipe(process.stdout);
  const argv = process.argv.slice(2);
  const code = await reportErrors(argv, process, () => execute(command, argv, process));
  // A program that came to its end may have said itself that what it measured does not hold.
  if (code !== 0) process.exitCode = code;
}

/** @returns the exit code of `work`, or that of what it threw after writing it to stderr */
export async function reportErrors(
  argv: readonly string[],
  streams: Streams,
  work: () => Promise<number>,
): Promise<number> {
  try {
    return await work();
  } catch (error) {
    streams.stderr.write(`${renderError(error, argv.includes("--debug"))}\n`);
    return error instanceof NutshellError && error.code === "USAGE" ? 2 : 1;
  }
}

/** @returns 0, or 130 when the user interrupted and the command came to its end all the same */
export async function execute(
  command: Command,
  argv: readonly string[],
  streams: Streams,
): Promise<number> {
  const { globals, args } = parseCommand(command, argv);
  if (globals.help) {
    streams.stdout.write(renderCommandHelp(command, streams.stderr.columns || 80));
    return 0;
  }
  // On a terminal the cursor stands behind "^C" and maybe a bar.
  const margin = streams.stderr.isTTY === true ? "\n" : "";
  using interrupt = new Interrupt((text) => streams.stderr.write(margin + text));
  try {
    await runCommand(command, args, createIo(streams, globals, interrupt.signal));
  } catch (error) {
    // A command that stops where it stands passes the signal's own reason on.
    if (!(interrupt.signal.aborted && error === interrupt.signal.reason)) throw error;
  }
  return interrupt.signal.aborted ? 130 : 0;
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
