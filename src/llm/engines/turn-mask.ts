/**
 * What may follow in a turn, token by token: text as its format allows, a call of an offered tool
 * where calls are allowed or due, the end of the turn where the text may end. Marks that are not
 * the model's to write are never allowed, so that neither a call nor a text can come out malformed.
 */
import type { Constraint } from "../inference/constraint/constraint.ts";
import type { TokenMask } from "../inference/token-sampler.ts";
import type { Tokenizer } from "../tokenizer/tokenizer.ts";

export interface TurnCalls {
  readonly start: number;
  readonly end: number;
  /** Between the two. */
  readonly begin: () => Constraint;
  /** May one be made; must one be made, of however many; must one be made, and only one. */
  readonly choice: "never" | "may" | "must" | "one";
}

export interface TurnRules {
  /** Ids of the vocabulary that are text. */
  readonly text: Uint32Array;
  /** Ids that end the turn. */
  readonly ends: Iterable<number>;
  readonly calls?: TurnCalls | undefined;
  /** What the text may be; absent: anything. */
  readonly format?: Constraint | undefined;
}

export interface TurnMask extends TokenMask {
  allowed(): Uint32Array;
  /** The text is whole: only the end of the turn may follow. */
  readonly mustEnd: boolean;
}

/** @returns one bit an id: tokens with bytes; u32 [ceil(V / 32)] */
export function textIds(tokenizer: Pick<Tokenizer, "vocabSize" | "tokenBytes">): Uint32Array {
  const mask = new Uint32Array(Math.ceil(tokenizer.vocabSize / 32));
  for (let id = 0; id < tokenizer.vocabSize; id++)
    if (tokenizer.tokenBytes(id).length > 0) allow(mask, id);
  return mask;
}

/**
 * @param past ids that the turn holds already; the format counts from `formatFrom` on
 * @throws CONFIG when they are not what the rules allow
 */
export function createTurnMask(
  { text, ends, calls, format }: TurnRules,
  past: readonly number[] = [],
  formatFrom = 0,
): TurnMask {
  const endIds = new Set(ends);
  let call: Constraint | undefined;
  let called = 0;
  let hasText = false;

  /** Where neither format nor calls say anything, the mask is the same at every token. */
  const free = withIds(text, [...endIds, ...(calls?.choice === "may" ? [calls.start] : [])]);

  function allowed(): Uint32Array {
    if (call !== undefined && calls !== undefined)
      return call.canEnd ? withIds(call.allowed(), [calls.end]) : call.allowed();
    if (called > 0) return withIds(nothing(), [...endIds, ...callStart("may", "must")]);
    const due = callStart("must", "one");
    if (due.length > 0) return withIds(nothing(), due);
    if (format === undefined) return free;
    const optional = hasText && !format.canEnd ? [] : callStart("may");
    return withIds(format.allowed(), [...optional, ...(format.canEnd ? endIds : [])]);
  }

  const nothing = (): Uint32Array => new Uint32Array(text.length);
  const callStart = (...choices: readonly TurnCalls["choice"][]): number[] =>
    calls !== undefined && choices.includes(calls.choice) ? [calls.start] : [];

  function accept(id: number, formatted = true): void {
    if (call !== undefined && id === calls?.end) endCall();
    else if (call !== undefined) call.accept(id);
    else if (id === calls?.start) call = calls.begin();
    else if (!endIds.has(id)) acceptText(id, formatted);
  }

  function endCall(): void {
    call = undefined;
    called++;
  }

  function acceptText(id: number, formatted: boolean): void {
    if (!formatted) return;
    hasText = true;
    format?.accept(id);
  }

  for (const [i, id] of past.entries()) accept(id, i >= formatFrom);
  return {
    allowed,
    accept: (id) => accept(id),
    get mustEnd() {
      const isText = call === undefined && called === 0;
      return isText && callStart("must", "one").length === 0 && format?.mustEnd === true;
    },
  };
}

function withIds(mask: Uint32Array, ids: Iterable<number>): Uint32Array {
  const copy = Uint32Array.from(mask);
  for (const id of ids) allow(copy, id);
  return copy;
}

function allow(mask: Uint32Array, id: number): void {
  mask[id >> 5] = (mask[id >> 5] as number) | (1 << (id & 31));
}
