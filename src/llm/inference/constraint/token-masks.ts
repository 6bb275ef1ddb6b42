/**
 * Masks over the vocabulary: which tokens can be read whole from a situation. One walk over the
 * trie makes a mask; situations return (most of JSON is strings), so masks are kept, those used
 * last, up to a bound in bytes.
 */
import type { Pushdown, Situation } from "./pushdown.ts";
import { plainBytes, type VocabularyTrie } from "./vocabulary-trie.ts";

export interface Mask {
  /** One bit an id. */
  readonly bits: Uint32Array;
  /** Of the allowed ids those that close a key with a free name: whether it is new is not known. */
  readonly suspects: readonly number[];
}

export type MaskOf = (pushdown: Pushdown, situation: Situation) => Mask;

/** Bytes of all masks kept, and how many at most: each holds on to what its grammar remembers. */
const KEPT_BYTES = 32 * 2 ** 20;
const KEPT = 2000;

export function createMasks(trie: VocabularyTrie): MaskOf {
  const kept = new Map<Situation, Mask>();
  const most = Math.min(KEPT, Math.max(64, Math.floor(KEPT_BYTES / (trie.vocabSize / 8))));
  return (pushdown, situation) => {
    const known = kept.get(situation);
    if (known) kept.delete(situation);
    const mask = known ?? walk(trie, pushdown, situation);
    kept.set(situation, mask);
    if (kept.size > most) kept.delete(kept.keys().next().value as Situation);
    return mask;
  };
}

function walk(trie: VocabularyTrie, pushdown: Pushdown, from: Situation): Mask {
  const { byte, depth, end, ids, first, size, plainHeight } = trie;
  const { classOf } = pushdown.automaton;
  const bits = new Uint32Array(Math.ceil(trie.vocabSize / 32));
  const suspects: number[] = [];
  // By depth: where the prefix before it leads.
  const path: Situation[] = [from];
  let suspectUntil = 0;
  for (let node = 0; node < size; ) {
    const at = depth[node] as number;
    const here = path[at] as Situation;
    const known = here.next[classOf[byte[node] as number] as number];
    const to = known ?? pushdown.step(here, byte[node] as number) ?? "no";
    const after = end[node] as number;
    if (to === "no") {
      node = after;
      continue;
    }
    path[at + 1] = to;
    if (to.closedKey && node >= suspectUntil) suspectUntil = after;
    // Nothing in this subtree can end the string: all of it is allowed, unread.
    const behind = takesPlain(pushdown, to, plainHeight[node] as number) ? after : node + 1;
    const last = first[behind] as number;
    for (let i = first[node] as number; i < last; i++) {
      const id = ids[i] as number;
      bits[id >> 5] = (bits[id >> 5] as number) | (1 << (id & 31));
      if (node < suspectUntil) suspects.push(id);
    }
    node = behind;
  }
  return { bits, suspects };
}

/** Whether any `count` plain bytes can be read from there; 0: not asked. */
function takesPlain(pushdown: Pushdown, situation: Situation, count: number): boolean {
  let at = situation;
  for (let left = count; left > 0; left--) {
    at.plainNext ??= plainNext(pushdown, at);
    if (at.plainNext === "no") return false;
    if (at.plainNext === at) return true;
    at = at.plainNext;
  }
  return count > 0;
}

function plainNext({ step }: Pushdown, situation: Situation): Situation | "no" {
  const [first = 0, ...others] = plainBytes;
  const next = step(situation, first);
  return next && others.every((byte) => step(situation, byte) === next) ? next : "no";
}
