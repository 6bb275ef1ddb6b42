/**
 * The ways in which copies of a document differ from it, and a seeded generator for them.
 */

/** Mulberry32. @returns numbers from 0 to 1 */
export function createRandom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let z = Math.imul(state ^ (state >>> 15), state | 1);
    z ^= z + Math.imul(z ^ (z >>> 7), z | 61);
    return ((z ^ (z >>> 14)) >>> 0) / 2 ** 32;
  };
}

export function pick<T>(random: () => number, from: ArrayLike<T>): T {
  return from[Math.floor(random() * from.length)] as T;
}

type Edit = (text: string, random: () => number) => string;

/** Edits that leave a near-duplicate, of documents of 100 words and more. */
export const edits: Readonly<Record<string, Edit>> = {
  "case, punctuation and spacing": (text) =>
    text.toUpperCase().replaceAll(".", " !").replaceAll(",", " -").replace(/\s+/g, "  "),
  "1 % of words replaced": replaceWords(0.01),
  "5 % of words replaced": replaceWords(0.05),
  "10 % of words replaced": replaceWords(0.1),
  "a tenth of the sentences left out": (text, random) =>
    sentences(text)
      .filter(() => random() >= 0.1)
      .join(" "),
  "two sentences swapped": (text, random) => {
    const list = sentences(text);
    const [i, j] = [random(), random()].map((x) => Math.floor(x * list.length)) as [number, number];
    [list[i], list[j]] = [list[j] as string, list[i] as string];
    return list.join(" ");
  },
  "a header and a footer": (text) =>
    `Reposted with kind permission of the author, all rights reserved.\n\n${text}\n\n` +
    "Share this page with your friends. Read more on our site every day.",
  "the first half": (text) => text.slice(0, text.indexOf(" ", text.length / 2)),
  "the last two thirds": (text) => text.slice(text.indexOf(" ", text.length / 3)),
};

function replaceWords(share: number): Edit {
  return (text, random) =>
    text.replace(/\p{L}+/gu, (word) => (random() < share ? pick(random, fillers) : word));
}

const fillers = ["table", "quickly", "seven", "north", "paper", "often", "green", "walked", "this"];

function sentences(text: string): string[] {
  return text.split(/(?<=[.!?])\s+/);
}
