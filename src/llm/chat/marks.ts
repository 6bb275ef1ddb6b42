/** The ids of a conversation's marks in one vocabulary; text never becomes one of them. */
import {
  ASSISTANT_END,
  ASSISTANT_START,
  CALL_END,
  CALL_START,
  SYSTEM_END,
  SYSTEM_START,
  TOOL_END,
  TOOL_START,
  USER_END,
  USER_START,
} from "../tokenizer/special-tokens.ts";
import { BOS, type Tokenizer } from "../tokenizer/tokenizer.ts";

export interface Marks {
  readonly bos: number;
  readonly assistantStart: number;
  readonly assistantEnd: number;
  readonly toolStart: number;
  readonly toolEnd: number;
  readonly callStart: number;
  readonly callEnd: number;
  /** First and last token of a message, by role. */
  readonly frames: Readonly<Record<Role, readonly [start: number, end: number]>>;
}

type Role = "system" | "user" | "assistant" | "tool";

/** @throws TOKENIZER when a mark is missing */
export function findMarks(tokenizer: Tokenizer): Marks {
  const id = (name: string): number => tokenizer.special(name);
  return {
    bos: id(BOS),
    assistantStart: id(ASSISTANT_START),
    assistantEnd: id(ASSISTANT_END),
    toolStart: id(TOOL_START),
    toolEnd: id(TOOL_END),
    callStart: id(CALL_START),
    callEnd: id(CALL_END),
    frames: {
      system: [id(SYSTEM_START), id(SYSTEM_END)],
      user: [id(USER_START), id(USER_END)],
      assistant: [id(ASSISTANT_START), id(ASSISTANT_END)],
      tool: [id(TOOL_START), id(TOOL_END)],
    },
  };
}
