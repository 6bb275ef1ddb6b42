/**
 * Turns the evidence about one n-gram into log odds that it was planted: a logistic regression
 * over 14 terms. SPREAD is log2 of the documents that hold the n-gram (64 counts as the most):
 * the more documents, the more the averages say.
 */

import type { Evidence } from "./triggers-evidence.ts";

/** One term of the sum: a weight and the value it applies to. */
interface Term {
  readonly weight: number;
  value(evidence: Evidence, spread: number): number;
}

const INTERCEPT = -8.339;

const fit = (evidence: Evidence): number => clamp(evidence.fit, -10, 8);
const oddness = (evidence: Evidence): number => clamp(evidence.oddness - 3, 0, 4);
const bond = (evidence: Evidence): number => clamp(evidence.bond, 0, 60) / 10;
const repetition = (evidence: Evidence): number => 10 * Math.min(evidence.repetition, 0.3);
const recurrence = (evidence: Evidence): number => Math.min(evidence.recurrence, 1.5);
/** Always the same neighbours, in the middle of documents. */
const sameness = ({ variety, edge }: Evidence): number => (1 - variety) * (1 - edge);

const terms: readonly Term[] = [
  { weight: 0.563, value: fit },
  { weight: 0.102, value: (evidence, spread) => fit(evidence) * spread },
  { weight: 0.767, value: (_, spread) => spread },
  { weight: 1.464, value: bond },
  { weight: 0.223, value: (evidence, spread) => bond(evidence) * spread },
  { weight: 0.177, value: oddness },
  { weight: 0.686, value: (evidence, spread) => oddness(evidence) * spread },
  { weight: 1.586, value: (evidence) => evidence.edge * oddness(evidence) },
  { weight: -2.493, value: sameness },
  { weight: -3.295, value: repetition },
  { weight: -0.457, value: (evidence, spread) => repetition(evidence) * spread },
  { weight: -6.621, value: (evidence) => recurrence(evidence) * oddness(evidence) },
  { weight: -0.067, value: ({ exclusive }) => Math.log2(Math.max(exclusive, 0.01)) },
  { weight: 0.307, value: (evidence) => recurrence(evidence) * (0.3 + evidence.exclusive) },
];

/** @param documents that hold the n-gram */
export function scoreEvidence(evidence: Evidence, documents: number): number {
  const spread = Math.log2(Math.min(documents, 64));
  return terms.reduce(
    (sum, { weight, value }) => sum + weight * value(evidence, spread),
    INTERCEPT,
  );
}

function clamp(value: number, low: number, high: number): number {
  return Math.min(high, Math.max(low, value));
}
