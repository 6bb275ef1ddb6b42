/**
 * A language of byte strings, written as an expression over sets of bytes; rules name expressions
 * and may refer to each other. The constructors simplify as they build, so that what can never be
 * said (`nothing`) vanishes where it is visible at once; `pruned-grammar.ts` finds the rest.
 */

/** Bit b is byte b. */
export type ByteSet = bigint;

export type Expression =
  | { readonly kind: "byte"; readonly set: ByteSet }
  | { readonly kind: "sequence"; readonly items: readonly Expression[] }
  /** One of them; of none there is no text at all. */
  | { readonly kind: "choice"; readonly items: readonly Expression[] }
  /** From `min` to `max` times, `max` may be Infinity. */
  | {
      readonly kind: "repeat";
      readonly item: Expression;
      readonly min: number;
      readonly max: number;
    }
  | { readonly kind: "rule"; readonly name: string }
  /** The empty text, said right after a key whose name was free: see `key-ledger.ts`. */
  | { readonly kind: "key-end" };

export interface Grammar {
  readonly rules: ReadonlyMap<string, Expression>;
  readonly root: string;
}

/** The empty text. */
export const empty: Expression = { kind: "sequence", items: [] };
/** No text, not even the empty one. */
export const nothing: Expression = { kind: "choice", items: [] };
export const keyEnd: Expression = { kind: "key-end" };

export const isNothing = (e: Expression): boolean => e.kind === "choice" && e.items.length === 0;

/** Bytes from first to last. */
export function byteRange(first: number, last: number): ByteSet {
  return ((1n << BigInt(last - first + 1)) - 1n) << BigInt(first);
}

export function oneByte(set: ByteSet): Expression {
  return set === 0n ? nothing : { kind: "byte", set };
}

export function sequence(...items: readonly Expression[]): Expression {
  if (items.some(isNothing)) return nothing;
  const flat = items.flatMap((item) => (item.kind === "sequence" ? item.items : [item]));
  return flat.length === 1 ? (flat[0] as Expression) : { kind: "sequence", items: flat };
}

export function choice(...items: readonly Expression[]): Expression {
  const flat = items.flatMap((item) => (item.kind === "choice" ? item.items : [item]));
  return flat.length === 1 ? (flat[0] as Expression) : { kind: "choice", items: flat };
}

export function repeat(item: Expression, min: number, max: number): Expression {
  if (max < min) return nothing;
  if (isNothing(item)) return min === 0 ? empty : nothing;
  if (max === 0) return empty;
  return min === 1 && max === 1 ? item : { kind: "repeat", item, min, max };
}

export const optional = (item: Expression): Expression => repeat(item, 0, 1);
export const many = (item: Expression): Expression => repeat(item, 0, Infinity);
export const rule = (name: string): Expression => ({ kind: "rule", name });

const encoder = new TextEncoder();
const singles = Array.from({ length: 256 }, (_, byte) => oneByte(byteRange(byte, byte)));

/** These very characters. @param text well formed: no half of a surrogate pair */
export function literal(text: string): Expression {
  return bytesOf(encoder.encode(text));
}

/** One of the texts; what they begin with alike is shared, so that thousands cost little. */
export function literals(texts: readonly string[]): Expression {
  return branches([...new Set(texts)].map((text) => encoder.encode(text)).sort(compareBytes), 0);
}

/** @param texts sorted, different, equal in their first `depth` bytes */
function branches(texts: readonly Uint8Array[], depth: number): Expression {
  const [only] = texts;
  if (texts.length === 1 && only) return bytesOf(only.subarray(depth));
  const ends = texts.filter((text) => text.length === depth);
  const groups = Map.groupBy(
    texts.filter((text) => text.length > depth),
    (text) => text[depth] as number,
  );
  const rest = Array.from(groups, ([byte, group]) =>
    sequence(singles[byte] as Expression, branches(group, depth + 1)),
  );
  return choice(...ends.map(() => empty), ...rest);
}

function bytesOf(bytes: Uint8Array): Expression {
  return sequence(...Array.from(bytes, (byte) => singles[byte] as Expression));
}

export function compareBytes(a: Uint8Array, b: Uint8Array): number {
  const length = Math.min(a.length, b.length);
  for (let i = 0; i < length; i++) {
    const difference = (a[i] as number) - (b[i] as number);
    if (difference !== 0) return difference;
  }
  return a.length - b.length;
}
