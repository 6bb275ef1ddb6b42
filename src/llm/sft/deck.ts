/** All that an epoch draws, as packed rows, and what each source has a part in. */
import { createPermutation } from "../data/sampling/permutation.ts";
import { type ConversationPool, countLearned } from "./conversation-pool.ts";
import type { GatheredSource } from "./gather.node.ts";
import { type PackedRows, packConversations } from "./pack.ts";

export interface Deck {
  readonly packed: PackedRows;
  /** A conversation's tokens by its number in `packed`, as `ConversationPool` codes them. */
  coded(item: number): Int32Array;
}

/** @param rowTokens T + 1 */
export function packEpoch(
  gathered: readonly GatheredSource[],
  rowTokens: number,
  seed: number,
): Deck {
  const places = gathered.flatMap(({ train, chosen }) => chosen.map((i) => ({ pool: train, i })));
  // Conversations of one size come out in order, so sources are mixed before they go in.
  const order = createPermutation(places.length, seed, MIXING, 0);
  return packPlaces(
    places.map((_, at) => places[order(at)] as Place),
    rowTokens,
  );
}

/** Tells this order apart from other permutations under the same seed. */
const MIXING = 0x6d6978;

/** All conversations of a pool. */
export function packPool(pool: ConversationPool, rowTokens: number): Deck {
  const places = Array.from({ length: pool.count }, (_, i) => ({ pool, i }));
  return packPlaces(places, rowTokens);
}

interface Place {
  readonly pool: ConversationPool;
  readonly i: number;
}

function packPlaces(places: readonly Place[], rowTokens: number): Deck {
  const sizes = places.map(({ pool, i }) => pool.size(i));
  const coded = (item: number): Int32Array => {
    const { pool, i } = places[item] as Place;
    return pool.coded(i);
  };
  return { packed: packConversations(sizes, rowTokens), coded };
}

/** What a source gives to an epoch; for tables and the card. */
export interface SourceRow {
  readonly name: string;
  readonly licence: string;
  readonly card: string;
  readonly conversations: number;
  readonly tokens: number;
  readonly learned: number;
  readonly held: number;
  readonly cut: number;
  /** Fit to train on, beyond the source's share. */
  readonly undrawn: number;
  /** Left out, by reason. */
  readonly dropped: Readonly<Record<string, number>>;
}

export function describeSources(gathered: readonly GatheredSource[]): SourceRow[] {
  return gathered.map(({ supply: { name, licence, card }, train, held, chosen, cut, counts }) => {
    const coded = chosen.map((i) => train.coded(i));
    const sum = (numbers: readonly number[]): number => numbers.reduce((a, b) => a + b, 0);
    return {
      ...{ name, licence, card, cut, held: held.count, conversations: chosen.length },
      tokens: sum(coded.map(({ length }) => length)),
      learned: sum(coded.map(countLearned)),
      undrawn: train.count - chosen.length,
      dropped: Object.fromEntries(counts.dropped),
    };
  });
}
