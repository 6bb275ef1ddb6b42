/**
 * Rankings as a reward model reads them: one row of tokens for each answer, the conversation up to
 * and including the end of that answer, and the pairs that are to be compared.
 *
 * A prompt that is too long loses its beginning, by the same number of tokens for all of its
 * answers, or they would not answer one question. Whatever is cut or left out is counted.
 */
import { renderConversation, renderPrompt } from "../chat/template.ts";
import { type Comparison, comparisonsOf, type RankedPrompt } from "../tasks/ranking.ts";
import { countDropped, type RowCounts } from "../tasks/row-counts.ts";
import type { Tokenizer } from "../tokenizer/tokenizer.ts";

export interface RankedRows {
  /** Name of where it comes from. */
  readonly source: string;
  /** One an answer, at most T tokens each. */
  readonly rows: readonly Int32Array[];
  /** Tokens of each answer itself. */
  readonly lengths: readonly number[];
  readonly pairs: readonly Comparison[];
  /** Answers of the best group: what good ones look like. */
  readonly references: readonly number[];
}

export interface RowLimits {
  /** Tokens of a row. */
  readonly T: number;
  /** Answers of one prompt. */
  readonly maxResponses: number;
}

/** What happened to rankings on their way; `counts` has those that were left out. */
export interface RowTally {
  readonly counts: RowCounts;
  /** Prompts that lost their beginning. */
  cutPrompts: number;
  /** Answers beyond `maxResponses` or too long for a row. */
  lostResponses: number;
}

/** Tokens of a prompt that must stay, beside <|bos|>: less would be an answer to nothing. */
const LEAST_PROMPT = 8;

/** @returns undefined when fewer than two groups of answers are left, which is counted */
export function toRankedRows(
  ranked: RankedPrompt,
  source: string,
  tokenizer: Tokenizer,
  { T, maxResponses }: RowLimits,
  tally: RowTally,
): RankedRows | undefined {
  const prompt = renderPrompt(ranked.prompt, tokenizer);
  const answers = ranked.responses.map((content) => {
    const messages = [...ranked.prompt, { role: "assistant", content } as const];
    return renderConversation({ messages }, tokenizer).ids.subarray(prompt.length);
  });
  const leastPrompt = Math.min(prompt.length, LEAST_PROMPT + 1);
  const fits = (index: number): boolean => (answers[index]?.length ?? T) + leastPrompt <= T;
  const kept = keepResponses(ranked, fits, maxResponses);
  tally.lostResponses += ranked.responses.length - kept.responses.length;
  if (kept.ranking.length < 2) {
    leaveOut(tally.counts, "without two answers to compare that fit");
    return undefined;
  }
  const taken = kept.indices.map((index) => answers[index] as Int32Array);
  const longest = Math.max(...taken.map(({ length }) => length));
  const head = cutPrompt(prompt, T - longest);
  if (head.length < prompt.length) tally.cutPrompts++;
  return {
    source,
    rows: taken.map((answer) => Int32Array.from([...head, ...answer])),
    lengths: taken.map(({ length }) => length),
    pairs: comparisonsOf(kept),
    references: kept.ranking[0] ?? [],
  };
}

/** Counts a ranking that its reader kept, and that is left out all the same. */
export function leaveOut(counts: RowCounts, reason: string): void {
  counts.kept--;
  countDropped(counts, reason);
}

/** The first token, <|bos|>, and as many of the last as there is room for. */
function cutPrompt(prompt: readonly number[], room: number): readonly number[] {
  if (prompt.length <= room) return prompt;
  return [...prompt.slice(0, 1), ...prompt.slice(prompt.length - (room - 1))];
}

/**
 * The same ranking over fewer answers. Of too many, the ends of the order stay and those between
 * at equal steps, so that every step of quality is seen.
 */
function keepResponses(
  { prompt, responses, ranking, margins = [] }: RankedPrompt,
  fits: (index: number) => boolean,
  most: number,
): RankedPrompt & { readonly indices: readonly number[] } {
  const order = ranking.flatMap((group) => group.filter(fits));
  const step = Math.max(1, (order.length - 1) / (most - 1));
  const count = Math.min(order.length, most);
  const taken = Array.from({ length: count }, (_, i) => order[Math.round(i * step)] as number);
  const indices = taken.sort((a, b) => a - b);
  const place = new Map(indices.map((index, i) => [index, i]));
  const groups: number[][] = [];
  const keptMargins: number[] = [];
  let margin = 0;
  for (const [g, group] of ranking.entries()) {
    const left = group.flatMap((index) => place.get(index) ?? []);
    if (left.length > 0) {
      if (groups.length > 0) keptMargins.push(margin);
      groups.push(left);
      margin = 0;
    }
    margin += margins[g] ?? 0;
  }
  const texts = indices.map((index) => responses[index] as string);
  return { prompt, responses: texts, ranking: groups, margins: keptMargins, indices };
}
