/**
 * One pass over a text that counts everything the quality rules ask about. Words and lines are
 * kept as 32-bit hashes in buffers that are used again for the next text, so a text costs no
 * allocation and is never split into strings.
 *
 * A word is a run without white space; its hash folds case and leaves punctuation out. A line is
 * what lies between line feeds and is not blank; a paragraph lies between blank lines.
 */
import {
  BLANK,
  BULLET,
  classOf,
  DIGIT,
  ELLIPSIS,
  LETTER,
  OPEN_BRACE,
  SYMBOL,
  TERMINAL,
  UNSPACED,
} from "./character-class.ts";

/** Hashes and places of words, lines or paragraphs; `count` of each array are valid. */
export interface Runs {
  count: number;
  hash: Int32Array;
  /** UTF-16 offsets in the text, [start, end). */
  start: Int32Array;
  end: Int32Array;
}

export interface TextShape {
  /** UTF-16 units. */
  chars: number;
  /** Words in all and of them those with a letter. */
  words: number;
  alphabeticWords: number;
  /** UTF-16 units inside words. */
  wordChars: number;
  longestWord: number;
  /** Bit i is set when stop word i occurred. */
  stopWordBits: number;
  /** Occurrences of the stop words. */
  stopWords: number;
  /** Number signs and ellipses. */
  symbols: number;
  /** Letters of scripts that are written without spaces: word rules mean nothing there. */
  unspacedLetters: number;
  letters: number;
  bulletLines: number;
  ellipsisLines: number;
  /** Lines that begin with a letter or quotation mark: no headings, lists, tables. */
  plainLines: number;
  /** Plain lines that end like a sentence, and those that are short. */
  terminalLines: number;
  shortLines: number;
  boilerplateLines: number;
  /** Words that end like a sentence. */
  sentences: number;
  braces: number;
  firstBrace: number;
  loremIpsum: number;
  /** Words that hold a letter or digit, for n-grams. */
  readonly grams: Runs;
  readonly lines: Runs;
  readonly paragraphs: Runs;
}

/** Gopher's eight, of which prose has at least two. */
export const stopWords = ["the", "be", "to", "of", "and", "that", "have", "with"] as const;

/** A line below this many characters is short (FineWeb). */
export const SHORT_LINE = 30;

const SEED = 0x2545f491;

const stopWordHashes = stopWords.map(hashWord);
const LOREM = hashWord("lorem");
const IPSUM = hashWord("ipsum");
const JAVASCRIPT = hashWord("javascript");

/** Second words of the phrases of which C4 removes the lines, with the words before them. */
const boilerplate: ReadonlyMap<number, readonly number[]> = new Map([
  [hashWord("policy"), [hashWord("privacy"), hashWord("cookie")]],
  [hashWord("cookies"), [hashWord("use"), hashWord("uses"), hashWord("of")]],
  [hashWord("use"), [hashWord("of")]],
]);

export function createTextShape(): TextShape {
  const empty = { chars: 0, words: 0, alphabeticWords: 0, wordChars: 0, longestWord: 0 };
  const more = { stopWordBits: 0, stopWords: 0, symbols: 0, unspacedLetters: 0, letters: 0 };
  const lines = { bulletLines: 0, ellipsisLines: 0, terminalLines: 0, shortLines: 0 };
  const rest = {
    boilerplateLines: 0,
    plainLines: 0,
    sentences: 0,
    braces: 0,
    firstBrace: -1,
    loremIpsum: -1,
  };
  const runs = { grams: createRuns(), lines: createRuns(), paragraphs: createRuns() };
  return { ...empty, ...more, ...lines, ...rest, ...runs };
}

function createRuns(): Runs {
  const make = (): Int32Array => new Int32Array(1024);
  return { count: 0, hash: make(), start: make(), end: make() };
}

/** Hash of a word as `measureText` makes it; zero is never one. */
function hashWord(word: string): number {
  let hash = SEED;
  for (let i = 0; i < word.length; i++) hash = mix(hash, word.charCodeAt(i));
  return finish(hash);
}

function mix(hash: number, unit: number): number {
  return Math.imul(hash ^ unit, 0x5bd1e995);
}

function finish(hash: number): number {
  const mixed = Math.imul(hash ^ (hash >>> 15), 0x2c1b3c6d);
  return (mixed ^ (mixed >>> 13)) | 0 || 1;
}

function push(runs: Runs, hash: number, start: number, end: number): void {
  const at = runs.count;
  if (at === runs.hash.length) grow(runs);
  runs.hash[at] = hash;
  runs.start[at] = start;
  runs.end[at] = end;
  runs.count = at + 1;
}

function grow(runs: Runs): void {
  for (const name of ["hash", "start", "end"] as const) {
    const bigger = new Int32Array(runs[name].length * 2);
    bigger.set(runs[name]);
    runs[name] = bigger;
  }
}

function reset(shape: TextShape, chars: number): void {
  const fresh = { chars, words: 0, alphabeticWords: 0, wordChars: 0, longestWord: 0 };
  Object.assign(shape, fresh, {
    stopWordBits: 0,
    stopWords: 0,
    symbols: 0,
    unspacedLetters: 0,
    letters: 0,
  });
  Object.assign(shape, { bulletLines: 0, ellipsisLines: 0, terminalLines: 0, shortLines: 0 });
  Object.assign(shape, {
    boilerplateLines: 0,
    plainLines: 0,
    sentences: 0,
    braces: 0,
    firstBrace: -1,
    loremIpsum: -1,
  });
  shape.grams.count = 0;
  shape.lines.count = 0;
  shape.paragraphs.count = 0;
}

/** Fills `shape` with what `text` is like; flat because it is the inner loop of cleaning. */
export function measureText(text: string, shape: TextShape): TextShape {
  const length = text.length;
  reset(shape, length);
  let hash = SEED;
  let wordStart = -1;
  let wordKinds = 0;
  let lineHash = SEED;
  let lineStart = -1;
  let lineEnd = 0;
  let firstKinds = 0;
  let lastKinds = 0;
  let lineKinds = 0;
  let boilerplateLine = false;
  let paragraphHash = SEED;
  let paragraphStart = -1;
  let paragraphEnd = 0;
  let letters = 0;
  let unspaced = 0;
  let previous = 0;
  let dots = 0;
  for (let i = 0; i <= length; i++) {
    // The end of the text reads as a line feed: it closes word, line and paragraph.
    const unit = i < length ? text.charCodeAt(i) : 10;
    const kinds = classOf(unit);
    if ((kinds & BLANK) === 0) {
      if (wordStart < 0) wordStart = i;
      if (lineStart < 0) {
        lineStart = i;
        firstKinds = kinds;
      }
      wordKinds |= kinds;
      lineKinds |= kinds;
      lastKinds = kinds;
      lineHash = mix(lineHash, unit);
      if ((kinds & (LETTER | DIGIT)) !== 0) {
        // Folds ASCII capitals only; other scripts compare by case, which rules can live with.
        hash = mix(hash, unit >= 65 && unit <= 90 ? unit | 32 : unit);
        if ((kinds & LETTER) !== 0) letters++;
        if ((kinds & UNSPACED) !== 0) unspaced++;
      }
      if (unit === 46) dots++;
      else {
        if (dots >= 3) shape.symbols++;
        dots = 0;
        if ((kinds & (SYMBOL | ELLIPSIS)) !== 0) shape.symbols++;
        else if ((kinds & OPEN_BRACE) !== 0) {
          if (shape.braces++ === 0) shape.firstBrace = i;
        }
      }
      continue;
    }
    if (wordStart >= 0) {
      shape.words++;
      shape.wordChars += i - wordStart;
      if (i - wordStart > shape.longestWord) shape.longestWord = i - wordStart;
      if ((wordKinds & LETTER) !== 0) shape.alphabeticWords++;
      if ((wordKinds & (LETTER | DIGIT)) !== 0) {
        const word = finish(hash);
        push(shape.grams, word, wordStart, i);
        if ((lastKinds & TERMINAL) !== 0) shape.sentences++;
        const stop = stopWordHashes.indexOf(word);
        if (stop >= 0) {
          shape.stopWordBits |= 1 << stop;
          shape.stopWords++;
        }
        if (word === JAVASCRIPT || boilerplate.get(word)?.includes(previous) === true) {
          boilerplateLine = true;
        }
        if (word === IPSUM && previous === LOREM && shape.loremIpsum < 0) {
          shape.loremIpsum = shape.grams.start[shape.grams.count - 2] as number;
        }
        previous = word;
      }
      if (dots >= 3) shape.symbols++;
      lineEnd = i;
      if (unit === 10 && lineStart >= 0) {
        const ellipsis = dots >= 3 || (lastKinds & ELLIPSIS) !== 0;
        if (ellipsis) shape.ellipsisLines++;
      }
      dots = 0;
      hash = SEED;
      wordStart = -1;
      wordKinds = 0;
    }
    if (unit !== 10) continue;
    if (lineStart < 0) {
      if (paragraphStart >= 0) {
        push(shape.paragraphs, finish(paragraphHash), paragraphStart, paragraphEnd);
        paragraphStart = -1;
        paragraphHash = SEED;
      }
      continue;
    }
    const line = finish(lineHash);
    // A rule or a lone bullet mark may repeat.
    if ((lineKinds & (LETTER | DIGIT)) !== 0) {
      push(shape.lines, line, lineStart, lineEnd);
      if ((firstKinds & BULLET) !== 0) shape.bulletLines++;
      if ((firstKinds & (LETTER | TERMINAL)) !== 0) {
        shape.plainLines++;
        if ((lastKinds & (TERMINAL | ELLIPSIS)) !== 0) shape.terminalLines++;
        if (lineEnd - lineStart < SHORT_LINE) shape.shortLines++;
      }
      if (boilerplateLine) shape.boilerplateLines++;
    }
    if (paragraphStart < 0) paragraphStart = lineStart;
    paragraphEnd = lineEnd;
    paragraphHash = mix(paragraphHash, line);
    lineStart = -1;
    lineHash = SEED;
    lineKinds = 0;
    boilerplateLine = false;
  }
  if (paragraphStart >= 0) {
    push(shape.paragraphs, finish(paragraphHash), paragraphStart, paragraphEnd);
  }
  shape.letters = letters;
  shape.unspacedLetters = unspaced;
  return shape;
}
