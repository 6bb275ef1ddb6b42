/**
 * `nutshell sh`: a shell in plain language. A line is a goal and becomes a process; a line that
 * starts with "/" is a command of `nutshell` ("/ps", "/strace 3"). It ends with "exit" or Ctrl-D.
 */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface, type Interface } from "node:readline/promises";
import { fileURLToPath } from "node:url";
import { NutshellError } from "../../error.ts";
import type { OptionTableFor } from "../../options.ts";
import type { RunRequest } from "../../os/system.ts";
import type { Control } from "../../server/control/control-client.ts";
import { type Command, type CommandIo, defineCommand } from "../command.ts";
import { attend } from "../os/attend.ts";
import { renderValue, showExit } from "../os/exit.ts";
import { connect } from "../os/home.ts";
import { type RunValues, runOptions, toRunRequest } from "../os/run-options.ts";

type Turn = NonNullable<RunRequest["before"]>[number];

const main = fileURLToPath(new URL("../main.ts", import.meta.url));
const PROMPT = "nutshell> ";
const MAX_TURNS = 40;

export const command: Command<OptionTableFor<RunValues>> = defineCommand({
  name: "sh",
  summary: "a shell in plain language: every line is a goal",
  example: "nutshell sh",
  options: runOptions,
  async run(values, io) {
    const control = connect(values);
    await control.call("processes", {}); // No daemon: say so before the prompt.
    const before: Turn[] = [];
    using terminal = openTerminal(io);
    for await (const line of terminal.lines) {
      const goal = line.trim();
      if (goal === "exit") break;
      await answerLine(goal, { control, io, before, values, ask: terminal.ask }).catch((error) => {
        if (!(error instanceof NutshellError)) throw error;
        io.stderr(`${error.code} ${error.message}\n`);
      });
      terminal.prompt();
    }
  },
});

interface Shell {
  readonly control: Control;
  readonly io: CommandIo;
  readonly before: Turn[];
  readonly values: RunValues;
  readonly ask: (question: string) => Promise<string | undefined>;
}

async function answerLine(goal: string, shell: Shell): Promise<void> {
  if (goal === "") return;
  if (goal.startsWith("/")) return runBuiltin(goal.slice(1), shell);
  const { control, io, before, values, ask } = shell;
  const request = { ...toRunRequest(values), goal, before: [...before], interactive: true };
  const pid = await control.call("run", request);
  const exit = await attend(control, pid, io, ask);
  showExit(pid, exit, io);
  if (exit.how !== "returned") return;
  const reply = renderValue(exit.value);
  before.push({ role: "user", text: goal }, { role: "assistant", text: reply });
  before.splice(0, before.length - MAX_TURNS);
}

/** The words of a command of `nutshell`, as on the command line; quotes keep spaces together. */
async function runBuiltin(line: string, { values }: Shell): Promise<void> {
  const words = [...line.matchAll(/"([^"]*)"|(\S+)/g)].map(
    ([, quoted, bare]) => quoted ?? bare ?? "",
  );
  const home = values.home === undefined ? [] : ["--home", values.home];
  const child = spawn(process.execPath, [main, ...words, ...home], { stdio: "inherit" });
  await once(child, "exit");
}

interface Terminal extends Disposable {
  readonly lines: Interface;
  ask(question: string): Promise<string | undefined>;
  prompt(): void;
}

function openTerminal(io: CommandIo): Terminal {
  const interactive = process.stdin.isTTY === true;
  const lines = createInterface({ input: process.stdin, output: process.stderr, prompt: PROMPT });
  const prompt = (): void => {
    if (interactive) lines.prompt();
  };
  io.signal.addEventListener("abort", () => lines.close(), { once: true });
  prompt();
  return {
    lines,
    prompt,
    ask: async (question) => (interactive ? lines.question(question) : undefined),
    [Symbol.dispose]: () => lines.close(),
  };
}
