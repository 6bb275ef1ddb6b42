/**
 * A source of conversations or of rankings: what it is, under which licence, and how to read it
 * again and again from its start in bounded memory.
 */
import type { Conversation } from "../chat/conversation.ts";
import type { RankedPrompt } from "./ranking.ts";
import type { RowCounts } from "./row-counts.ts";

export interface TextSource<T> {
  readonly name: string;
  readonly licence: string;
  /** One or two sentences: what it is and where it comes from. */
  readonly card: string;
  /** `test`: kept for evaluation, never trained on. */
  readonly use: "train" | "test";
  /**
   * @param counts is added to while rows are read
   * @throws DATA naming file and line for a row that has no known shape
   */
  read(counts: RowCounts): AsyncGenerator<T>;
}

export interface ConversationSource extends TextSource<Conversation> {
  /** Share of a mixture, relative to the other sources. */
  readonly weight: number;
}

export type RankingSource = TextSource<RankedPrompt>;
