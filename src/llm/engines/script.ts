/** What the scripted engine replays: steps of replies, in order or by a rule. */
import type { Message } from "../chat/conversation.ts";
import type { GenerateOptions, Input } from "../inference/engine.ts";

export type ScriptedStep =
  /** One text-delta. */
  | string
  /** The same, with what is reported of each character. */
  | { readonly text: string; readonly logprob: number }
  | { readonly call: { readonly name: string; readonly arguments: string } }
  | { readonly waitMs: number }
  | { readonly error: Error };

export type ScriptedReply = string | readonly ScriptedStep[];

/** What a rule may look at. */
export interface ScriptedPast {
  readonly inputs: readonly Input[];
  /** Of all inputs, the messages. */
  readonly messages: readonly Message[];
  readonly options: GenerateOptions;
}

/** Replies in the order in which they are asked for, or a rule that gives one. */
export type Script = readonly ScriptedReply[] | ((past: ScriptedPast) => ScriptedReply);
