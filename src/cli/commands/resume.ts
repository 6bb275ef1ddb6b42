/** `nutshell resume PID`: what was paused goes on. */
import { defineSignalCommand, type SignalCommand } from "../os/signal-command.ts";

export const command: SignalCommand = defineSignalCommand({
  name: "resume",
  summary: "lets a paused process go on",
  signal: "CONT",
});
