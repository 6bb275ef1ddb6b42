/**
 * What a run tells people: lines that stay, and on a terminal one line at the bottom that is
 * redrawn. Elsewhere only the lines that stay are written.
 */

export interface Talk {
  /** A line that stays; may hold several, separated by "\n". */
  say(text: string): void;
  /** The line at the bottom, replaced by the next `status` or `say`. */
  status(line: string): void;
}

/** The terminal that is talked to. */
export interface TalkTarget {
  stderr(text: string): void;
  readonly isTTY: boolean;
  readonly columns: number;
}

const CLEAR = "\r\x1b[K";

export function createTalk({ stderr, isTTY, columns }: TalkTarget): Talk {
  let shown = false;
  return {
    say(text) {
      stderr(`${shown ? CLEAR : ""}${text}\n`);
      shown = false;
    },
    status(line) {
      if (!isTTY) return;
      // One column less, or the terminal wraps and the line cannot be redrawn.
      stderr(`${CLEAR}${line.slice(0, columns - 1)}`);
      shown = true;
    },
  };
}
