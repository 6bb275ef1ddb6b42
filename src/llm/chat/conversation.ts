/**
 * A conversation as plain data, whatever file or generator it came from. How it becomes tokens is
 * in `template.ts`. An assistant's turn is text, then any number of tool calls; each call is
 * answered by one `tool` message, in the order of the calls, before the assistant goes on.
 */

export interface ToolCall {
  /** Which call a result answers, where they come out of order; absent: by order. */
  readonly id?: string;
  /** A tool's name. */
  readonly name: string;
  /** JSON text of an object, as it was written. */
  readonly arguments: string;
}

export interface SystemMessage {
  readonly role: "system";
  readonly content: string;
}

export interface UserMessage {
  readonly role: "user";
  readonly content: string;
}

export interface AssistantMessage {
  readonly role: "assistant";
  readonly content: string;
  readonly toolCalls?: readonly ToolCall[];
  /** False: read, not learned from. */
  readonly train?: boolean;
}

/** The result of one call. */
export interface ToolMessage {
  readonly role: "tool";
  /** Of the call; absent: by order. */
  readonly callId?: string;
  readonly content: string;
}

export type Message = SystemMessage | UserMessage | AssistantMessage | ToolMessage;

export interface Conversation {
  readonly messages: readonly Message[];
}
