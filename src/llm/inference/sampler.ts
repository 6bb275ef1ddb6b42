/**
 * The sampler: logits in, one token id out. Temperature first, then the `topK` likeliest, then the
 * smallest set of those whose probability reaches `topP`, then those that have `minP` of the
 * likeliest's; what is left is scaled to one. Pure: the random number comes from the caller. Equal
 * probabilities are ordered by id, so ties never depend on anything else.
 * What changes logits before: `token-sampler.ts`.
 * @see Fan et al. 2018 (top-k); Holtzman et al. 2020 (top-p); Nguyen et al. 2024 (min-p)
 */
import { philox, toUnit } from "../../compute/philox.ts";
import { NutshellError } from "../../error.ts";

export interface SamplerOptions {
  /** 0 = the likeliest token, always; 1 = the model's own distribution. */
  readonly temperature: number;
  /** Candidates at most; absent = all. */
  readonly topK?: number | undefined;
  /** Probability that the candidates must reach together, in (0, 1]; absent = all. */
  readonly topP?: number | undefined;
  /** Least probability of a candidate, as a share of the likeliest's, in [0, 1]; absent = 0. */
  readonly minP?: number | undefined;
}

/** @throws CONFIG naming the option that breaks its rule */
export function checkSampler({ temperature, topK, topP, minP }: SamplerOptions): void {
  const fail = (what: string, got: number): never => {
    throw new NutshellError("CONFIG", `sampler: ${what}, got ${got}.`);
  };
  if (!(temperature >= 0 && temperature < Infinity))
    fail("temperature must be 0 or more", temperature);
  if (topK !== undefined && !(Number.isSafeInteger(topK) && topK >= 1))
    fail("topK must be a whole number, 1 or more", topK);
  if (topP !== undefined && !(topP > 0 && topP <= 1)) fail("topP must be above 0, at most 1", topP);
  if (minP !== undefined && !(minP >= 0 && minP <= 1)) fail("minP must be from 0 to 1", minP);
}

/** Below it one over the temperature is no number, and nothing but the likeliest has a weight. */
const COLDEST = 1e-300;

/** Philox streams of sampling, apart from those of initial values and data order. */
const STREAM = 0x73616d70;

/** The uniform that picks the token at a position: a function of (seed, position) alone. */
export function randomAt(seed: number, position: number): number {
  const [word = 0] = philox([position, 0, STREAM, 0], [seed >>> 0, 0]);
  return toUnit(word);
}

/**
 * @param logits f32 [V]; tokens at -Infinity or NaN are never chosen
 * @param random uniform in [0, 1)
 * @returns a token id in [0, V)  @throws DIVERGED when there is no logit to choose by
 */
export function sampleToken(logits: Float32Array, options: SamplerOptions, random: number): number {
  const best = likeliest(logits);
  const top = logits[best] as number;
  const { temperature, topK } = options;
  if (temperature < COLDEST || topK === 1 || top === Infinity) return best;
  const weights = toWeights(logits, top, temperature);
  if (!narrows(options, weights.length)) return drawAny(weights, random);
  const ids = likelyEnough(candidates(weights, options), weights, options);
  return draw(ids, weights, random);
}

function narrows({ topK = Infinity, topP = 1, minP = 0 }: SamplerOptions, V: number): boolean {
  return topK < V || topP < 1 || minP > 0;
}

/** Probabilities up to a common factor: f64 [V], the likeliest has 1. */
type Weights = Float64Array;
type Ids = Uint32Array | readonly number[];

/** One draw's weights at a time, in memory that the next draw uses again. */
let scratch: Weights = new Float64Array();

function toWeights(logits: Float32Array, top: number, temperature: number): Weights {
  if (scratch.length !== logits.length) scratch = new Float64Array(logits.length);
  const scale = 1 / temperature; // Once: a division would cost as much as the power.
  for (let id = 0; id < scratch.length; id++) {
    const logit = logits[id] as number;
    scratch[id] = logit > -Infinity ? Math.exp((logit - top) * scale) : 0;
  }
  return scratch;
}

/** The first id of the largest logit. */
function likeliest(logits: Float32Array): number {
  let best: number | undefined;
  let top = -Infinity;
  for (let id = 0; id < logits.length; id++) {
    const logit = logits[id] as number;
    if (!(logit > top)) continue;
    best = id;
    top = logit;
  }
  if (best !== undefined) return best;
  throw new NutshellError(
    "DIVERGED",
    `sampler: one of ${logits.length} logits must be a number above -Infinity, got none. ` +
      "The model's weights are not finite: use an earlier checkpoint.",
  );
}

/** What top-k and top-p leave, best first; without the two, everything in order of id. */
function candidates(weights: Weights, { topK = weights.length, topP = 1 }: SamplerOptions): Ids {
  const all = countUp(weights.length);
  if (topK >= weights.length && topP === 1) return all;
  if (topK >= weights.length) {
    const total = sum(all, weights);
    return shortestReaching(
      topP * total,
      bestFirst(weights, needed(weights, total, topP)),
      weights,
    );
  }
  const kept = [...bestFirst(weights, all).take(topK)];
  return topP === 1 ? kept : shortestReaching(topP * sum(kept, weights), kept, weights);
}

/**
 * The ids that top-p may need. All that weigh less than an equal share of what it leaves out are
 * left out: together they weigh less than that. Half of it, so that rounding decides nothing.
 */
function needed(weights: Weights, total: number, topP: number): Uint32Array {
  const least = ((1 - topP) * total) / weights.length / 2;
  return countUp(weights.length).filter((id) => (weights[id] as number) >= least);
}

/** Those with `minP` of the likeliest's weight, which is 1. */
function likelyEnough(ids: Ids, weights: Weights, { minP = 0 }: SamplerOptions): Ids {
  return minP === 0 ? ids : ids.filter((id) => (weights[id] as number) >= minP);
}

/** 0, 1, … V - 1. */
function countUp(V: number): Uint32Array {
  const ids = new Uint32Array(V);
  for (let id = 0; id < V; id++) ids[id] = id;
  return ids;
}

function sum(ids: Ids, weights: Weights): number {
  let total = 0;
  for (let i = 0; i < ids.length; i++) total += weights[ids[i] as number] as number;
  return total;
}

/** The shortest prefix of `order` whose weights reach `goal`; never empty. */
function shortestReaching(goal: number, order: Iterable<number>, weights: Weights): number[] {
  const ids: number[] = [];
  let reached = 0;
  for (const id of order) {
    ids.push(id);
    reached += weights[id] as number;
    if (reached >= goal) break;
  }
  return ids;
}

/** As `draw` from all ids, without a list of them. */
function drawAny(weights: Weights, random: number): number {
  let total = 0;
  for (let id = 0; id < weights.length; id++) total += weights[id] as number;
  let left = random * total;
  let last = 0;
  for (let id = 0; id < weights.length && left >= 0; id++) {
    if (weights[id] === 0) continue;
    last = id;
    left -= weights[id] as number;
  }
  return last;
}

function draw(ids: Ids, weights: Weights, random: number): number {
  let left = random * sum(ids, weights);
  let last = 0;
  for (let i = 0; i < ids.length; i++) {
    const weight = weights[ids[i] as number] as number;
    if (weight === 0) continue;
    last = ids[i] as number;
    left -= weight;
    if (left < 0) break;
  }
  return last; // What rounding leaves behind the last candidate belongs to it.
}

/**
 * Of `ids`, which it reorders, by falling weight, equal ones by rising id, as far as they are asked
 * for: a heap costs their number once and its logarithm for each id taken, where sorting costs the
 * product of both for the few that are used.
 */
function* bestFirst(weights: Weights, heap: Uint32Array): Generator<number, undefined> {
  for (let at = heap.length >> 1; at-- > 0; ) sink(heap, weights, at, heap.length);
  for (let size = heap.length; size > 0; size--) {
    yield heap[0] as number;
    heap[0] = heap[size - 1] as number;
    sink(heap, weights, 0, size - 1);
  }
}

function isBefore(weights: Weights, a: number, b: number): boolean {
  const lead = (weights[a] as number) - (weights[b] as number);
  return lead > 0 || (lead === 0 && a < b);
}

/** Moves the id at `start` down until no child of it comes before it. */
function sink(heap: Uint32Array, weights: Weights, start: number, size: number): void {
  const id = heap[start] as number;
  let at = start;
  for (let child = 2 * at + 1; child < size; child = 2 * at + 1) {
    const left = heap[child] as number;
    const right = child + 1 < size ? (heap[child + 1] as number) : left;
    const best = right !== left && isBefore(weights, right, left) ? child + 1 : child;
    if (!isBefore(weights, heap[best] as number, id)) break;
    heap[at] = heap[best] as number;
    at = best;
  }
  heap[at] = id;
}
