/** Streams that keep what is written, for tests of the command line in this process. */
import type { CommandIo } from "../../src/cli/command.ts";
import { createIo, type Streams } from "../../src/cli/terminal.ts";

export class RecordedStreams implements Streams {
  out = "";
  err = "";
  readonly env: Record<string, string | undefined> = {};
  readonly stdout: Streams["stdout"] = { write: (text) => (this.out += text) };
  readonly stderr: Streams["stderr"];

  constructor(terminal: { isTTY?: boolean; columns?: number } = {}) {
    this.stderr = { write: (text) => (this.err += text), ...terminal };
  }
}

/** An io without flags or interrupts. */
export function recordedIo(streams: Streams): CommandIo {
  const globals = { help: false, json: false, color: true, debug: false };
  return createIo(streams, globals, new AbortController().signal);
}
