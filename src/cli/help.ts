/**
 * `--help`, derived from what a command declares. Texts are plain, so they read the same in a
 * pipe; the column of descriptions starts where the longest flag ends.
 */
import { flagOf, type OptionRow, type OptionTable } from "../options.ts";
import { type Command, globalOptions } from "./command.ts";

/** @param columns width to wrap at */
export function renderCommandHelp(command: Command, columns: number): string {
  const words = (command.positionals ?? []).map(({ name, required }) =>
    required ? name : `[${name}]`,
  );
  const start = command.start ?? `nutshell ${command.name}`;
  const usage = [start, ...words, "[flags]"].join(" ");
  const about = (command.positionals ?? []).map(({ name, doc }) => [name, doc] as const);
  const sections = [
    `${command.name}: ${command.summary}\n`,
    `Usage: ${usage}\n`,
    `Example: ${command.example}\n`,
    renderSection("Words", about, columns),
    renderSection("Flags", optionRows(command.options), columns),
    renderSection("Flags of every command", optionRows(globalOptions), columns),
  ];
  return sections.filter((section) => section !== "").join("\n");
}

export type CommandGroup = readonly [title: string, commands: readonly Command[]];

/** The list that `nutshell` alone prints. */
export function renderOverview(groups: readonly CommandGroup[], columns: number): string {
  return [
    "nutshell: grows a language model from raw text and boots it as an operating system's kernel\n",
    "Usage: nutshell COMMAND [flags]\n",
    ...groups.map(([title, commands]) => {
      const rows = commands.map(({ name, summary }) => [name, summary] as const);
      return renderSection(title, rows, columns);
    }),
    "nutshell COMMAND --help shows its flags and an example.\n",
  ].join("\n");
}

type Row = readonly [label: string, text: string];

function optionRows(table: OptionTable): Row[] {
  return Object.entries(table).map(([key, row]) => [flagLabel(key, row), describe(row)] as const);
}

function flagLabel(key: string, row: OptionRow): string {
  const flag = flagOf(key, row);
  if (row.type === "boolean") return row.value ? `--no-${flag}` : `--${flag}`;
  return `--${flag} ${row.placeholder ?? placeholders[row.type]}`;
}

const placeholders: Readonly<Record<Exclude<OptionRow["type"], "boolean">, string>> = {
  number: "X",
  "number?": "X",
  integer: "N",
  "integer?": "N",
  string: "TEXT",
  "string?": "TEXT",
};

function describe(row: OptionRow): string {
  const facts: string[] = [];
  if (row.choices !== undefined) facts.push(`one of ${row.choices.join(", ")}`);
  if (row.type !== "boolean" && row.value !== undefined) facts.push(`default ${row.value}`);
  return facts.length === 0 ? row.doc : `${row.doc} (${facts.join("; ")})`;
}

function renderSection(title: string, rows: readonly Row[], columns: number): string {
  if (rows.length === 0) return "";
  const margin = Math.min(28, Math.max(...rows.map(([label]) => label.length)) + 4);
  return `${title}:\n${rows.map((row) => renderRow(row, margin, columns)).join("")}`;
}

function renderRow([label, text]: Row, margin: number, columns: number): string {
  const [first = "", ...rest] = wrap(text, Math.max(20, columns - margin));
  const indent = " ".repeat(margin);
  const head = `  ${label}`.padEnd(margin);
  const start = head.length > margin ? `${head}\n${indent}${first}` : head + first;
  return `${[start, ...rest.map((line) => indent + line)].join("\n")}\n`;
}

/** Breaks at spaces; a word longer than the width keeps a line of its own. */
function wrap(text: string, width: number): string[] {
  const lines: string[] = [];
  let line = "";
  for (const word of text.split(" ")) {
    if (line !== "" && line.length + 1 + word.length > width) {
      lines.push(line);
      line = "";
    }
    line = line === "" ? word : `${line} ${word}`;
  }
  return [...lines, line];
}
