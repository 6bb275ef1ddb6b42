/** `nutshell wait PID`: until it has ended; its exit status becomes this command's. */
import type { OptionTableFor } from "../../options.ts";
import { type Command, defineCommand } from "../command.ts";
import { showExit } from "../os/exit.ts";
import { connect, type HomeValues, homeOption } from "../os/home.ts";
import { pidWord, readPid } from "../os/words.ts";

export const command: Command<OptionTableFor<HomeValues>> = defineCommand({
  name: "wait",
  summary: "waits for a process to end and prints what it returned",
  example: "nutshell wait 12",
  options: homeOption,
  positionals: [pidWord],
  async run(values, io, { positionals }) {
    const pid = readPid("wait", positionals[0]);
    showExit(pid, await connect(values).call("wait", { pid }, io.signal), io);
  },
});
