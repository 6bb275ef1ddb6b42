/**
 * A long text made short without a model: its first lines, its last, and between them those that
 * have a word of the question in them. Every gap says how much is missing and where it begins, so
 * that it can be read; nothing is reworded.
 */
export interface Distilled {
  readonly text: string;
  /** Characters of the original that are in it. */
  readonly kept: number;
}

interface Piece {
  readonly from: number;
  readonly to: number;
  readonly tokens: number;
}

/** Longer lines are cut, so that a text without line breaks has pieces too. */
const PIECE = 240;
/** Shares of the room: what stands first, last, and what matches. */
const [HEAD, TAIL] = [0.4, 0.2];
/** Tokens for the note in each gap. */
const GAP_TOKENS = 24;

/**
 * @param ref of the original, for the notes in the gaps
 * @param focus text whose words (of four letters and more, or with a digit) make a line worth it
 */
export function distil(
  text: string,
  ref: string,
  focus: string,
  maxTokens: number,
  tokensOf: (text: string) => number,
): Distilled {
  const pieces = cut(text).map(({ from, to }) => {
    return { from, to, tokens: tokensOf(text.slice(from, to)) };
  });
  const kept = choose(text, pieces, wordsOf(focus), maxTokens);
  return joinPieces(text, ref, pieces, kept);
}

function cut(text: string): { from: number; to: number }[] {
  const pieces: { from: number; to: number }[] = [];
  for (let from = 0; from < text.length; ) {
    const end = text.indexOf("\n", from);
    const most = from + PIECE - (isHighSurrogate(text.charCodeAt(from + PIECE - 1)) ? 1 : 0);
    const to = Math.min(end < 0 ? text.length : end + 1, most);
    pieces.push({ from, to });
    from = to;
  }
  return pieces;
}

/** First half of a character outside the basic plane: a cut behind it would make two of it. */
function isHighSurrogate(code: number): boolean {
  return code >= 0xd800 && code < 0xdc00;
}

function wordsOf(focus: string): ReadonlySet<string> {
  const words = focus.toLowerCase().match(/[\p{L}\p{N}]+/gu) ?? [];
  return new Set(words.filter((word) => word.length >= 4 || /\d/.test(word)));
}

function choose(
  text: string,
  pieces: readonly Piece[],
  words: ReadonlySet<string>,
  maxTokens: number,
): ReadonlySet<number> {
  const kept = new Set<number>();
  let left = maxTokens;
  const take = (order: Iterable<number>, least: number, gap: number): void => {
    for (const i of order) {
      const cost = (pieces[i] as Piece).tokens + gap;
      if (kept.has(i)) continue;
      if (left - cost < least) return;
      kept.add(i);
      left -= cost;
    }
  };
  left -= GAP_TOKENS;
  take(pieces.keys(), maxTokens * (1 - HEAD), 0);
  take([...pieces.keys()].reverse(), maxTokens * (1 - HEAD - TAIL), 0);
  // A match in the middle opens a gap of its own.
  take(matching(text, pieces, words), 0, GAP_TOKENS);
  return kept;
}

/** Numbers of pieces with words in them, most words first. */
function matching(
  text: string,
  pieces: readonly Piece[],
  words: ReadonlySet<string>,
): readonly number[] {
  const found = pieces.map(({ from, to }, i) => {
    const own = new Set(
      text
        .slice(from, to)
        .toLowerCase()
        .match(/[\p{L}\p{N}]+/gu) ?? [],
    );
    return { i, count: [...words].filter((word) => own.has(word)).length };
  });
  const some = found.filter(({ count }) => count > 0);
  return some.sort((a, b) => b.count - a.count || a.i - b.i).map(({ i }) => i);
}

function joinPieces(
  text: string,
  ref: string,
  pieces: readonly Piece[],
  kept: ReadonlySet<number>,
): Distilled {
  let [result, count, gapFrom] = ["", 0, -1];
  const closeGap = (to: number): void => {
    if (gapFrom < 0) return;
    const left = `${to - gapFrom} characters from ${gapFrom} left out`;
    result += `${result === "" || result.endsWith("\n") ? "" : "\n"}[${left}: ${ref}]\n`;
    gapFrom = -1;
  };
  for (const [i, { from, to }] of pieces.entries()) {
    if (!kept.has(i)) {
      if (gapFrom < 0) gapFrom = from;
      continue;
    }
    closeGap(from);
    result += text.slice(from, to);
    count += to - from;
  }
  closeGap(text.length);
  return { text: result, kept: count };
}
