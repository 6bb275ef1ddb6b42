/** Tokens that were put onto a timeline and made on it, added up. */
import type { Usage } from "../inference/engine.ts";

export const NO_USAGE: Usage = {
  promptTokens: 0,
  cachedTokens: 0,
  completionTokens: 0,
  draftTokens: 0,
};

export function addUsage(a: Usage, b: Usage): Usage {
  return {
    promptTokens: a.promptTokens + b.promptTokens,
    cachedTokens: a.cachedTokens + b.cachedTokens,
    completionTokens: a.completionTokens + b.completionTokens,
    draftTokens: a.draftTokens + b.draftTokens,
  };
}
