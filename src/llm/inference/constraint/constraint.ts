/**
 * What may still be said. A `Constraint` follows one text token by token and knows, at each point,
 * which tokens may stand there: whatever is chosen among them, the text can be finished, and where
 * `canEnd` holds it is valid as a whole. It knows nothing of logits; the sampler puts the mask over
 * them. Special tokens (no bytes) are never allowed: ending the text is `canEnd`, not a token.
 */

export interface Constraint {
  /**
   * One bit an id, id i is bit i % 32 of word i >> 5; u32 [ceil(V / 32)]. Shared and read-only,
   * valid until the next accept. All zero only where `mustEnd`.
   */
  allowed(): Uint32Array;
  /** @throws CONFIG when this id is not allowed here; nothing is changed then */
  accept(id: number): void;
  /** The text may end here. */
  readonly canEnd: boolean;
  /** Nothing but the end may follow. */
  readonly mustEnd: boolean;
  /** A second text with the same past. */
  fork(): Constraint;
}

/** Compile once, begin many. Each throws CONFIG for what is wrong or can never be satisfied. */
export interface ConstraintCompiler {
  /** JSON text that is valid under a schema. @throws UNSUPPORTED naming path and keyword */
  jsonSchema(schema: unknown): () => Constraint;
  /** JSON text of any value. */
  json(): () => Constraint;
  /** Text of a grammar in llama.cpp's GBNF; begins at `root`. */
  grammar(gbnf: string): () => Constraint;
}

/** What a constraint needs to know of a tokenizer. */
export interface VocabularyBytes {
  readonly vocabSize: number;
  /** Exact bytes of one token, empty for a special one. */
  tokenBytes(id: number): Uint8Array;
}
