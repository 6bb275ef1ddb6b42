/** Commands that send one signal to a process and everything below it. */

import type { OptionTableFor } from "../../options.ts";
import type { Signal } from "../../os/kernel/process.ts";
import { type Command, defineCommand } from "../command.ts";
import { connect, type HomeValues, homeOption } from "./home.ts";
import { pidWord, readPid } from "./words.ts";

export type SignalCommand = Command<OptionTableFor<HomeValues>>;

interface SignalCommandSpec {
  readonly name: string;
  readonly summary: string;
  readonly signal: Signal;
}

export function defineSignalCommand({ name, summary, signal }: SignalCommandSpec): SignalCommand {
  return defineCommand({
    name,
    summary,
    example: `nutshell ${name} 12`,
    options: homeOption,
    positionals: [pidWord],
    async run(values, io, { positionals }) {
      const pid = readPid(name, positionals[0]);
      const pids = await connect(values).call("signal", { pid, signal, scope: "tree" });
      io.stdout(
        io.json ? `${JSON.stringify({ signal, pids })}\n` : `${signal} ${pids.join(" ")}\n`,
      );
    },
  });
}
