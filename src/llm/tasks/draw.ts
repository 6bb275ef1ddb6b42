/**
 * Random choices of one problem: a function of (seed, task, split, index) and nothing else, so that
 * any problem is made alone and in any order.
 */
import { philox } from "../../compute/philox.ts";
import { hashText } from "../data/hash.ts";
import { splitOf } from "./split.ts";
import type { Split } from "./task.ts";

export interface Draw {
  /** Random integer in [0, n). */
  pick(n: number): number;
  choose<T>(choices: readonly T[]): T;
  /** Random integer in [least, most], both included. */
  between(least: number, most: number): number;
}

/** So many candidates fall on the wrong side in a row only when a side is all but empty. */
const MOST_ATTEMPTS = 4096;

/** @param stream tells apart what is drawn for one index: a task's name, an attempt */
export function createDraw(stream: string, index: number, split: Split, seed: number): Draw {
  const key = [seed >>> 0, hashText(stream)];
  let draws = 0;
  let words: number[] = [];
  const pick = (n: number): number => {
    if (draws % 4 === 0) words = philox([draws / 4, index >>> 0, split === "test" ? 1 : 0, 0], key);
    return Math.floor(((words[draws++ % 4] as number) / 2 ** 32) * n);
  };
  return {
    pick,
    choose: (choices) => choices[pick(choices.length)] as (typeof choices)[number],
    between: (least, most) => least + pick(most - least + 1),
  };
}

/**
 * Makes candidates until one lies on the side that is asked for.
 * @param keyOf the candidate's key, whose hash is its side
 */
export function drawFromSplit<T>(
  draw: Draw,
  split: Split,
  make: (draw: Draw) => T,
  keyOf: (candidate: T) => string,
): T {
  for (let attempt = 0; attempt < MOST_ATTEMPTS; attempt++) {
    const candidate = make(draw);
    if (splitOf(keyOf(candidate)) === split) return candidate;
  }
  throw new Error(`tasks: nothing to draw in split ${split} after ${MOST_ATTEMPTS} attempts`);
}
