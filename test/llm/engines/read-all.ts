/** Reads a reply to its end. */
import type { Delta, Ended } from "../../../src/llm/inference/engine.ts";

export interface Whole {
  readonly deltas: readonly Delta[];
  readonly ended: Ended;
  /** All text that was shown. */
  readonly text: string;
}

export async function readAll(reply: AsyncGenerator<Delta, Ended>): Promise<Whole> {
  const deltas: Delta[] = [];
  for (;;) {
    const next = await reply.next();
    if (next.done) return { deltas, ended: next.value, text: deltas.map(textOf).join("") };
    deltas.push(next.value);
  }
}

function textOf(delta: Delta): string {
  return delta.type === "text-delta" ? delta.text : "";
}
