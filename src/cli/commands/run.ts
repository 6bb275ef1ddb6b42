/** `nutshell run "goal"`: a process that works on it; `--plan FILE` runs a plan as it stands. */
import { readFile } from "node:fs/promises";
import { NutshellError } from "../../error.ts";
import type { OptionTableFor } from "../../options.ts";
import { type Command, defineCommand } from "../command.ts";
import { attend, terminalAsk } from "../os/attend.ts";
import { showExit } from "../os/exit.ts";
import { connect } from "../os/home.ts";
import { type RunValues, runOptions, toRunRequest } from "../os/run-options.ts";

interface RunCommandValues extends RunValues {
  plan: string | undefined;
  detach: boolean;
}

const EXAMPLE = 'nutshell run "What is 17 * 23?"';

export const command: Command<OptionTableFor<RunCommandValues>> = defineCommand({
  name: "run",
  summary: "a process that works on a goal in plain language",
  example: EXAMPLE,
  options: {
    ...runOptions,
    plan: {
      type: "string?",
      value: undefined,
      placeholder: "FILE",
      doc: "A plan, instead of a goal.",
    },
    detach: { type: "boolean", value: false, doc: "Print its pid and leave it to itself." },
  },
  positionals: [{ name: "GOAL", doc: "What is to be done.", required: false }],
  async run(values, io, { positionals: [goal] }) {
    const plan = values.plan === undefined ? undefined : await readPlan(values.plan);
    if ((goal === undefined) === (plan === undefined))
      throw new NutshellError("USAGE", `run: needs a goal or --plan. Try: ${EXAMPLE}`);
    const control = connect(values);
    const pid = await control.call("run", {
      ...toRunRequest(values),
      ...(goal !== undefined && { goal }),
      ...(plan !== undefined && { plan }),
      interactive: !values.detach,
    });
    if (values.detach) {
      io.stdout(io.json ? `${JSON.stringify({ pid })}\n` : `${pid}\n`);
      return;
    }
    // Ctrl-C is meant for the process; a terminal that vanishes is not.
    const stop = (): void => void control.call("signal", { pid, signal: "TERM", scope: "tree" });
    io.signal.addEventListener("abort", stop, { once: true });
    showExit(pid, await attend(control, pid, io, terminalAsk(io)), io);
  },
});

async function readPlan(path: string): Promise<string> {
  return readFile(path, "utf8").catch((cause: NodeJS.ErrnoException) => {
    const message = `run: --plan must be readable, got ${path} (${cause.code}).`;
    throw new NutshellError("USAGE", message, { cause });
  });
}
