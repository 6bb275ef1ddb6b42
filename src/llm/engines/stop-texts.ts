/**
 * Finds the first of some texts in a text that comes in pieces. What may yet turn out to be the
 * beginning of one is held back; a stop text itself never comes out. How the text is cut into
 * pieces makes no difference: the stop text that is complete first wins, the longer of two.
 */
import { NutshellError } from "../../error.ts";

export interface StopScanner {
  /** Text that is safe to show, up to the stop text when one is complete. */
  push(piece: string): { readonly text: string; readonly stopped: boolean };
  /** What was held back, when no more comes. */
  end(): string;
}

/** @throws CONFIG for an empty text */
export function createStopScanner(stops: readonly string[]): StopScanner {
  if (stops.includes(""))
    throw new NutshellError("CONFIG", "generate: a stop text must hold a character, got none.");
  let held = "";
  return {
    push(piece) {
      held += piece;
      const at = findFirst(held, stops);
      const end = at ?? held.length - heldLength(held, stops);
      const text = held.slice(0, end);
      held = at === undefined ? held.slice(end) : "";
      return { text, stopped: at !== undefined };
    },
    end() {
      const text = held;
      held = "";
      return text;
    },
  };
}

/** Where the stop text begins that ends first; of those that end together, the longest. */
function findFirst(text: string, stops: readonly string[]): number | undefined {
  let first: { start: number; end: number } | undefined;
  for (const stop of stops) {
    const start = text.indexOf(stop);
    const end = start + stop.length;
    if (start < 0) continue;
    if (first && (end > first.end || (end === first.end && start > first.start))) continue;
    first = { start, end };
  }
  return first?.start;
}

/** Characters at the end of `text` that a stop text may begin with. */
function heldLength(text: string, stops: readonly string[]): number {
  let longest = 0;
  for (const stop of stops)
    for (let n = Math.min(stop.length - 1, text.length); n > longest; n--)
      if (text.endsWith(stop.slice(0, n))) longest = n;
  return longest;
}
