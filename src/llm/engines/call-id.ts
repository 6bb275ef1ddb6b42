/**
 * The name of a call: a function of the timeline up to it. A reply that is resumed, forked or
 * restored in mid-call goes on under the same name, and no two calls of a conversation share one.
 */

/** @param ids of the timeline, up to where the call's name is whole */
export function nameCall(ids: readonly number[]): string {
  return `call_${[0x811c9dc5, 0x9e3779b9].map((seed) => toWord(hash(ids, seed))).join("")}`;
}

const toWord = (hash: number): string => hash.toString(36).padStart(7, "0");

/** FNV-1a over 32-bit words. @see Fowler, Noll, Vo 1991 */
function hash(ids: readonly number[], seed: number): number {
  let hash = seed ^ ids.length;
  for (const id of ids) {
    hash = Math.imul(hash ^ id, 0x01000193);
    hash ^= hash >>> 15;
  }
  return hash >>> 0;
}
