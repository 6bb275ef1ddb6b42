/** `nutshell ps`: the process table. */
import type { OptionTableFor } from "../../options.ts";
import { type Command, defineCommand } from "../command.ts";
import { connect, type HomeValues, homeOption } from "../os/home.ts";
import { renderProcesses } from "../os/process-list.ts";

interface PsValues extends HomeValues {
  all: boolean;
}

export const command: Command<OptionTableFor<PsValues>> = defineCommand({
  name: "ps",
  summary: "processes, as a tree",
  example: "nutshell ps --all",
  options: {
    ...homeOption,
    all: { type: "boolean", value: false, doc: "Those too that have ended and were waited for." },
  },
  async run(values, io) {
    const processes = await connect(values).call("processes", { all: values.all });
    if (io.json) io.stdout(`${JSON.stringify(processes)}\n`);
    else io.stdout(renderProcesses(processes, io.isTTY ? io.columns : 1000));
  },
});
