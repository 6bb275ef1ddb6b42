/** Words of a command line that name processes, calls and times. */
import { NutshellError } from "../../error.ts";
import { suggestName } from "../../nearest-name.ts";
import type { Positional } from "../command.ts";

export const pidWord: Positional = {
  name: "PID",
  doc: "Number of a process, as ps shows it.",
  required: true,
};

/** @throws USAGE */
export function readNumber(command: string, name: string, word: string | undefined): number {
  const value = Number(word);
  if (word !== undefined && /^[0-9]{1,15}$/.test(word) && value > 0) return value;
  throw new NutshellError("USAGE", `${command}: ${name} must be a number, got ${word}.`);
}

export function readPid(command: string, word: string | undefined): number {
  return readNumber(command, "PID", word);
}

/** @throws USAGE with the nearest choice */
export function readChoice<T extends string>(
  command: string,
  name: string,
  word: string | undefined,
  choices: readonly T[],
): T {
  const found = choices.find((choice) => choice === word?.replace(/^SIG/, "").toUpperCase());
  if (found !== undefined) return found;
  const hint = suggestName(word ?? "", choices);
  throw new NutshellError(
    "USAGE",
    `${command}: ${name} must be a known word, got ${word}. ${hint}`,
  );
}

export const callWord: Positional = {
  name: "CALL",
  doc: 'A system call: "files.read", or "files.*" for all of a device.',
  required: true,
};
