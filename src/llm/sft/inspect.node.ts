/** The first conversations of each source, rendered, with what training would do to them. */
import { NutshellError } from "../../error.ts";
import { suggestName } from "../../nearest-name.ts";
import type { Conversation } from "../chat/conversation.ts";
import { type Rendered, renderConversation } from "../chat/template.ts";
import { createRowCounts } from "../tasks/row-counts.ts";
import type { Tokenizer } from "../tokenizer/tokenizer.ts";
import { fitConversation } from "./fit.ts";
import { findSupplies, type SourceQuery } from "./sources.node.ts";
import type { Supply } from "./supply.ts";

export interface InspectQuery extends SourceQuery {
  /** Only this source; absent = all. */
  readonly task: string | undefined;
  /** Of each source. */
  readonly n: number;
  readonly seed: number;
}

export interface Inspected {
  readonly source: string;
  /** From 0, in the order of the source. */
  readonly index: number;
  readonly conversation: Conversation;
  readonly rendered: Rendered;
  /** "trained", "held out", or why it is cut or left out. */
  readonly verdict: string;
}

/** @param sequenceLen T; absent = rows of any length  @throws DATA, CONFIG, TOKENIZER */
export async function drawConversations(
  query: InspectQuery,
  tokenizer: Tokenizer,
  sequenceLen: number | undefined,
  signal: AbortSignal,
): Promise<Inspected[]> {
  const rowTokens = sequenceLen === undefined ? Infinity : sequenceLen + 1;
  const { n, seed } = query;
  const found: Inspected[] = [];
  for (const supply of chooseSupplies(query)) {
    let index = 0;
    for await (const { conversation, split } of firstOf(supply, seed)) {
      signal.throwIfAborted();
      const rendered = renderConversation(conversation, tokenizer);
      const fitted = fitConversation(rendered, rowTokens);
      const kept = split === "test" ? "held out" : "trained";
      const cut = typeof fitted !== "string" && fitted.cut ? ", cut after the last answer" : "";
      const verdict = typeof fitted === "string" ? `left out: ${fitted}` : `${kept}${cut}`;
      found.push({ source: supply.name, index, conversation, rendered, verdict });
      if (++index === n) break;
    }
  }
  return found;
}

/** @throws CONFIG for a name that is not there */
function chooseSupplies({ task, ...query }: InspectQuery): Supply[] {
  const all = findSupplies(query);
  const chosen = task === undefined ? all : all.filter(({ name }) => name === task);
  if (chosen.length > 0 || task === undefined) return chosen;
  const hint = suggestName(
    task,
    all.map(({ name }) => name),
  );
  throw new NutshellError("CONFIG", `sft inspect: no task or source named "${task}". ${hint}`);
}

async function* firstOf(
  { make, read }: Supply,
  seed: number,
): AsyncGenerator<{ conversation: Conversation; split: "train" | "test" }> {
  if (read !== undefined) yield* read(createRowCounts());
  for (let i = 0; make !== undefined; i++)
    yield { conversation: make(i, "train", seed), split: "train" };
}
