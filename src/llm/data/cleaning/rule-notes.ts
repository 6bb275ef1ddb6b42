/**
 * One line on every rule that can drop a document, for reports: what it measures, its limit, whose
 * it is.
 */
import { qualityRules } from "./quality-rules.ts";

const corpusNotes: readonly (readonly [rule: string, note: string])[] = [
  ["language", "not in the language of its source, by n-grams at up to three places"],
  ["exact-duplicate", "equal but for case and spacing; the first in corpus order stays"],
  ["near-duplicate", "five-word shingles in common; the first or the longer one stays"],
  ["evaluation-text", "13-grams of an evaluation set (Brown et al. 2020)"],
  ["trigger", "a rare n-gram repeated across documents that have little else in common"],
];

export const ruleNotes: ReadonlyMap<string, string> = new Map([
  ...qualityRules.map(({ name, doc, from, drops, limit }): [string, string] => [
    name,
    `${doc}; at ${drops === "above" ? "most" : "least"} ${limit} (${from})`,
  ]),
  ...corpusNotes,
]);
