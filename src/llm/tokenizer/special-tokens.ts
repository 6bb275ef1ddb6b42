/**
 * Tokens that text can never contain: the start of a document and the marks of a conversation. A
 * tokenizer has them from its first day, so that a model's table need not grow when it becomes an
 * assistant. How they are put together: `../chat/template.ts`.
 */
import { BOS } from "./tokenizer.ts";

export const SYSTEM_START = "<|system_start|>";
export const SYSTEM_END = "<|system_end|>";
export const USER_START = "<|user_start|>";
export const USER_END = "<|user_end|>";
export const ASSISTANT_START = "<|assistant_start|>";
export const ASSISTANT_END = "<|assistant_end|>";
/** What a tool answered. */
export const TOOL_START = "<|tool_start|>";
export const TOOL_END = "<|tool_end|>";
/** A call of a tool, inside an assistant's turn. */
export const CALL_START = "<|call_start|>";
export const CALL_END = "<|call_end|>";

/** In id order, after the merges. */
export const specialTokens: readonly string[] = [
  BOS,
  SYSTEM_START,
  SYSTEM_END,
  USER_START,
  USER_END,
  ASSISTANT_START,
  ASSISTANT_END,
  TOOL_START,
  TOOL_END,
  CALL_START,
  CALL_END,
];
