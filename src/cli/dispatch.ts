/** `nutshell COMMAND …`: finds the command by its name and runs it. */
import { readFileSync } from "node:fs";
import { NutshellError } from "../error.ts";
import { suggestName } from "../nearest-name.ts";
import type { Command } from "./command.ts";
import { commandGroups, commands } from "./command-table.ts";
import { execute, reportErrors } from "./execute.ts";
import { type CommandGroup, renderOverview } from "./help.ts";
import type { Streams } from "./terminal.ts";

/** @returns the exit code */
export function dispatch(argv: readonly string[], streams: Streams): Promise<number> {
  return reportErrors(argv, streams, () => runWords(argv, streams));
}

async function runWords(argv: readonly string[], streams: Streams): Promise<number> {
  const [name, ...rest] = argv;
  if (name === "--version") return print(streams, `${version()}\n`);
  if (name === undefined || name === "help" || name === "--help" || name === "-h") {
    return print(streams, renderOverview(await loadAll(), streams.stderr.columns || 80));
  }
  return execute(await loadCommand(name), rest, streams);
}

async function loadCommand(name: string): Promise<Command> {
  const load = Object.hasOwn(commands, name) ? commands[name] : undefined;
  if (load !== undefined) return (await load()).command;
  const known = Object.keys(commands);
  throw new NutshellError("USAGE", `${name}: unknown command. ${suggestName(name, known)}`);
}

async function loadAll(): Promise<CommandGroup[]> {
  return Promise.all(
    commandGroups.map(async ([title, rows]) => {
      const modules = await Promise.all(Object.values(rows).map((load) => load()));
      return [title, modules.map(({ command }) => command)] as const;
    }),
  );
}

function version(): string {
  const manifest = readFileSync(new URL("../../package.json", import.meta.url), "utf8");
  return (JSON.parse(manifest) as { version: string }).version;
}

function print(streams: Streams, text: string): number {
  streams.stdout.write(text);
  return 0;
}
