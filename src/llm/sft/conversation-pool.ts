/**
 * Rendered conversations by number, one growing array for all: a token is twice its id, plus 1
 * where it is learned. A hundred thousand conversations are then no hundred thousand objects.
 */
import type { Rendered } from "../chat/template.ts";

export interface ConversationPool {
  readonly count: number;
  add(rendered: Rendered): void;
  /** Tokens of conversation `i`. */
  size(i: number): number;
  /** Its tokens, each twice its id, plus 1 where it is learned; a view. */
  coded(i: number): Int32Array;
}

export function createConversationPool(): ConversationPool {
  let tokens = new Int32Array(1 << 16);
  let used = 0;
  const starts: number[] = [0];
  return {
    get count() {
      return starts.length - 1;
    },
    add({ ids, mask }) {
      if (used + ids.length > tokens.length) tokens = grow(tokens, used + ids.length);
      for (let t = 0; t < ids.length; t++)
        tokens[used + t] = 2 * (ids[t] as number) + (mask[t] as number);
      used += ids.length;
      starts.push(used);
    },
    size: (i) => (starts[i + 1] as number) - (starts[i] as number),
    coded: (i) => tokens.subarray(starts[i], starts[i + 1]),
  };
}

/** @returns how many tokens of a coded conversation are learned */
export function countLearned(coded: Int32Array): number {
  return coded.reduce((sum, token) => sum + (token & 1), 0);
}

function grow(tokens: Int32Array, least: number): Int32Array<ArrayBuffer> {
  const grown = new Int32Array(Math.max(2 * tokens.length, least));
  grown.set(tokens);
  return grown;
}
