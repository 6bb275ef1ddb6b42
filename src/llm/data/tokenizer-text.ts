/**
 * The text that a tokenizer is trained on: training documents of a mixture, in the proportions of
 * its weights, up to a byte budget.
 */

import type { Source } from "./document.ts";
import { thinMixture } from "./thin.ts";

/** @returns texts of about `maxBytes` in all, or everything there is */
export function tokenizerText(sources: readonly Source[], maxBytes: number): string[] {
  return thinMixture(sources, maxBytes).flatMap(({ train }) => train.map(({ text }) => text));
}
