/**
 * Where guesses come from: the timeline itself, or a smaller model that runs ahead on a timeline
 * of its own. A drafter belongs to one session. It may guess nothing; it never fails for want of
 * room, since a text goes on without guesses.
 */
import { type ErrorCode, NutshellError } from "../../error.ts";
import { chancesOf, drawFrom, type Guess, lookUp, speculationAt } from "./speculate.ts";
import type { TokenEngine, TokenSampler, TokenSession } from "./token-engine.ts";

export type Draft =
  | {
      readonly kind: "lookup";
      /** Ids that guesses have to agree with, at most; absent = 3. */
      readonly longest?: number;
      /** Tokens guessed at once; absent = 7. */
      readonly tokens?: number;
    }
  | {
      readonly kind: "model";
      /** Of the same vocabulary; it stays the caller's, to be closed after the engine. */
      readonly engine: TokenEngine;
      /** Tokens guessed at once; absent = 4. */
      readonly tokens?: number;
    };

export interface Drafter {
  /** @returns at most `count` tokens that may follow the ids */
  guess(ids: readonly number[], count: number, sampler: TokenSampler): Promise<Guess[]>;
  dispose(): Promise<void>;
}

const TOKENS: Record<Draft["kind"], number> = { lookup: 7, model: 4 };
const LONGEST = 3;

/** Tokens guessed at once. */
export const draftTokens = (draft: Draft): number => draft.tokens ?? TOKENS[draft.kind];

/** @throws CONFIG when another vocabulary guesses */
export function checkDraft(draft: Draft, vocabSize: number): void {
  if (draft.kind === "lookup" || draft.engine.vocabSize === vocabSize) return;
  throw new NutshellError(
    "CONFIG",
    `engine: a draft must have the model's vocabulary of ${vocabSize} tokens, ` +
      `got ${draft.engine.vocabSize}. Train both with one tokenizer.`,
  );
}

export function createDrafter(draft: Draft): Drafter {
  if (draft.kind === "model") return new ModelDrafter(draft.engine);
  const { longest = LONGEST } = draft;
  return {
    guess: async (ids, count) => lookUp(ids, longest, count).map((id) => ({ id })),
    dispose: async () => {},
  };
}

class ModelDrafter implements Drafter {
  readonly #session: TokenSession;

  constructor(engine: TokenEngine) {
    this.#session = engine.open();
  }
  async guess(ids: readonly number[], count: number, sampler: TokenSampler): Promise<Guess[]> {
    const session = this.#session;
    const drawn: Float64Array[] = [];
    const guesses: Guess[] = [];
    try {
      session.truncate(sharedLength(session.ids, ids));
      await session.append(ids.slice(session.ids.length));
      const drafting = draftSampler(sampler, drawn);
      for await (const { id } of session.generate({ sampler: drafting, maxTokens: count }))
        guesses.push({ id });
    } catch (error) {
      const short = error instanceof NutshellError && NO_ROOM.includes(error.code);
      if (!short) throw error;
    }
    return guesses.map((guess, i) => {
      const chances = drawn[i];
      return chances === undefined ? guess : { ...guess, chances };
    });
  }
  async dispose(): Promise<void> {
    await this.#session[Symbol.asyncDispose]();
  }
}

const NO_ROOM: readonly ErrorCode[] = ["CONTEXT", "OVERLOADED"];

/**
 * Draws as the text itself is drawn, where temperature is all there is to it; else, and at
 * temperature 0, the likeliest token.
 * @param drawn gets what each guess was drawn from
 */
function draftSampler({ plain }: TokenSampler, drawn: Float64Array[]): TokenSampler {
  if (plain === undefined || plain.temperature === 0)
    return { plain: { temperature: 0, seed: 0 }, sample: () => 0 };
  const { temperature, seed } = plain;
  return {
    sample(logits, position) {
      const chances = chancesOf(logits, temperature);
      drawn.push(chances);
      return drawFrom(chances, speculationAt(seed, position).draft);
    },
  };
}

function sharedLength(a: readonly number[], b: readonly number[]): number {
  let length = 0;
  while (length < a.length && length < b.length && a[length] === b[length]) length++;
  return length;
}
