/**
 * The quality rules, one row each: what is measured, the limit, which domains it means something
 * for. A document is dropped by the first row that it breaks. Limits are those of the papers;
 * where one had to give way for a domain, the row says so.
 *
 * Rae et al. 2021 (Gopher, table A1), Raffel et al. 2020 (C4, section 2.2), Penedo et al. 2024
 * (FineWeb, section 3.6). They describe English web pages: Q&A lines, command pages, verse and
 * code are none, so most rows do not apply to them.
 */
import type { Domain } from "../sources/source.ts";
import {
  type Repetition,
  repeatedGrams,
  repeatedRunChars,
  repeatedRuns,
  topGram,
} from "./repetition.ts";
import type { TextShape } from "./text-shape.ts";

export interface QualityRule {
  readonly name: string;
  readonly doc: string;
  readonly from: "Gopher" | "C4" | "FineWeb" | "Nutshell";
  readonly domains: readonly Domain[];
  readonly drops: "above" | "below";
  readonly limit: number;
  /** `words`: only for scripts with spaces; `english`: only where the source says so. */
  readonly needs?: "words" | "english";
  /** A share of fewer words than this says nothing. */
  readonly leastWords?: number;
  measure(shape: TextShape): number | Repetition;
}

/** What a rule found: the value that broke the limit and, where there is one, its place. */
export interface BrokenRule {
  readonly rule: QualityRule;
  readonly value: number;
  /** UTF-16 offsets [start, end). */
  readonly span: readonly [start: number, end: number] | undefined;
}

const web: readonly Domain[] = ["web"];
const articles: readonly Domain[] = ["web", "news", "encyclopedia"];
const taught: readonly Domain[] = [...articles, "science"];
const prose: readonly Domain[] = [...taught, "books"];
const speech: readonly Domain[] = [...prose, "forum", "dialogue"];
const written: readonly Domain[] = [...speech, "other"];
const everything: readonly Domain[] = [...written, "code"];

/** Gopher looks at documents of 50 words and more; its shares mean little below. */
const LEAST_WORDS = 50;

const share = (part: number, whole: number): number => (whole === 0 ? 0 : part / whole);

/** Place of `length` characters from `start`, as a repetition that has no share. */
const found = (start: number, length: number): Repetition => ({
  share: start < 0 ? 0 : 1,
  start,
  end: start + length,
});

const bits = (mask: number): number => mask.toString(2).replaceAll("0", "").length;

export const qualityRules: readonly QualityRule[] = [
  {
    name: "empty",
    doc: "no word at all",
    from: "Nutshell",
    domains: everything,
    drops: "below",
    limit: 1,
    measure: ({ words }) => words,
  },
  {
    name: "gopher-few-words",
    doc: "words",
    from: "Gopher",
    domains: web,
    drops: "below",
    limit: LEAST_WORDS,
    needs: "words",
    measure: ({ words }) => words,
  },
  {
    name: "gopher-many-words",
    doc: "words; books are longer",
    from: "Gopher",
    domains: [...articles, "forum", "dialogue"],
    drops: "above",
    limit: 100_000,
    needs: "words",
    measure: ({ words }) => words,
  },
  {
    name: "gopher-short-words",
    doc: "mean characters a word",
    from: "Gopher",
    domains: written,
    drops: "below",
    limit: 3,
    needs: "words",
    leastWords: LEAST_WORDS,
    measure: ({ wordChars, words }) => share(wordChars, words),
  },
  {
    name: "gopher-long-words",
    doc: "mean characters a word",
    from: "Gopher",
    domains: written,
    drops: "above",
    limit: 10,
    needs: "words",
    leastWords: LEAST_WORDS,
    measure: ({ wordChars, words }) => share(wordChars, words),
  },
  {
    name: "gopher-symbols",
    doc: "number signs and ellipses a word",
    from: "Gopher",
    domains: [...taught, "forum", "dialogue"],
    drops: "above",
    limit: 0.1,
    leastWords: LEAST_WORDS,
    measure: ({ symbols, words }) => share(symbols, words),
  },
  {
    name: "gopher-bullets",
    doc: "share of lines that begin with a bullet",
    from: "Gopher",
    domains: prose,
    drops: "above",
    limit: 0.9,
    leastWords: LEAST_WORDS,
    measure: ({ bulletLines, lines }) => share(bulletLines, lines.count),
  },
  {
    name: "gopher-ellipses",
    doc: "share of lines that end in an ellipsis",
    from: "Gopher",
    domains: taught,
    drops: "above",
    limit: 0.3,
    leastWords: LEAST_WORDS,
    measure: ({ ellipsisLines, lines }) => share(ellipsisLines, lines.count),
  },
  {
    name: "gopher-letters",
    doc: "share of words with a letter",
    from: "Gopher",
    domains: [...articles, "books", "dialogue"],
    drops: "below",
    limit: 0.8,
    needs: "words",
    leastWords: LEAST_WORDS,
    measure: ({ alphabeticWords, words }) => share(alphabeticWords, words),
  },
  {
    name: "numbers",
    doc: "share of words with a letter; formulas and tables have fewer than prose",
    from: "Nutshell",
    domains: ["science", "forum", "other"],
    drops: "below",
    limit: 0.4,
    needs: "words",
    leastWords: LEAST_WORDS,
    measure: ({ alphabeticWords, words }) => share(alphabeticWords, words),
  },
  {
    name: "gopher-stop-words",
    doc: "how many of the, be, to, of, and, that, have, with occur",
    from: "Gopher",
    domains: prose,
    drops: "below",
    limit: 2,
    needs: "english",
    leastWords: 2 * LEAST_WORDS,
    measure: ({ stopWordBits }) => bits(stopWordBits),
  },
  {
    name: "c4-lorem-ipsum",
    doc: "filler text; an encyclopedia has an article about it",
    from: "C4",
    domains: written.filter((domain) => domain !== "encyclopedia"),
    drops: "above",
    limit: 0,
    measure: ({ loremIpsum }) => found(loremIpsum, 11),
  },
  {
    name: "c4-curly-brace",
    doc: "opening braces a word, as in a script (C4: none at all; articles on software have some)",
    from: "C4",
    domains: articles,
    drops: "above",
    limit: 0.02,
    measure: ({ braces, words, firstBrace }) => ({
      share: share(braces, words),
      start: firstBrace,
      end: firstBrace + 1,
    }),
  },
  {
    name: "c4-sentences",
    doc: "words that end a sentence",
    from: "C4",
    domains: web,
    drops: "below",
    limit: 3,
    measure: ({ sentences }) => sentences,
  },
  {
    name: "c4-boilerplate",
    doc: "share of lines on JavaScript, cookies and policies (C4 takes out the lines)",
    from: "C4",
    domains: ["web", "news", "forum"],
    drops: "above",
    limit: 0.3,
    measure: ({ boilerplateLines, lines }) => share(boilerplateLines, lines.count),
  },
  {
    name: "fineweb-line-ends",
    doc: "share of plain lines that end like a sentence; headings and lists are not counted",
    from: "FineWeb",
    domains: web,
    drops: "below",
    limit: 0.12,
    measure: ({ terminalLines, plainLines }) => share(terminalLines, plainLines),
  },
  {
    name: "fineweb-short-lines",
    doc: "share of plain lines under 30 characters",
    from: "FineWeb",
    domains: web,
    drops: "above",
    limit: 0.67,
    measure: ({ shortLines, plainLines }) => share(shortLines, plainLines),
  },
  {
    name: "fineweb-repeated-lines",
    doc: "share of characters in lines that were there before",
    from: "FineWeb",
    domains: web,
    drops: "above",
    limit: 0.1,
    measure: ({ lines, chars }) => repeatedRunChars(lines, chars),
  },
  ...repetitionRules(),
];

/** Gopher's repetition rules; verse, refrains and stage directions repeat their lines rightly. */
function repetitionRules(): QualityRule[] {
  const common = { from: "Gopher", drops: "above", leastWords: LEAST_WORDS } as const;
  const rows: QualityRule[] = [
    {
      name: "gopher-repeated-lines",
      doc: "share of lines that were there before",
      domains: articles,
      limit: 0.3,
      measure: (shape) => repeatedRuns(shape.lines),
      ...common,
    },
    {
      name: "gopher-repeated-paragraphs",
      doc: "share of paragraphs that were there before",
      domains: articles,
      limit: 0.3,
      measure: (shape) => repeatedRuns(shape.paragraphs),
      ...common,
    },
    {
      name: "gopher-repeated-line-characters",
      doc: "share of characters in lines that were there before",
      domains: articles,
      limit: 0.2,
      measure: (shape) => repeatedRunChars(shape.lines, shape.chars),
      ...common,
    },
    {
      name: "gopher-repeated-paragraph-characters",
      doc: "share of characters in paragraphs that were there before",
      domains: articles,
      limit: 0.2,
      measure: (shape) => repeatedRunChars(shape.paragraphs, shape.chars),
      ...common,
    },
  ];
  for (const [n, limit] of [0.2, 0.18, 0.16].entries()) {
    rows.push({
      name: `gopher-top-${n + 2}-gram`,
      doc: `share of characters in the most frequent run of ${n + 2} words`,
      domains: articles,
      limit,
      measure: (shape) => topGram(shape, n + 2),
      ...common,
    });
  }
  for (const [n, limit] of [0.15, 0.14, 0.13, 0.12, 0.11, 0.1].entries()) {
    rows.push({
      name: `gopher-repeated-${n + 5}-grams`,
      doc: `share of characters in runs of ${n + 5} words that were there before`,
      domains: articles,
      limit,
      measure: (shape) => repeatedGrams(shape, n + 5),
      ...common,
    });
  }
  rows.push({
    name: "repeats",
    doc: "share of characters in runs of 5 words that were there before; refrains reach a half",
    domains: ["science", "books", "forum", "dialogue", "other", "code"],
    limit: 0.75,
    measure: (shape) => repeatedGrams(shape, 5),
    ...common,
    from: "Nutshell",
  });
  return rows;
}

const rulesOf = new Map<Domain, readonly QualityRule[]>(
  everything.map((domain) => [
    domain,
    qualityRules.filter(({ domains }) => domains.includes(domain)),
  ]),
);

/** Letters of unspaced scripts from which on the counts of words mean nothing. */
const UNSPACED_SHARE = 0.2;

/**
 * @param language of the source, ISO 639-1; undefined: not stated
 * @returns the first rule that the text breaks
 */
export function firstBrokenRule(
  shape: TextShape,
  domain: Domain,
  language: string | undefined,
): BrokenRule | undefined {
  const spaced = share(shape.unspacedLetters, shape.letters) < UNSPACED_SHARE;
  for (const rule of rulesOf.get(domain) ?? []) {
    if (rule.leastWords !== undefined && shape.words < rule.leastWords) continue;
    if (rule.needs === "words" && !spaced) continue;
    if (rule.needs === "english" && language !== "en") continue;
    const measured = rule.measure(shape);
    const value = typeof measured === "number" ? measured : measured.share;
    if (rule.drops === "above" ? value <= rule.limit : value >= rule.limit) continue;
    const place = typeof measured === "number" ? undefined : measured;
    return { rule, value, span: place && ([place.start, place.end] as const) };
  }
  return undefined;
}
