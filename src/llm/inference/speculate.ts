/**
 * Speculative decoding: several tokens are guessed cheaply, one run of the model judges them all.
 * The text is distributed exactly as without guesses: a guess x that was drawn from q is kept with
 * probability min(1, p(x) / q(x)), and where it is not, the token is drawn from what p has over q.
 * @see Leviathan et al. 2023; Chen et al. 2023; Saxena 2023 (prompt lookup)
 */
import { philox, toUnit } from "../../compute/philox.ts";
import { diverged } from "./token-logprobs.ts";

/** A token that may come next. */
export interface Guess {
  readonly id: number;
  /** f64 [V]: what it was drawn from; absent: nothing else could have been guessed. */
  readonly chances?: Float64Array;
}

/** Philox streams of speculation, apart from sampling's. */
const STREAM = 0x73706563;

/** Uniforms of one position: for the draft, for judging its guess, for what stands in its place. */
export function speculationAt(
  seed: number,
  position: number,
): { readonly draft: number; readonly judge: number; readonly rest: number } {
  const [draft = 0, judge = 0, rest = 0] = philox([position, 0, STREAM, 0], [seed >>> 0, 0]);
  return { draft: toUnit(draft), judge: toUnit(judge), rest: toUnit(rest) };
}

/**
 * @returns f64 [V], the probabilities of logits at a temperature above 0
 * @throws DIVERGED when no logit is finite
 */
export function chancesOf(logits: Float32Array, temperature: number): Float64Array {
  let top = -Infinity;
  for (const x of logits) if (x > top) top = x;
  if (!Number.isFinite(top)) throw diverged(logits.length);
  const chances = new Float64Array(logits.length);
  let total = 0;
  for (const [id, x] of logits.entries()) {
    if (!(x > -Infinity)) continue;
    chances[id] = Math.exp((x - top) / temperature);
    total += chances[id] as number;
  }
  return chances.map((x) => x / total);
}

/** @param weights f64 [V], not all zero  @param uniform in [0, 1) */
export function drawFrom(weights: Float64Array, uniform: number): number {
  let left = uniform * weights.reduce((a, b) => a + b, 0);
  let last = 0;
  for (const [id, weight] of weights.entries()) {
    if (weight <= 0) continue;
    last = id;
    left -= weight;
    if (left < 0) break;
  }
  return last; // What rounding leaves behind the last candidate belongs to it.
}

/** A token distributed as `chances`: the guess, or what stands in its place. */
export function settle(
  chances: Float64Array,
  { id, chances: drafted }: Guess,
  { judge, rest }: { readonly judge: number; readonly rest: number },
): number {
  const wanted = chances[id] as number;
  if (judge * (drafted?.[id] ?? 1) < wanted) return id;
  const guessed = (other: number): number => drafted?.[other] ?? (other === id ? 1 : 0);
  const over = chances.map((p, other) => Math.max(0, p - guessed(other)));
  // Rounding may leave nothing where the two are equal.
  return over.some((x) => x > 0) ? drawFrom(over, rest) : drawFrom(chances, rest);
}

/**
 * What followed when the last ids stood on the timeline before: of all places the one that agrees
 * with the most of them, up to `longest`, and of those the latest.
 */
export function lookUp(ids: readonly number[], longest: number, count: number): number[] {
  const last = ids.length - 1;
  let [best, place] = [0, 0];
  for (let at = last - 1; at >= 0 && best < longest; at--) {
    let same = 0;
    while (same < longest && same <= at && ids[at - same] === ids[last - same]) same++;
    if (same > best) [best, place] = [same, at];
  }
  return best === 0 ? [] : ids.slice(place + 1, place + 1 + count);
}
