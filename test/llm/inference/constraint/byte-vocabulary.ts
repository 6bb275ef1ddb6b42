/** Vocabularies and ways of writing a text in them, for tests of constraints. */
import type {
  Constraint,
  VocabularyBytes,
} from "../../../../src/llm/inference/constraint/constraint.ts";

/** A special token, all single bytes, then these; ids in this order. */
export function byteVocabulary(more: readonly string[] = []): VocabularyBytes {
  const words = more.map((word) => new TextEncoder().encode(word));
  const singles = Array.from({ length: 256 }, (_, byte) => Uint8Array.of(byte));
  const tokens = [new Uint8Array(), ...singles, ...words];
  return { vocabSize: tokens.length, tokenBytes: (id) => tokens[id] as Uint8Array };
}

export const hasBit = (mask: Uint32Array, id: number): boolean =>
  (((mask[id >> 5] as number) >>> (id & 31)) & 1) === 1;

export function allowedIds(constraint: Constraint, vocabSize: number): number[] {
  const mask = constraint.allowed();
  const ids: number[] = [];
  for (let id = 0; id < vocabSize; id++) if (hasBit(mask, id)) ids.push(id);
  return ids;
}

/** Whether the whole text is said byte by byte; `byteVocabulary` has byte b at id b + 1. */
export function accepts(begin: () => Constraint, text: string): boolean {
  const constraint = begin();
  for (const byte of new TextEncoder().encode(text)) {
    if (!hasBit(constraint.allowed(), byte + 1)) return false;
    constraint.accept(byte + 1);
  }
  return constraint.canEnd;
}
