/** `nutshell nice PID N`: its share of the model from now on. */
import { NutshellError } from "../../error.ts";
import type { OptionTableFor } from "../../options.ts";
import { type Command, defineCommand } from "../command.ts";
import { connect, type HomeValues, homeOption } from "../os/home.ts";
import { pidWord, readPid } from "../os/words.ts";

interface NiceValues extends HomeValues {
  to: number;
}

export const command: Command<OptionTableFor<NiceValues>> = defineCommand({
  name: "nice",
  summary: "gives a process more or less of the model's time",
  example: "nutshell nice 12 --to 5",
  options: {
    ...homeOption,
    to: {
      type: "integer",
      value: 10,
      doc: "-20 (much) to 19 (little); each step is a quarter more or less.",
      check: (nice) => (nice >= -20 && nice <= 19 ? undefined : "must be between -20 and 19"),
    },
  },
  positionals: [pidWord],
  async run({ home, to }, io, { positionals }) {
    const pid = readPid("nice", positionals[0]);
    if (!Number.isInteger(to)) throw new NutshellError("USAGE", `nice: a whole number, got ${to}.`);
    await connect({ home }).call("renice", { pid, nice: to });
    if (io.json) io.stdout(`${JSON.stringify({ pid, nice: to })}\n`);
  },
});
