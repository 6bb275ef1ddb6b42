/**
 * A growing reply as events, for whoever shows it while it is made. It reads the ids of the
 * model's turns and of the tools' results alike; marks themselves are never text.
 */
import { createStreamDecoder } from "../tokenizer/stream-decoder.ts";
import type { Tokenizer } from "../tokenizer/tokenizer.ts";
import { findMarks } from "./marks.ts";

export type ChatEvent =
  | { readonly kind: "text-delta"; readonly text: string }
  /** `NAME JSON`, whole, as the model wrote it. */
  | { readonly kind: "tool-call"; readonly text: string }
  | { readonly kind: "tool-result"; readonly text: string };

export interface EventReader {
  /** What became whole with this id; a piece of text never splits a character. */
  push(id: number): ChatEvent | undefined;
  /** What is left of a text that ends inside a character. */
  end(): ChatEvent | undefined;
}

export function createEventReader(tokenizer: Tokenizer): EventReader {
  const { callStart, callEnd, toolStart, toolEnd } = findMarks(tokenizer);
  const special = new Set(tokenizer.specialTokens.values());
  const decoder = createStreamDecoder(tokenizer);
  let held: number[] | undefined;

  const opens = new Set([callStart, toolStart]);
  const closes = new Map<number, "tool-call" | "tool-result">([
    [callEnd, "tool-call"],
    [toolEnd, "tool-result"],
  ]);

  function atMark(id: number): ChatEvent | undefined {
    const kind = closes.get(id);
    const text = held === undefined ? undefined : tokenizer.decode(held);
    held = opens.has(id) ? [] : undefined;
    if (text === undefined) return delta(decoder.end());
    return kind === undefined ? undefined : { kind, text };
  }

  return {
    push(id) {
      if (special.has(id)) return atMark(id);
      if (held === undefined) return delta(decoder.push(id));
      held.push(id);
      return undefined;
    },
    end: () => delta(decoder.end()),
  };
}

function delta(text: string): ChatEvent | undefined {
  return text === "" ? undefined : { kind: "text-delta", text };
}
