/** `nutshell kill PID`: the process and everything it started end at once. */
import { defineSignalCommand, type SignalCommand } from "../os/signal-command.ts";

export const command: SignalCommand = defineSignalCommand({
  name: "kill",
  summary: "ends a process and everything that it started",
  signal: "KILL",
});
