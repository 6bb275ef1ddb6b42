/**
 * One round of speculative decoding: a run over the last id and the guesses after it gives the
 * logits behind each, and tokens are chosen from them one by one, as long as guesses come true. A
 * token is chosen when it is asked for and not before: a reader who breaks off leaves the sampler
 * and the timeline as they would be without guesses.
 */
import { NutshellError } from "../../error.ts";
import type { EngineLoop } from "./engine-loop.ts";
import { randomAt, sampleToken } from "./sampler.ts";
import { chancesOf, type Guess, settle, speculationAt } from "./speculate.ts";
import { publishPages, rewindTimeline, type Timeline } from "./timeline.ts";
import type { SampledToken, TokenGenerateOptions, TokenSampler } from "./token-engine.ts";
import { tokenLogprobs } from "./token-logprobs.ts";

export interface Round {
  readonly guesses: readonly Guess[];
  /** f32 [V] behind the last id and behind each guess. */
  readonly rows: readonly Float32Array[];
}

/**
 * @returns undefined when there is no memory for guesses
 * @throws ABORTED
 */
export async function tryRound(
  loop: EngineLoop,
  timeline: Timeline,
  guesses: readonly Guess[],
  sizes: { readonly tableSize: number; readonly vocabSize: number },
  signal: AbortSignal | undefined,
): Promise<Round | undefined> {
  const ids = [...timeline.ids, ...guesses.map(({ id }) => id)];
  const rows: Float32Array[] = [];
  const onRows = (all: Float32Array, from: number, to: number): void => {
    for (let i = 0; i < to - from; i++)
      rows.push(all.slice(i * sizes.tableSize, i * sizes.tableSize + sizes.vocabSize));
  };
  try {
    await loop.fill({ timeline, ids, to: ids.length, output: "logits", onRows, signal });
    return { guesses, rows };
  } catch (error) {
    if (error instanceof NutshellError && error.code === "OVERLOADED") return undefined;
    throw error;
  } finally {
    rewindTimeline(timeline, timeline.ids.length - 1);
  }
}

/** The tokens of a round; it ends early when somebody else changes the timeline. */
export function* settleRound(
  { guesses, rows }: Round,
  timeline: Timeline,
  { sampler, logprobs, signal }: TokenGenerateOptions,
): Generator<SampledToken, void, undefined> {
  const { revision } = timeline;
  for (const [i, row] of rows.entries()) {
    const position = timeline.ids.length;
    const own = row.slice();
    const id = choose(sampler, own, position, guesses[i]);
    const measured = logprobs === undefined ? {} : tokenLogprobs(row, id, logprobs);
    timeline.computed = position;
    publishPages(timeline, timeline.ids);
    timeline.ids.push(id);
    const kept = guesses[i]?.id === id;
    yield { id, ...measured, ...(kept ? { drafted: true } : {}) };
    if (!kept || signal?.aborted || timeline.closed || timeline.revision !== revision) return;
  }
}

/**
 * With guesses drawn from known chances, the rule of rejection; else the text's own sampler says
 * what stands there, and a guess has come true if it is that.
 */
function choose(
  sampler: TokenSampler,
  row: Float32Array,
  position: number,
  guess: Guess | undefined,
): number {
  const { plain } = sampler;
  if (plain === undefined) return sampler.sample(row, position);
  const { temperature, seed } = plain;
  if (guess?.chances !== undefined && temperature > 0)
    return settle(chancesOf(row, temperature), guess, speculationAt(seed, position));
  return sampleToken(row, { temperature }, randomAt(seed, position));
}
