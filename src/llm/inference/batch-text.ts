/**
 * One text of a batch while it is made: the ids known so far, how many of them are in the cache,
 * and what the model said of those it chose. Which run it needs next follows from these alone, so
 * that a text takes the same path, and gets the same bits, in any company.
 */
import { NutshellError } from "../../error.ts";
import type { DecodeLane, Draws, PrefillLane } from "./batch-programs.ts";
import type { FinishReason } from "./generator.ts";
import { checkIds } from "./request.ts";
import { randomAt } from "./sampler.ts";
import type { BatchRequest, Trajectory } from "./trajectory.ts";

export interface BatchText {
  readonly index: number;
  /** Its row of the cache. */
  readonly row: number;
  readonly request: BatchRequest;
  readonly ids: number[];
  /** Of the leading ids, how many the cache holds. */
  done: number;
  readonly sampled: Uint8Array;
  readonly logprobs: Float32Array;
  readonly entropies: Float32Array;
  samples: number;
  finishReason?: FinishReason;
}

/** @param contextLen prompt and text together, at most */
export function beginText(
  requests: readonly BatchRequest[],
  index: number,
  row: number,
  contextLen: number,
): BatchText {
  const request = requests[index] as BatchRequest;
  return {
    ...{ index, row, request, ids: [...request.prompt], done: 0, samples: 0 },
    sampled: new Uint8Array(contextLen),
    logprobs: new Float32Array(contextLen),
    entropies: new Float32Array(contextLen),
  };
}

/** Known ids that only have to reach the cache; the last known one goes through decode. */
export const backlog = (text: BatchText): number => text.ids.length - 1 - text.done;

/** The next of them, as far as one run takes them; they count as done. */
export function takeChunk(text: BatchText, chunk: number): PrefillLane {
  const from = text.done;
  text.done += Math.min(chunk, backlog(text));
  return { row: text.row, ids: text.ids, from, to: text.done };
}

/** The next id for decode. */
export function decodeLane({ ids, done, row, request }: BatchText): DecodeLane {
  const { seed, temperature } = request;
  const known = done + 1 < ids.length; // What follows is not drawn.
  const uniform = known || temperature === 0 ? 0 : randomAt(seed, done + 1);
  return { row, id: ids[done] as number, position: done, temperature, uniform };
}

/**
 * Takes in what decode drew after the id at `done`; ignored where a known id follows.
 * @throws DIVERGED when no logit was finite; CONFIG when a forced id is not of the table
 */
export function accept(text: BatchText, draws: Draws, lane: number, vocabSize: number): void {
  text.done++;
  if (text.done < text.ids.length) return;
  const id = draws.id[lane] as number;
  if (id < 0) throw diverged(text.index);
  text.sampled[text.done] = 1;
  text.logprobs[text.done] = draws.logprob[lane] as number;
  text.entropies[text.done] = draws.entropy[lane] as number;
  text.ids.push(id);
  text.samples++;
  follow(text, id, vocabSize);
}

function follow(text: BatchText, id: number, vocabSize: number): void {
  const { request, ids, sampled } = text;
  const next = request.stop?.includes(id) ? "stop" : (request.follow?.(id) ?? "go");
  if (next === "stop") {
    text.finishReason = "stop";
    return;
  }
  if (text.samples < request.maxTokens && next !== "go") {
    checkIds("generate", next, vocabSize);
    ids.push(...next.slice(0, sampled.length - ids.length));
  }
  if (text.samples === request.maxTokens || ids.length === sampled.length)
    text.finishReason = "length";
}

export type EndedText = BatchText & { readonly finishReason: FinishReason };

export const hasEnded = (text: BatchText): text is EndedText => text.finishReason !== undefined;

export function trajectoryOf(text: EndedText): Trajectory {
  const { request, ids, sampled, logprobs, entropies, finishReason } = text;
  return {
    promptLength: request.prompt.length,
    ids: Int32Array.from(ids),
    sampled: sampled.slice(0, ids.length),
    logprobs: logprobs.slice(0, ids.length),
    entropies: entropies.slice(0, ids.length),
    finishReason,
  };
}

const diverged = (index: number): NutshellError =>
  new NutshellError(
    "DIVERGED",
    `generate: the logits of request ${index} must be finite, got none to choose by. ` +
      "The model's weights are not finite: use an earlier checkpoint.",
  );
