/**
 * Decodes a growing sequence of tokens into text without ever splitting a character: bytes of an
 * unfinished UTF-8 character wait for the token that completes it.
 */

import type { Tokenizer } from "./tokenizer.ts";

export interface StreamDecoder {
  /** Text that became complete with this token, possibly "". */
  push(id: number): string;
  /** What still waits, as U+FFFD; the decoder is then ready for another sequence. */
  end(): string;
}

/** The concatenated output of `push` and `end` equals `tokenizer.decode` of all ids. */
export function createStreamDecoder(tokenizer: Tokenizer): StreamDecoder {
  const utf8 = new TextDecoder("utf-8", { ignoreBOM: true });
  return {
    push: (id) => utf8.decode(tokenizer.tokenBytes(id), { stream: true }),
    end: () => utf8.decode(),
  };
}
