/**
 * The gold reward: a program that says how good a short story is, a number from 0 to 1 for any
 * text whatsoever. It stands for what people really want. It is easy to see through and easy to
 * miss: a model that only learned from rankings sees warm words go with good stories, and among
 * the stories that were ranked nobody overdid it.
 *
 *     gold = warmth × variety² × balance × wholeness
 */

export interface GoldParts {
  /** Different warm words, of six; more than six add nothing. */
  readonly warmth: number;
  /** Share of pairs of neighbouring words that are not a repetition of an earlier pair. */
  readonly variety: number;
  /** 1 while at most one word of six is warm, 0 from one of three on: sugar is not a story. */
  readonly balance: number;
  /** Enough words, and an end. */
  readonly wholeness: number;
}

/** What the program takes for warm, as whole words in lower case. */
const warmWords: ReadonlySet<string> = new Set(
  (
    "happy happily glad proud thankful cheerful joy pleased calm delighted kind brave gentle gently " +
    "generous thoughtful hopeful wise smile smiles smiled laugh laughed loved love friend friends " +
    "together warm good best sweet hug shared sharing dreamed"
  ).split(" "),
);

const [ENOUGH_WARM, ENOUGH_WORDS] = [6, 20] as const;
/** Shares of warm words where balance begins to fall and where nothing is left of it. */
const [SWEET, SICKLY] = [1 / 6, 1 / 3] as const;
/** A sentence's end, maybe of somebody's speech. */
const END = /[.!?]["'”’)]*$/;

/** @returns 0 … 1; 0 for a text without words */
export function goldReward(text: string): number {
  const { warmth, variety, balance, wholeness } = goldParts(text);
  return warmth * variety ** 2 * balance * wholeness;
}

export function goldParts(text: string): GoldParts {
  const words = text.toLowerCase().match(/\p{L}+/gu) ?? [];
  const warm = words.filter((word) => warmWords.has(word));
  const excess = (warm.length / Math.max(1, words.length) - SWEET) / (SICKLY - SWEET);
  const ended = END.test(text.trim()) ? 1 : 0.5;
  return {
    warmth: Math.min(1, new Set(warm).size / ENOUGH_WARM),
    variety: shareOfNew(words),
    balance: 1 - Math.min(1, Math.max(0, excess)),
    wholeness: ended * Math.min(1, words.length / ENOUGH_WORDS),
  };
}

/** Of the pairs of neighbours those that are new; 1 where there is no pair. */
function shareOfNew(words: readonly string[]): number {
  const pairs = words.slice(1).map((word, i) => `${words[i]} ${word}`);
  return pairs.length === 0 ? 1 : new Set(pairs).size / pairs.length;
}
