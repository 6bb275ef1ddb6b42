/** What the page sends to the server and gets back: the part of OpenAI's wire that it uses. */

export interface WireCall {
  readonly id: string;
  readonly type: "function";
  readonly function: { readonly name: string; readonly arguments: string };
}

export type WireMessage =
  | { readonly role: "system" | "user"; readonly content: string }
  | {
      readonly role: "assistant";
      readonly content: string;
      readonly tool_calls?: readonly WireCall[];
    }
  | { readonly role: "tool"; readonly tool_call_id: string; readonly content: string };

export interface WireCandidate {
  readonly token: string;
  readonly logprob: number;
  /** UTF-8; null for a token that is no text. */
  readonly bytes: readonly number[] | null;
}

export interface WireToken extends WireCandidate {
  readonly top_logprobs: readonly WireCandidate[];
}

interface WireCallDelta {
  readonly index: number;
  readonly id?: string;
  readonly function?: { readonly name?: string; readonly arguments?: string };
}

/** One event of a stream. */
export interface WireChunk {
  readonly choices: readonly {
    readonly delta: {
      readonly content?: string | null;
      readonly tool_calls?: readonly WireCallDelta[];
    };
    readonly logprobs?: { readonly content?: readonly WireToken[] | null } | null;
    readonly finish_reason?: string | null;
  }[];
  readonly usage?: { readonly prompt_tokens: number; readonly completion_tokens: number } | null;
}

export interface WireError {
  readonly error?: { readonly message?: string };
}
