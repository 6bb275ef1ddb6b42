/**
 * Rankings from a JSONL file (gzip or not), one at a time. Ties and rows that say nothing are left
 * out and counted under their reason; what is no ranking at all stops the reading.
 */
import type { Message } from "../chat/conversation.ts";
import { badFile, oneLine } from "../data/sources/file-error.node.ts";
import { readJsonRows } from "./json-rows.node.ts";
import { checkRanking, type RankedPrompt } from "./ranking.ts";
import { convertRanking, KNOWN_RANKINGS } from "./ranking-shapes.ts";
import { countDropped, type RowCounts } from "./row-counts.ts";
import { tidyMessages } from "./tidy-messages.ts";

/** @throws DATA naming file and line for a row of no known shape, or whose ranking is not one */
export async function* readRankings(path: string, counts: RowCounts): AsyncGenerator<RankedPrompt> {
  for await (const { row, line } of readJsonRows(path)) {
    const converted = convertRanking(row);
    if (converted === undefined) {
      const got = `keys ${oneLine(Object.keys(row).join(", "), 80) || "none"}`;
      const rule = `a row must have ${KNOWN_RANKINGS}`;
      throw badFile(`${path}:${line}`, rule, got, "Rename its fields.");
    }
    counts.rows++;
    const ranked = typeof converted === "string" ? converted : tidyRanking(converted);
    if (typeof ranked === "string") countDropped(counts, ranked);
    else {
      checkRanking(ranked, `${path}:${line}`);
      counts.kept++;
      yield ranked;
    }
  }
}

/** A prompt is in order when an answer to it makes a conversation. */
function tidyRanking(ranked: RankedPrompt): RankedPrompt | string {
  if (ranked.responses.some((text) => text.trim() === "")) return "an empty answer";
  const answer: Message = { role: "assistant", content: "an answer" };
  const messages = tidyMessages([...ranked.prompt, answer]);
  return typeof messages === "string" ? messages : { ...ranked, prompt: messages.slice(0, -1) };
}
