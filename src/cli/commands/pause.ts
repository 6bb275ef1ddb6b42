/** `nutshell pause PID`: the process and its children stop before their next call. */
import { defineSignalCommand, type SignalCommand } from "../os/signal-command.ts";

export const command: SignalCommand = defineSignalCommand({
  name: "pause",
  summary: "stops a process and its children before their next call",
  signal: "STOP",
});
