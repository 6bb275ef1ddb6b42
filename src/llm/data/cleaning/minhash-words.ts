/**
 * Words of a text as 32-bit hashes, the alphabet of shingles and of 13-grams. Case is folded and
 * punctuation dropped, so that neither hides a copy: a word is a run of letters, marks and digits,
 * apostrophes and invisible characters inside it are skipped ("don't" = "dont"), and where a script
 * writes no spaces every character is a word.
 */

export interface Words {
  readonly count: number;
  /** Hash of word i; only the first `count` entries of the three arrays hold words. */
  readonly hashes: Uint32Array;
  /** UTF-16 offset of word i. */
  readonly starts: Uint32Array;
  /** UTF-16 offset after word i. */
  readonly ends: Uint32Array;
}

const SEPARATOR = 0;
const LETTER = 1;
const WHOLE_WORD = 2;
const SKIPPED = 3;

/** Han, kana, Thai, Lao, Khmer, Myanmar: written without spaces. */
const UNSPACED = /[\p{sc=Han}\p{sc=Hira}\p{sc=Kana}\p{sc=Thai}\p{sc=Laoo}\p{sc=Khmr}\p{sc=Mymr}]/u;

/** Of every UTF-16 unit: what it is, and its lower case. Made at the first use, in 20 ms. */
interface UnitTables {
  readonly kind: Uint8Array;
  readonly folded: Uint16Array;
}

let unitTables: UnitTables | undefined;

/**
 * @param reuse arrays of an earlier call, overwritten when they are large enough: its result is
 *   then no longer valid
 */
export function hashWords(text: string, reuse?: Words): Words {
  unitTables ??= buildTables();
  const { kind, folded } = unitTables;
  const { hashes, starts, ends } = roomFor(text.length, reuse);
  let count = 0;
  let hash = 0;
  let open = false;
  let end = 0;
  const close = (): void => {
    hashes[count] = finish(hash);
    ends[count++] = end;
    open = false;
  };
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i);
    const is = kind[unit] as number;
    if (is === SKIPPED) continue;
    if (open && is !== LETTER) close();
    if (is === SEPARATOR) continue;
    if (!open) {
      starts[count] = i;
      hash = 0x811c9dc5;
      open = true;
    }
    hash = Math.imul(hash ^ (folded[unit] as number), 0x01000193);
    end = i + 1;
    if (is === WHOLE_WORD) close();
  }
  if (open) close();
  return { count, hashes, starts, ends };
}

/** The MurmurHash3 finaliser: neighbouring inputs give unrelated outputs. */
export function finish(value: number): number {
  let hash = value;
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}

function roomFor(length: number, reuse: Words | undefined): Omit<Words, "count"> {
  if (reuse !== undefined && reuse.hashes.length >= length) return reuse;
  const capacity = Math.max(length, 1 << 14);
  const array = (): Uint32Array => new Uint32Array(capacity);
  return { hashes: array(), starts: array(), ends: array() };
}

function buildTables(): UnitTables {
  const kind = new Uint8Array(0x10000);
  const folded = new Uint16Array(0x10000);
  for (let unit = 0; unit < 0x10000; unit++) {
    const character = String.fromCharCode(unit);
    const lower = character.toLowerCase();
    folded[unit] = lower.length === 1 ? lower.charCodeAt(0) : unit;
    kind[unit] = kindOf(unit, character);
  }
  return { kind, folded };
}

/** Halves of characters beyond U+FFFF count as letters: emoji and rare scripts are words too. */
function kindOf(unit: number, character: string): number {
  if (unit >= 0xd800 && unit < 0xe000) return LETTER;
  if (/['\u2019\p{Cf}]/u.test(character)) return SKIPPED;
  if (UNSPACED.test(character)) return WHOLE_WORD;
  return /[\p{L}\p{M}\p{N}]/u.test(character) ? LETTER : SEPARATOR;
}
