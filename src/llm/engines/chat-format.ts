/**
 * What a chat template is to an engine: how a conversation that grows becomes ids on a timeline,
 * and how ids that a model made become text and calls. A format keeps no state: what stands on the
 * timeline is given to it.
 *
 * A format that can spell messages one by one keeps all that stands there, a reply as the model
 * wrote it; one that can only render a whole conversation says up to where both are the same.
 */
import type { Message } from "../chat/conversation.ts";
import type { Constraint, ConstraintCompiler } from "../inference/constraint/constraint.ts";
import type { ToolDefinition } from "../inference/engine.ts";

/** A conversation that is to stand on the timeline, and what stands there. */
export interface ChatStep {
  /** All of them; an open turn's message is the last before those that are added. */
  readonly messages: readonly Message[];
  /** Of the messages, the last so many are new. */
  readonly added: number;
  readonly tools: readonly ToolDefinition[];
  /** They are not what was offered before. */
  readonly toolsChanged: boolean;
  /** The assistant is to speak afterwards. */
  readonly speaks: boolean;
  readonly ids: readonly number[];
  /** Index of the first id that the assistant's open turn holds; absent: no turn is open. */
  readonly openFrom: number | undefined;
}

/** What the timeline must become: its first `keep` ids, then `ids`. */
export interface Extension {
  readonly keep: number;
  readonly ids: readonly number[];
}

export type ReplyEvent =
  /** Every token of text gives one, empty where no character became whole. */
  | { readonly kind: "text"; readonly text: string }
  /** A call begins, its name is known. */
  | { readonly kind: "call"; readonly name: string }
  | { readonly kind: "arguments"; readonly text: string }
  | { readonly kind: "call-end" };

/** Reads one turn of the model; whole characters only. */
export interface ReplyReader {
  push(id: number): readonly ReplyEvent[];
  /** What is left of a text that ends inside a character. */
  end(): readonly ReplyEvent[];
}

/** How calls stand between other text. */
export interface CallFormat {
  /** The id that begins a call. */
  readonly start: number;
  /** The id that ends it; after it there are other calls or the end of the turn. */
  readonly end: number;
  /**
   * What may stand between the two: the name of one of the tools and its arguments.
   * @throws CONFIG, UNSUPPORTED for a name or schema that cannot be
   */
  constrain(tools: readonly ToolDefinition[], compiler: ConstraintCompiler): () => Constraint;
}

export interface ChatFormat {
  /** Ids that end the assistant's turn. */
  readonly ends: ReadonlySet<number>;
  /** Absent: the model cannot call tools. */
  readonly calls?: CallFormat;
  /** @throws DATA for a message that the template cannot show */
  extend(step: ChatStep): Extension;
  createReader(): ReplyReader;
}
