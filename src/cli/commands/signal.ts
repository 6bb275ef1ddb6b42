/** `nutshell signal PID NAME`: any signal, to one process, its tree or its group. */

import type { OptionTableFor } from "../../options.ts";
import type { Signal } from "../../os/kernel/process.ts";
import { type Command, defineCommand } from "../command.ts";
import { connect, type HomeValues, homeOption } from "../os/home.ts";
import { pidWord, readChoice, readPid } from "../os/words.ts";

type Scope = "one" | "tree" | "group";

interface SignalValues extends HomeValues {
  scope: Scope;
}

const SIGNALS: readonly Signal[] = ["TERM", "KILL", "STOP", "CONT", "INT", "USR1"];
const SCOPES: readonly Scope[] = ["one", "tree", "group"];

export const command: Command<OptionTableFor<SignalValues>> = defineCommand({
  name: "signal",
  summary: "sends TERM, KILL, STOP, CONT, INT or USR1 to a process",
  example: "nutshell signal 12 TERM --scope tree",
  options: {
    ...homeOption,
    scope: { type: "string", value: "one", doc: "Who gets it besides.", choices: SCOPES },
  },
  positionals: [pidWord, { name: "NAME", doc: `One of ${SIGNALS.join(", ")}.`, required: true }],
  async run({ home, scope }, io, { positionals }) {
    const pid = readPid("signal", positionals[0]);
    const signal = readChoice("signal", "NAME", positionals[1], SIGNALS);
    const pids = await connect({ home }).call("signal", { pid, signal, scope });
    io.stdout(io.json ? `${JSON.stringify({ signal, pids })}\n` : `${signal} ${pids.join(" ")}\n`);
  },
});
