/**
 * The process's streams as a command sees them. Knows NO_COLOR, terminal width and closed pipes;
 * knows nothing of commands.
 */
import { inertLines } from "../inert-text.ts";
import type { CommandIo, GlobalValues } from "./command.ts";

/** What a terminal and its environment say, without touching `process`. */
export interface Streams {
  readonly stdout: { write(text: string): unknown; readonly isTTY?: boolean };
  readonly stderr: {
    write(text: string): unknown;
    readonly isTTY?: boolean;
    readonly columns?: number;
  };
  readonly env: Readonly<Record<string, string | undefined>>;
}

/** @param signal aborted when the user interrupts */
export function createIo(streams: Streams, globals: GlobalValues, signal: AbortSignal): CommandIo {
  const isTTY = streams.stderr.isTTY === true;
  const noColor = (streams.env.NO_COLOR ?? "") !== "";
  return {
    stdout: (text) => void streams.stdout.write(text),
    show: (text) => void streams.stdout.write(streams.stdout.isTTY ? inertLines(text) : text),
    stderr: (text) => void streams.stderr.write(text),
    json: globals.json,
    signal,
    isTTY,
    columns: streams.stderr.columns || 80, // some terminals say 0
    color: isTTY && globals.color && !noColor,
  };
}

/** `nutshell … | head` closes our stdout early: that is the reader's choice, not a failure. */
export function exitOnClosedPipe(stdout: NodeJS.WriteStream): void {
  stdout.on("error", (error: NodeJS.ErrnoException) => {
    if (error.code !== "EPIPE") throw error;
    process.exit(0);
  });
}
