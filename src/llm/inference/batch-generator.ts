/**
 * Many texts at once: requests in, trajectories out, with what reinforcement learning needs of each
 * (which tokens the model chose, their log-probabilities, the entropies). Continuous batching: a
 * slot that is done takes the next request. What a request becomes depends on the model and on the
 * request alone, to the last bit: not on its slot, its neighbours or the order of requests.
 */
import type { Backend, Store } from "../../compute/backend.ts";
import type { ModelConfig } from "../model/config.ts";
import type { Precision } from "../model/transformer.ts";
import { type BatchPrograms, type BatchShape, createBatchPrograms } from "./batch-programs.ts";
import {
  accept,
  type BatchText,
  backlog,
  beginText,
  decodeLane,
  hasEnded,
  takeChunk,
  trajectoryOf,
} from "./batch-text.ts";
import { checkCount, checkPrompt } from "./request.ts";
import { checkSampler } from "./sampler.ts";
import type { BatchRequest, Follow, Trajectory } from "./trajectory.ts";

export type { BatchRequest, Follow, Trajectory };

export interface BatchGeneratorOptions {
  readonly precision: Precision;
  /** Texts at once. */
  readonly slots: number;
  /** Prompt and text together, in tokens; absent = the model's context, which is also the most. */
  readonly contextLen?: number;
  /** Known tokens of one row in one prefill run. */
  readonly chunk?: number;
  /** Ids below this are drawn; absent = all. A model's table may be longer than its tokenizer's. */
  readonly vocabSize?: number;
}

export interface BatchGenerator {
  /**
   * Each request's trajectory, in the order in which they end; `index` is the request's. After an
   * abort those that are left end "aborted", with what they have.
   * @throws CONFIG when a request breaks a rule, before the first run; DIVERGED when no logit is
   *   finite
   */
  generate(
    requests: readonly BatchRequest[],
    options?: { readonly signal?: AbortSignal },
  ): AsyncGenerator<{ readonly index: number; readonly trajectory: Trajectory }>;
  /** Frees programs; the cache stays in the store. */
  dispose(): Promise<void>;
}

const CHUNK = 32;
/** One lane of prefill for so many slots; a run waits until its lanes are full … */
const SLOTS_PER_LANE = 16;
/** … or for so many steps of decode. */
const PATIENCE = 4;
/** A backlog of fewer ids than chunk / this goes through decode, beside the others: cheaper. */
const SHORT = 4;

/** @throws CONFIG when an option breaks its rule */
export function createBatchGenerator(
  backend: Backend,
  store: Store,
  config: ModelConfig,
  options: BatchGeneratorOptions,
): BatchGenerator {
  const { precision, slots, contextLen = config.sequenceLen } = options;
  const { chunk = Math.min(CHUNK, contextLen), vocabSize = config.vocabSize } = options;
  checkCount("generate", "slots", slots);
  checkCount("generate", "contextLen", contextLen, config.sequenceLen);
  checkCount("generate", "chunk", chunk, contextLen);
  checkCount("generate", "vocabSize", vocabSize, config.vocabSize);
  const lanes = Math.ceil(slots / SLOTS_PER_LANE);
  const shape = { config, precision, slots, capacity: contextLen, lanes, chunk };
  const programs = createBatchPrograms(backend, store, shape);
  let busy = false;
  return {
    async *generate(requests, { signal } = {}) {
      for (const request of requests) checkRequest(request, contextLen, config.vocabSize);
      if (busy) throw new Error("generate: one batch at a time, its cache holds one");
      busy = true;
      try {
        yield* serve(requests, { programs, shape, vocabSize, signal });
      } finally {
        busy = false;
      }
    },
    dispose: () => programs.dispose(),
  };
}

interface Service {
  readonly programs: BatchPrograms;
  readonly shape: BatchShape;
  /** Ids below this are drawn. */
  readonly vocabSize: number;
  readonly signal: AbortSignal | undefined;
}

type Ended = { readonly index: number; readonly trajectory: Trajectory };

async function* serve(
  requests: readonly BatchRequest[],
  service: Service,
): AsyncGenerator<Ended, void> {
  const { programs, shape, signal } = service;
  const free = Array.from({ length: shape.slots }, (_, row) => row);
  let texts: BatchText[] = [];
  let begun = 0;
  let patience = PATIENCE;
  await programs.begin();
  while (begun < requests.length || texts.length > 0) {
    for (; free.length > 0 && begun < requests.length; begun++)
      texts.push(beginText(requests, begun, free.pop() as number, shape.capacity));
    if (signal?.aborted) return yield* aborted(requests, texts, begun, shape);
    const late = texts.filter((text) => isLate(text, shape));
    if (late.length >= shape.lanes || late.length === texts.length || patience === 0) {
      await prefill(late, service);
      patience = PATIENCE;
      continue;
    }
    patience -= late.length > 0 ? 1 : 0;
    await decode(texts, service);
    const ended = texts.filter(hasEnded);
    texts = texts.filter((text) => !hasEnded(text));
    for (const text of ended) {
      free.push(text.row);
      yield { index: text.index, trajectory: trajectoryOf(text) };
    }
  }
}

const isLate = (text: BatchText, { chunk }: BatchShape): boolean => backlog(text) >= chunk / SHORT;

async function prefill(late: readonly BatchText[], service: Service): Promise<void> {
  const { programs, shape } = service;
  await programs.prefill(late.slice(0, shape.lanes).map((text) => takeChunk(text, shape.chunk)));
}

/** One token of every text that is not late. */
async function decode(texts: readonly BatchText[], service: Service): Promise<void> {
  const { programs, shape, vocabSize } = service;
  const ready = texts.filter((text) => !isLate(text, shape));
  const draws = await programs.decode(ready.map(decodeLane), vocabSize);
  for (const [lane, text] of ready.entries()) accept(text, draws, lane, shape.config.vocabSize);
}

/** What is left of every request: texts under way as far as they came, the others' prompts. */
function* aborted(
  requests: readonly BatchRequest[],
  texts: readonly BatchText[],
  begun: number,
  { capacity }: BatchShape,
): Generator<Ended, void> {
  const bare = requests.slice(begun).map((_, i) => beginText(requests, begun + i, 0, capacity));
  for (const text of [...texts, ...bare])
    yield { index: text.index, trajectory: trajectoryOf({ ...text, finishReason: "aborted" }) };
}

function checkRequest(request: BatchRequest, contextLen: number, vocabSize: number): void {
  checkSampler({ temperature: request.temperature });
  checkCount("generate", "maxTokens", request.maxTokens);
  checkPrompt("generate", request.prompt, contextLen, vocabSize);
}
