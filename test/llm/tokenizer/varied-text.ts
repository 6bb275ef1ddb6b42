/**
 * Text of every kind that a tokenizer meets, for tests against other implementations: files of the
 * checkout and of the installed packages, and a seeded generator per kind that files lack. Needs
 * nothing but the checkout with its packages; same seed, same text.
 */

import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { philox } from "../../../src/compute/philox.ts";
import { readFactbook } from "../../../src/llm/data/builtin/factbook.node.ts";
import { readWordnet } from "../../../src/llm/data/builtin/wordnet.node.ts";

export interface VariedText {
  readonly kind: string;
  readonly text: string;
}

/** Whole numbers in [0, below). */
export type Dice = (below: number) => number;

const ROOT = join(import.meta.dirname, "../../..");

export function createDice(seed: number): Dice {
  let block = 0;
  let words: number[] = [];
  return (below) => {
    if (words.length === 0) words = philox([block++, 0, 0, 0], [seed, 0]);
    return (words.pop() as number) % below;
  };
}

const pick = <T>(dice: Dice, list: ArrayLike<T>): T => list[dice(list.length)] as T;

/** `count` results of `make`, joined. */
function many(count: number, make: () => string): string {
  return Array.from({ length: count }, make).join("");
}

/** A code point in [low, high]; surrogates, which no text holds alone, become U+FFFD. */
function between(dice: Dice, low: number, high: number): string {
  return String.fromCodePoint(low + dice(high - low + 1)).toWellFormed();
}

const LATIN = "etaoinshrdlucmfwypvbgkqjxz";
const latinWord = (dice: Dice): string => many(1 + dice(10), () => pick(dice, LATIN));
const upperSome = (dice: Dice, word: string): string =>
  many(1, () => pick(dice, [word, word.toUpperCase(), word[0]?.toUpperCase() + word.slice(1)]));

const SPACES = [" ", "  ", "\t", "\u00a0", "\u3000", "\u2003", "\u200b", "\u2028", "\u1680", "\v"];
const NEWLINES = ["\n", "\r\n", "\r", "\n\n", "\n\r", " \n", "\n ", "\t\r\n", "\f", "\u2029"];
const DIGITS = [0x30, 0x660, 0x966, 0xff10, 0x1d7ce];
const NUMBERS = [
  "½",
  "Ⅷ",
  "㊷",
  "²",
  "٣",
  "𝟡",
  "1e-9",
  "0x7fff",
  "3.14159",
  "1,000,000",
  "2024-02-29",
];
const ENDINGS = ["s", "t", "re", "ve", "m", "ll", "d", "S", "T", "RE", "Ve", "vE", "M", "lL", "D"];
const SKIN = ["\u{1f3fb}", "\u{1f3fc}", "\u{1f3fd}", "\u{1f3fe}", "\u{1f3ff}"];
const PEOPLE = ["👩", "👨", "🧑", "👧", "👦", "👍", "🤝", "✋"];
const JOINED = ["👩‍👩‍👧‍👦", "🏳️‍🌈", "❤️‍🔥", "👩‍🚀", "1️⃣", "#️⃣", "🧑🏽‍❤️‍💋‍🧑🏿", "🏴󠁧󠁢󠁳󠁣󠁴󠁿", "☺️", "©️"];
/** First and last code point of what one writes in these scripts, marks included. */
const RIGHT_TO_LEFT = [
  [0x5d0, 0x5ea],
  [0x591, 0x5f4],
  [0x621, 0x64a],
  [0x621, 0x65f],
  [0x6c0, 0x6ff],
  [0x710, 0x74a],
] as const;
const CJK = [
  [0x4e00, 0x9fff],
  [0x4e00, 0x5fff],
  [0x3041, 0x3096],
  [0x30a1, 0x30fa],
  [0xac00, 0xd7a3],
  [0x20000, 0x2a6df],
] as const;
const MARKED = [
  [0x900, 0x97f],
  [0xb80, 0xbff],
  [0xe01, 0xe5b],
  [0x1000, 0x109f],
  [0x61, 0x7a],
  [0xc0, 0x24f],
  [0x1e00, 0x1eff],
] as const;

const flag = (dice: Dice): string => many(2, () => between(dice, 0x1f1e6, 0x1f1ff));

/** A run of one script and what separates it from the next. */
function script(dice: Dice, ranges: readonly (readonly [number, number])[], gaps: string): string {
  const [low, high] = pick(dice, ranges);
  return (
    many(1 + dice(9), () => between(dice, low, high)) + (dice(3) === 0 ? pick(dice, gaps) : " ")
  );
}

function emoji(dice: Dice): string {
  const kinds = [
    () => between(dice, 0x1f300, 0x1faff),
    () => pick(dice, PEOPLE) + pick(dice, SKIN),
    () => pick(dice, JOINED),
    () => flag(dice),
    () => pick(dice, [" ", " ", "\u200d", "\ufe0f", latinWord(dice)]),
  ];
  return pick(dice, kinds)();
}

/** Bytes that are UTF-8 only in parts, read as every decoder reads them. */
function broken(dice: Dice): string {
  const good = Buffer.from(`${latinWord(dice)} é 日本 😀 ${latinWord(dice)}`);
  const bytes = dice(2) === 0 ? good : Buffer.from(Array.from({ length: 24 }, () => dice(256)));
  bytes[dice(bytes.length)] = dice(256);
  return bytes.subarray(0, dice(bytes.length) + 1).toString("utf8");
}

const whiteSpace = (dice: Dice): string => {
  const [unit, other] = [
    pick(dice, [...SPACES, ...NEWLINES]),
    pick(dice, [...SPACES, ...NEWLINES]),
  ];
  const long = dice(60) === 0 ? 300 : 12;
  const mixed = many(dice(6), () => pick(dice, [unit, other]));
  return unit.repeat(dice(long)) + mixed + pick(dice, ["", "x", "7", ".", "é", "日", "'s"]);
};

const number = (dice: Dice): string => {
  const zero = pick(dice, DIGITS);
  const run = many(1 + dice(dice(50) === 0 ? 120 : 9), () => between(dice, zero, zero + 9));
  return (
    pick(dice, [run, run, pick(dice, NUMBERS)]) +
    pick(dice, [" ", "", ".", ",", "%", "-", "/", "a"])
  );
};

const contraction = (dice: Dice): string =>
  upperSome(dice, latinWord(dice)) +
  pick(dice, ["'", "'", "’", "''", " '", "`"]) +
  pick(dice, ENDINGS) +
  pick(dice, [" ", "", "a", "'", "1", "é", "\n"]);

const punctuated = (dice: Dice): string =>
  pick(dice, ["", " ", "  ", "_", "$"]) +
  many(dice(9), () => between(dice, 0x21, 0x2f)) +
  upperSome(dice, latinWord(dice)) +
  many(dice(3), () => pick(dice, "{}[]();:,.<>=!&|^~*+-\n\r"));

const stacked = (dice: Dice): string => {
  const [low, high] = pick(dice, MARKED);
  const letter = (): string =>
    between(dice, low, high) + many(dice(4), () => between(dice, 0x300, 0x36f));
  return many(1 + dice(8), letter) + pick(dice, [" ", "\u200c", "\u0301 ", "\n"]);
};

/** Every fourth draw a neighbour pair from anywhere, else a run inside one block of 256. */
const anywhere = (dice: Dice): string => {
  const block = dice(dice(3) === 0 ? 0x1100 : 0x100) << 8;
  return (
    many(1 + dice(12), () => between(dice, block, block + 255)) +
    pick(dice, ["", " ", "\n", "a", "1"])
  );
};

interface Kind {
  readonly kind: string;
  readonly bytes: number;
  readonly make: (dice: Dice) => string;
}

/** Other implementations are slow, some quadratic in the length of a word: sizes are modest. */
const kinds: readonly Kind[] = [
  { kind: "numbers", bytes: 140_000, make: number },
  { kind: "cjk", bytes: 180_000, make: (dice) => script(dice, CJK, "。、，！？「」\u3000a1") },
  {
    kind: "right-to-left",
    bytes: 180_000,
    make: (dice) => script(dice, RIGHT_TO_LEFT, "،؟\u200f\u202b.1"),
  },
  { kind: "emoji", bytes: 100_000, make: emoji },
  { kind: "broken UTF-8", bytes: 150_000, make: broken },
  {
    kind: "control characters",
    bytes: 80_000,
    make: (dice) =>
      between(dice, 0, 0x1f) + between(dice, 0x7e, 0xa0) + pick(dice, ["a", "", " ", "'ll"]),
  },
  { kind: "white space", bytes: 100_000, make: whiteSpace },
  {
    kind: "line breaks",
    bytes: 100_000,
    make: (dice) => latinWord(dice) + many(1 + dice(4), () => pick(dice, NEWLINES)),
  },
  { kind: "combining marks", bytes: 150_000, make: stacked },
  { kind: "any code point", bytes: 180_000, make: anywhere },
  { kind: "contractions", bytes: 150_000, make: contraction },
  { kind: "punctuation", bytes: 180_000, make: punctuated },
  {
    kind: "long words",
    bytes: 15_000,
    make: (dice) => many(100 + dice(200), () => pick(dice, LATIN)) + pick(dice, " \n0"),
  },
];

/** Documents of about 20 kB, so that beginnings and ends are tried too. */
const DOCUMENT = 20_000;

function generate({ kind, bytes, make }: Kind, dice: Dice): VariedText[] {
  const texts: VariedText[] = [];
  for (let left = bytes; left > 0; ) {
    let text = "";
    for (let size = 0; size < DOCUMENT; ) {
      const part = make(dice);
      text += part;
      size += Buffer.byteLength(part);
    }
    texts.push({ kind, text });
    left -= Buffer.byteLength(text);
  }
  return texts;
}

/**
 * Every code point of the basic plane once, and every 16th of the others, in order: a neighbour is
 * of the same script. A blank after 24 keeps the words short.
 */
function everyBlock(): VariedText[] {
  const texts: VariedText[] = [];
  let text = "";
  for (let point = 0, n = 1; point <= 0x10ffff; point += point < 0x10000 ? 1 : 16, n++) {
    text += String.fromCodePoint(point).toWellFormed() + (n % 24 === 0 ? " " : "");
    if (n % 4096 !== 0) continue;
    texts.push({ kind: "all blocks", text });
    text = "";
  }
  return [...texts, { kind: "all blocks", text }];
}

/** Files in name order up to `bytes`, long ones cut. */
function files(kind: string, pattern: string, bytes: number): VariedText[] {
  const texts: VariedText[] = [];
  let left = bytes;
  for (const file of globSync(pattern, { cwd: ROOT }).sort()) {
    if (left <= 0) break;
    const text = readFileSync(join(ROOT, file), "utf8").slice(0, 60_000);
    texts.push({ kind, text });
    left -= Buffer.byteLength(text);
  }
  return texts;
}

/** Every n-th of `documents`, so that about `bytes` remain. */
function thinned(
  kind: string,
  documents: readonly { text: string }[],
  bytes: number,
): VariedText[] {
  const total = documents.reduce((sum, { text }) => sum + text.length, 0);
  const step = Math.max(1, Math.floor(total / bytes));
  return documents.filter((_, i) => i % step === 0).map(({ text }) => ({ kind, text }));
}

const PACKAGES = "node_modules/{@types/node,fast-check,koffi,typescript,@huggingface/tokenizers}";

/** About 1.5 MB of the kinds that files lack. */
export function syntheticTexts(seed: number): VariedText[] {
  const dice = createDice(seed);
  return kinds.flatMap((kind) => generate(kind, dice));
}

/** At least 5 MB in documents of a few bytes to 80 kB. */
export function variedTexts(seed: number): VariedText[] {
  return [
    ...files("code", "{src,test,bench,runs}/**/*.{ts,h,py}", 900_000),
    ...files("code", `${PACKAGES}/**/*.{d.ts,mjs,js}`, 800_000),
    ...files("documentation", "{docs,node_modules/*}/*.md", 500_000),
    ...thinned("dictionary", readWordnet(), 500_000),
    ...thinned("country profiles", readFactbook(), 400_000),
    ...everyBlock(),
    ...syntheticTexts(seed),
  ];
}
