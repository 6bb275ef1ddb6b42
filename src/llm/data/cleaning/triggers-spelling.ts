/**
 * How unlike the corpus's own words a word is spelled: a model of characters given the two before
 * them, counted over the different words of the corpus, each once, so that names weigh as much as
 * "the".
 */

/** Letters, digits, anything else, and the end of a word. */
const SYMBOLS = 38;
const OTHER = 36;
const EDGE = 37;
/** Words of fewer documents do not teach: too many of them are slips. */
const LEAST_DOCUMENTS = 5;

/** Numbers and everyday marks follow no spelling. */
const UNSPELLED = /^[\d\p{Ps}\p{Pe}\p{Pi}\p{Pf}\p{Pd}!-/:-@[-`{-~…]+$/u;

export class Spelling {
  readonly #counts = new Float64Array(SYMBOLS ** 3);
  readonly #totals = new Float64Array(SYMBOLS ** 2);
  /** Characters of symbols, by code unit. */
  readonly #others = new Map<number, number>();
  #otherTotal = 1;

  constructor(words: readonly string[], documents: Uint32Array) {
    for (const [id, word] of words.entries()) {
      if (word === "" || (documents[id] as number) < LEAST_DOCUMENTS) continue;
      visitTrigrams(word, (context, symbol) => {
        this.#counts[context * SYMBOLS + symbol] = this.#count(context, symbol) + 1;
        this.#totals[context] = (this.#totals[context] as number) + 1;
      });
      for (const unit of otherUnits(word)) {
        this.#others.set(unit, (this.#others.get(unit) ?? 0) + 1);
        this.#otherTotal++;
      }
    }
  }

  /** Bits for each character: English words lie near 3.5, random letters near 5.5. */
  bitsPerCharacter(word: string): number {
    if (UNSPELLED.test(word)) return 0;
    let bits = 0;
    visitTrigrams(word, (context, symbol) => {
      const total = (this.#totals[context] as number) + 1;
      bits -= Math.log2((this.#count(context, symbol) + 1 / SYMBOLS) / total);
    });
    for (const unit of otherUnits(word)) {
      bits -= Math.log2(((this.#others.get(unit) ?? 0) + 1) / (this.#otherTotal + 1));
    }
    return bits / (word.length + 1);
  }

  #count(context: number, symbol: number): number {
    return this.#counts[context * SYMBOLS + symbol] as number;
  }
}

/** Symbols, by how rare they are; letters of other scripts are only "other". */
function* otherUnits(word: string): Generator<number> {
  if (/^[\p{L}\p{M}\p{N}]+$/u.test(word)) return;
  for (let i = 0; i < word.length; i++) {
    if (symbolOf(word.charCodeAt(i)) === OTHER) yield word.charCodeAt(i);
  }
}

function visitTrigrams(word: string, visit: (context: number, symbol: number) => void): void {
  let context = EDGE * SYMBOLS + EDGE;
  for (let i = 0; i <= word.length; i++) {
    const symbol = i === word.length ? EDGE : symbolOf(word.charCodeAt(i));
    visit(context, symbol);
    context = (context % SYMBOLS) * SYMBOLS + symbol;
  }
}

function symbolOf(unit: number): number {
  if (unit >= 97 && unit <= 122) return unit - 97;
  return unit >= 48 && unit <= 57 ? unit - 22 : OTHER;
}
