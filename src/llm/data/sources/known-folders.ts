/**
 * The known folders of the pretraining mixture that may lie beside a checkout: what each is, under
 * which licence, and its weight. A folder of one of these names that has another one beside it is
 * taken by this table; any other is weighted by size. Weights follow the README beside them.
 */

import type { SourceSpec } from "./source.ts";

export type KnownFolder = Pick<
  SourceSpec,
  "weight" | "licence" | "language" | "domain" | "card" | "maxEpochs"
>;

const english = { language: "en", maxEpochs: undefined } as const;

export const knownFolders: Readonly<Record<string, KnownFolder>> = {
  wikipedia: {
    ...english,
    weight: 0.3,
    licence: "CC BY-SA 3.0",
    domain: "encyclopedia",
    card:
      "English Wikipedia of 2015: the beginnings of 24,634 articles and 600 whole long ones, " +
      "without lists and disambiguations.",
  },
  books: {
    ...english,
    weight: 0.15,
    licence: "public domain",
    domain: "books",
    card: "36 English novels first published from 1839 to 1915, and plays of Shakespeare.",
  },
  news_wikinews: {
    ...english,
    weight: 0.12,
    licence: "CC BY 2.5",
    domain: "news",
    card: "12,744 articles of the English Wikinews of at least 400 characters.",
  },
  textbooks_openstax: {
    ...english,
    weight: 0.1,
    licence: "CC BY 4.0",
    domain: "science",
    card:
      "598 modules of three OpenStax textbooks (college physics, psychology, history of the " +
      "United States), formulas as lines of text.",
  },
  web_digitalgov: {
    ...english,
    weight: 0.08,
    licence: "CC0",
    domain: "web",
    card: "2,457 posts of Digital.gov, a site of the United States government on public services.",
  },
  stories: {
    ...english,
    weight: 0.06,
    licence: "CDLA-Sharing-1.0, CC BY per story",
    domain: "books",
    card:
      "5,031 synthetic stories of TinyStories (half of them re-cased by a heuristic) and 694 " +
      "children's books of African Storybook and Pratham Books.",
  },
  docs_python: {
    ...english,
    weight: 0.05,
    licence: "PSF-2.0",
    domain: "code",
    card: "The documentation of Python 3.11 as reStructuredText, prose and code in turn.",
  },
  qa_medquad: {
    ...english,
    weight: 0.04,
    licence: "CC BY 4.0",
    domain: "forum",
    card: "14,067 medical questions with answers from sites of the National Institutes of Health.",
  },
  dialogue_topicalchat: {
    ...english,
    weight: 0.04,
    licence: "CDLA-Sharing-1.0",
    domain: "dialogue",
    card: "2,156 conversations of Topical-Chat between two people, about 21 turns each.",
  },
  commands_tldr: {
    ...english,
    weight: 0.03,
    licence: "CC BY 4.0",
    domain: "code",
    card: "7,425 pages of tldr: what a shell command does, with examples.",
  },
  qa_trivia: {
    ...english,
    weight: 0.03,
    licence: "CC BY-SA 4.0",
    domain: "forum",
    card: "49,679 trivia questions with their answers, written by volunteers; some are wrong.",
  },
};
