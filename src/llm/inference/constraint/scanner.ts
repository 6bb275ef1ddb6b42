/** Reads a text piece by piece and says where it broke a rule, in lines and columns from 1. */
import { NutshellError } from "../../../error.ts";

export interface Scanner {
  readonly position: () => number;
  readonly atEnd: () => boolean;
  /** Whether the pattern stands here. @param pattern sticky */
  readonly at: (pattern: RegExp) => boolean;
  /** Reads what the pattern finds here, "" when nothing. @param pattern sticky */
  readonly take: (pattern: RegExp) => string;
  /**
   * @param rule what must hold  @param at where it does not; absent: here
   * @throws CONFIG, or UNSUPPORTED when the text is right and not for us
   */
  readonly fail: (rule: string, at?: number, unsupported?: boolean) => never;
}

/** @param where begins the message of errors */
export function createScanner(where: string, text: string): Scanner {
  let position = 0;
  const match = (pattern: RegExp): string => {
    pattern.lastIndex = position;
    return pattern.exec(text)?.[0] ?? "";
  };
  return {
    position: () => position,
    atEnd: () => position >= text.length,
    at: (pattern) => {
      pattern.lastIndex = position;
      return pattern.test(text);
    },
    take(pattern) {
      const found = match(pattern);
      position += found.length;
      return found;
    },
    fail(rule, at = position, unsupported = false) {
      const got = text.slice(at, at + 20).split(/[\r\n]/, 1)[0];
      const place = `got ${JSON.stringify(got)} at ${lineAndColumn(text, at)}`;
      throw new NutshellError(
        unsupported ? "UNSUPPORTED" : "CONFIG",
        `${where}: ${rule}, ${place}.`,
      );
    },
  };
}

function lineAndColumn(text: string, at: number): string {
  const lines = text.slice(0, at).split(/\r\n|\n|\r/);
  return `line ${lines.length}, column ${(lines.at(-1)?.length ?? 0) + 1}`;
}
