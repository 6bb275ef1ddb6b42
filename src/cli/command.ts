/**
 * What a command is. One file per command under `commands/` that exports `command`, one row in
 * the table of `main.ts`; flags, validation and `--help` derive from the option table.
 *
 *     export const command: Command = defineCommand({
 *       name: "plan",
 *       summary: "what a budget buys: parameters, tokens, hours, money",
 *       example: "nutshell plan --params 70e9 --tokens 2e12 --gpu a100",
 *       options: { params: { type: "number?", value: undefined, doc: "Parameters.", check: positive } },
 *       async run(values, io, args) { io.stdout(renderPlan(values.params)); },
 *     });
 *
 * Scripts in `runs` and `bench` are commands too: set `start`, end with `await runProgram(command)`.
 *
 * Rules: data goes to `io.stdout`, talk to `io.stderr`. Under `io.json` stdout carries JSON only.
 * A failure is a thrown NutshellError: exit 2 for USAGE, else 1. When `io.signal` aborts, stop at
 * the next safe point, save and return: the exit code is then 130. `--help`, `--json`, `--debug`,
 * `--no-color` belong to every command and are not declared.
 */
import { NutshellError } from "../error.ts";
import {
  type OptionTable,
  type OptionTableFor,
  type OptionValues,
  parseOptions,
  resolveOptions,
} from "../options.ts";

/** A command's door to the outside. Texts are written as they are: end lines with "\n". */
export interface CommandIo {
  stdout(text: string): void;
  /** Text of foreign origin to stdout: exact in a pipe, harmless on a terminal. */
  show(text: string): void;
  stderr(text: string): void;
  readonly json: boolean;
  /** Aborted by the first Ctrl-C or SIGTERM. */
  readonly signal: AbortSignal;
  /** Whether stderr is a terminal, so that a line of it may be redrawn. */
  readonly isTTY: boolean;
  /** Width of that terminal; 80 when unknown. */
  readonly columns: number;
  readonly color: boolean;
}

/** A word of the command line that is not a flag. Optional ones come last. */
export interface Positional {
  readonly name: string;
  readonly doc: string;
  readonly required: boolean;
}

/** `given` holds only what the user wrote, for `resolveOptions(table, preset, file, flags)`. */
export interface CommandArgs<T extends OptionTable> {
  readonly given: Partial<OptionValues<T>>;
  readonly positionals: readonly string[];
}

export interface Command<T extends OptionTable = OptionTable> {
  readonly name: string;
  /** How it is started, when that is not `nutshell NAME`: "npm start --". */
  readonly start?: string;
  readonly summary: string;
  /** A command line that runs as it stands. */
  readonly example: string;
  readonly options: T;
  readonly positionals?: readonly Positional[];
  /** @param values defaults and flags together, checked */
  run(values: OptionValues<T>, io: CommandIo, args: CommandArgs<T>): void | Promise<void>;
}

export interface GlobalValues {
  help: boolean;
  json: boolean;
  color: boolean;
  debug: boolean;
}

/** Flags of every command. */
export const globalOptions: OptionTableFor<GlobalValues> = {
  help: { type: "boolean", value: false, doc: "Show this text." },
  json: { type: "boolean", value: false, doc: "Print the result as JSON, alone on stdout." },
  color: { type: "boolean", value: true, doc: "Colours on a terminal (NO_COLOR turns them off)." },
  debug: { type: "boolean", value: false, doc: "Print the stack of an error." },
};

/** Declares a command; its values are typed by its table. */
export function defineCommand<const T extends OptionTable>(command: Command<T>): Command<T> {
  for (const key of Object.keys(command.options)) {
    if (Object.hasOwn(globalOptions, key)) {
      throw new Error(
        `defineCommand: --${key} belongs to every command, got it in ${command.name}`,
      );
    }
  }
  return command;
}

/** A command line split into the flags of every command and those of this one. */
export interface ParsedCommand {
  readonly globals: GlobalValues;
  readonly args: CommandArgs<OptionTable>;
}

/** @throws NutshellError USAGE for flags that are unknown or wrong */
export function parseCommand(command: Command, argv: readonly string[]): ParsedCommand {
  const words = argv.map((word) => (word === "-h" ? "--help" : word));
  const { given, positionals } = parseOptions({ ...command.options, ...globalOptions }, words);
  const own = Object.entries(given).filter(([key]) => Object.hasOwn(command.options, key));
  const global = Object.entries(given).filter(([key]) => Object.hasOwn(globalOptions, key));
  return {
    globals: resolveOptions(globalOptions, { from: "flags", values: Object.fromEntries(global) }),
    args: { given: Object.fromEntries(own), positionals },
  };
}

/** Checks the positionals, fills in the defaults and runs. */
export async function runCommand(
  command: Command,
  args: CommandArgs<OptionTable>,
  io: CommandIo,
): Promise<void> {
  checkPositionals(command, args.positionals);
  const values = resolveOptions(command.options, { from: "flags", values: args.given });
  await command.run(values, io, args);
}

function checkPositionals(command: Command, words: readonly string[]): void {
  const expected = command.positionals ?? [];
  const extra = words[expected.length];
  if (extra !== undefined) throw usage(command, `takes no word "${extra}"`);
  for (const [i, { name, required }] of expected.entries()) {
    if (required && words[i] === undefined) throw usage(command, `needs ${name}, got none`);
  }
}

function usage(command: Command, what: string): NutshellError {
  return new NutshellError("USAGE", `${command.name}: ${what}. Try: ${command.example}`);
}
