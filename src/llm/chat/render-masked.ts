/**
 * A rendered conversation as people read it, one message a line or more: what is learned stands
 * green on a terminal, elsewhere between ⟦ and ⟧; marks are dim. Characters that would move the
 * cursor are escaped, so that a foreign text cannot repaint the screen.
 */
import { inertLines } from "../../inert-text.ts";
import type { Tokenizer } from "../tokenizer/tokenizer.ts";
import type { Rendered } from "./template.ts";

const [DIM, GREEN, RESET] = ["\x1b[2m", "\x1b[32m", "\x1b[0m"];

/** Neighbours that are shown alike: text or one mark, learned or not. */
interface Run {
  readonly text: string;
  readonly mark: boolean;
  readonly learned: boolean;
}

/** @returns lines, the last one ended; nothing but the text when the conversation is empty */
export function renderMasked(rendered: Rendered, tokenizer: Tokenizer, color: boolean): string {
  const runs = cutIntoRuns(rendered, tokenizer);
  const shown = color ? runs.map(paint) : bracket(runs);
  return `${shown.map((text, i) => (startsMessage(runs[i]) ? `\n${text}` : text)).join("")}\n`;
}

/** @returns e.g. "57 tokens, 23 learned" */
export function renderMaskCounts({ ids, mask }: Rendered): string {
  const learned = mask.reduce((sum, bit) => sum + bit, 0);
  return `${ids.length} tokens, ${learned} learned`;
}

function cutIntoRuns({ ids, mask }: Rendered, tokenizer: Tokenizer): Run[] {
  const names = new Map([...tokenizer.specialTokens].map(([name, id]) => [id, name]));
  const runs: Run[] = [];
  for (let i = 0; i < ids.length; ) {
    const learned = mask[i] === 1;
    const name = names.get(ids[i] as number);
    if (name !== undefined) {
      runs.push({ text: name, mark: true, learned });
      i++;
      continue;
    }
    const start = i;
    // Whole runs are decoded at once: one character may be several tokens.
    while (i < ids.length && (mask[i] === 1) === learned && !names.has(ids[i] as number)) i++;
    runs.push({
      text: inertLines(tokenizer.decode(ids.subarray(start, i))),
      mark: false,
      learned,
    });
  }
  return runs;
}

function startsMessage(run: Run | undefined): boolean {
  return run?.mark === true && /^<\|(system|user|assistant|tool)_start\|>$/.test(run.text);
}

function paint({ text, mark, learned }: Run): string {
  const style = `${mark ? DIM : ""}${learned ? GREEN : ""}`;
  return style === "" ? text : `${style}${text}${RESET}`;
}

/** Brackets open and close where learning begins and ends. */
function bracket(runs: readonly Run[]): string[] {
  return runs.map(({ text, learned }, i) => {
    const opens = learned && runs[i - 1]?.learned !== true;
    const closes = learned && runs[i + 1]?.learned !== true;
    return `${opens ? "⟦" : ""}${text}${closes ? "⟧" : ""}`;
  });
}
