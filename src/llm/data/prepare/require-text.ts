/** A corpus that can be trained on has text on both sides of the split. */
import { NutshellError } from "../../../error.ts";
import { type ManifestSource, type Side, sideTotals } from "../shards/manifest.ts";
import { LEAST_SINGLE_DOCUMENT } from "../shards/split.ts";

/** @throws DATA when nothing was kept, or nothing is left to validate on */
export function requireText(origin: string, sources: readonly ManifestSource[]): void {
  const documents = (side: Side): number =>
    sources.reduce((sum, source) => sum + sideTotals(source, side).documents, 0);
  if (documents("train") === 0) {
    throw new NutshellError(
      "DATA",
      `${origin}: a corpus must keep some text, got none after cleaning. ` +
        "Look at the verdicts (nutshell data inspect), or pass --clean off.",
    );
  }
  if (documents("validation") > 0) return;
  throw new NutshellError(
    "DATA",
    `${origin}: a corpus needs at least 2 documents, or one of ${LEAST_SINGLE_DOCUMENT} ` +
      `characters whose last tenth validates, got ${documents("train")}. Add more text.`,
  );
}
