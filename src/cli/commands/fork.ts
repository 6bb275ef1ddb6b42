/** `nutshell fork PID`: a second process with the same past. */
import { inRange, type OptionTableFor } from "../../options.ts";
import { type Command, defineCommand } from "../command.ts";
import { connect, type HomeValues, homeOption } from "../os/home.ts";
import { pidWord, readPid } from "../os/words.ts";

interface ForkValues extends HomeValues {
  at: number | undefined;
}

export const command: Command<OptionTableFor<ForkValues>> = defineCommand({
  name: "fork",
  summary: "a second process with the same past; files are copied on write",
  example: "nutshell fork 12 --at 5",
  options: {
    ...homeOption,
    at: {
      type: "integer?",
      value: undefined,
      placeholder: "CALL",
      doc: "The first call that is made anew, as strace numbers them; absent = what comes next.",
      check: inRange(1, 1e9),
    },
  },
  positionals: [pidWord],
  async run({ home, at }, io, { positionals }) {
    const pid = readPid("fork", positionals[0]);
    const child = await connect({ home }).call("fork", { pid, ...(at !== undefined && { at }) });
    io.stdout(io.json ? `${JSON.stringify({ pid: child, from: pid })}\n` : `${child}\n`);
  },
});
