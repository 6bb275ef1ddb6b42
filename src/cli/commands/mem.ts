/** `nutshell mem PID`: the page map of a process. */
import type { OptionTableFor } from "../../options.ts";
import { type Command, defineCommand } from "../command.ts";
import { connect, type HomeValues, homeOption } from "../os/home.ts";
import { renderMemoryMap } from "../os/memory-map.ts";
import { pidWord, readPid } from "../os/words.ts";

export const command: Command<OptionTableFor<HomeValues>> = defineCommand({
  name: "mem",
  summary: "the pages of a process: resident, pinned, faults, hit rate",
  example: "nutshell mem 12",
  options: homeOption,
  positionals: [pidWord],
  async run(values, io, { positionals }) {
    const pid = readPid("mem", positionals[0]);
    const map = await connect(values).call("memory", { pid });
    io.stdout(
      io.json ? `${JSON.stringify(map)}\n` : renderMemoryMap(map, io.isTTY ? io.columns : 1000),
    );
  },
});
