/**
 * Whether a conversation fits a row, and what is left of it: an answer is never cropped. What may
 * go is what follows the last learned token, since nothing is learned from it.
 */
import type { Rendered } from "../chat/template.ts";

/** Why a conversation is left out. */
export type Misfit = "nothing to learn" | "longer than a row";

export interface Fitted {
  readonly rendered: Rendered;
  /** Whether an end without learned tokens was cut off. */
  readonly cut: boolean;
}

/** @param rowTokens T + 1 */
export function fitConversation(rendered: Rendered, rowTokens: number): Fitted | Misfit {
  const { ids, mask } = rendered;
  const needed = mask.lastIndexOf(1) + 1;
  // The first token is nobody's target.
  if (needed < 2) return "nothing to learn";
  if (ids.length <= rowTokens) return { rendered, cut: false };
  if (needed > rowTokens) return "longer than a row";
  const kept = { ids: ids.slice(0, needed), mask: mask.slice(0, needed) };
  return { rendered: kept, cut: true };
}
