/**
 * Conversations from a JSONL file (gzip or not), one at a time. What cannot be learned from is left
 * out and counted under its reason; what is no conversation at all stops the reading.
 */
import type { Conversation } from "../chat/conversation.ts";
import { badFile, oneLine } from "../data/sources/file-error.node.ts";
import { type Converted, convertRow, KNOWN_SHAPES } from "./conversation-shapes.ts";
import { type Row, readJsonRows } from "./json-rows.node.ts";
import { countDropped, type RowCounts } from "./row-counts.ts";
import { tidyMessages } from "./tidy-messages.ts";

/**
 * @param convert reads rows of a shape of their own
 * @throws DATA naming file and line for a row that has no known shape
 */
export async function* readConversations(
  path: string,
  counts: RowCounts,
  convert: (row: Row) => Converted = convertRow,
): AsyncGenerator<Conversation> {
  for await (const { row, line } of readJsonRows(path)) {
    const converted = convert(row);
    if (converted === undefined) throw withoutShape(path, line, row);
    counts.rows++;
    const messages = typeof converted === "string" ? converted : tidyMessages(converted);
    if (typeof messages === "string") countDropped(counts, messages);
    else {
      counts.kept++;
      yield { messages };
    }
  }
}

function withoutShape(path: string, line: number, row: Row): Error {
  const got = `keys ${oneLine(Object.keys(row).join(", "), 80) || "none"}`;
  return badFile(`${path}:${line}`, `a row must have ${KNOWN_SHAPES}`, got, "Rename its fields.");
}
