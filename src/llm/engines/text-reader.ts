/** Reads text without a template: every id is its bytes, special tokens are none. */
import { createStreamDecoder } from "../tokenizer/stream-decoder.ts";
import type { Tokenizer } from "../tokenizer/tokenizer.ts";
import type { ReplyEvent, ReplyReader } from "./chat-format.ts";

export function createTextReader(tokenizer: Tokenizer): ReplyReader {
  const decoder = createStreamDecoder(tokenizer);
  return {
    push: (id) => [textEvent(decoder.push(id))],
    end: () => [textEvent(decoder.end())],
  };
}

export function textEvent(text: string): ReplyEvent {
  return { kind: "text", text };
}
