/**
 * Where a value of a recorded call came from, told by where it and its pieces stand. In doubt it
 * came from a result, which is the strict answer: what flows from a result is nobody's but the
 * result's author's.
 */
import { standsIn } from "./open-search.ts";

export interface Surroundings {
  readonly prompt: string;
  /** Of the tool: what a planner reads before it plans. */
  readonly schema: string;
  /** Results of the calls before. */
  readonly earlier: readonly string[];
  /** What the planner wrote by itself before. */
  readonly literals: readonly string[];
  /** Known only at run time. */
  readonly isDynamic: boolean;
}

/** @returns indexes of the results that it flows from; none: the user's, or the planner's own */
export function originOf(value: string, around: Surroundings): number[] {
  const { prompt, schema, earlier, literals, isDynamic } = around;
  const all = earlier.map((_, i) => i);
  if (value.trim() === "" || standsIn(value, prompt)) return [];
  if (!isDynamic && (schema.includes(`"${value}"`) || schema.includes(`\\"${value}\\"`))) return [];
  const whole = earlier.flatMap((text, i) => (standsInText(text, value) ? i : []));
  const pieces = value.match(/[\p{L}\p{N}]{3,}/gu) ?? [];
  const own = [prompt, ...literals].join(" ").toLowerCase();
  const foreign = pieces.filter((piece) => !standsInText(own, piece.toLowerCase()));
  if (!isDynamic && pieces.length > 0 && foreign.length === 0) return [];
  if (whole.length > 0) return whole.slice(-1);
  const parts = value.split(/[^\p{L}\p{N}@._/-]+/u).filter((part) => part.length >= 4);
  const strange = parts.filter((part) => !standsIn(part, prompt));
  const made = earlier.flatMap((text, i) =>
    strange.some((part) => standsInText(text, part)) ? i : [],
  );
  if (made.length > 0) return made;
  return isDynamic || foreign.some((piece) => /\d/.test(piece)) ? all : [];
}

/** As a whole word: "7" does not stand in "17". */
export function standsInText(text: string, value: string): boolean {
  const word = /[\p{L}\p{N}]/u;
  if (value === "") return false;
  const joins = (a: string | undefined, b: string | undefined): boolean =>
    word.test(a ?? " ") && word.test(b ?? " ");
  for (let at = text.indexOf(value); at >= 0; at = text.indexOf(value, at + 1)) {
    const end = at + value.length;
    if (!joins(text[at - 1], value[0]) && !joins(value.at(-1), text[end])) return true;
  }
  return false;
}
