/** Files that a chat brings along for the tool `read_file`. */
import { readFileSync } from "node:fs";
import { basename } from "node:path";
import { NutshellError } from "../../error.ts";

/**
 * @param list `NAME=PATH,PATH,…`; a path without a name is known by its last part
 * @returns texts by name  @throws DATA when a file cannot be read or is not UTF-8
 */
export function readWorldFiles(list: string | undefined): Record<string, string> {
  const words = (list ?? "").split(",").filter((word) => word !== "");
  return Object.fromEntries(
    words.map((word) => {
      const equals = word.indexOf("=");
      const path = word.slice(equals + 1);
      return [equals < 0 ? basename(path) : word.slice(0, equals), readText(path)];
    }),
  );
}

function readText(path: string): string {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(readFileSync(path));
  } catch (cause) {
    const got = (cause as NodeJS.ErrnoException).code ?? "bytes that are not";
    throw new NutshellError(
      "DATA",
      `${path}: a file must be readable UTF-8, got ${got}. Check --file.`,
      { cause },
    );
  }
}
