/**
 * Training batches as a pure function of (seed, step, microStep). Row g of a run is of the source
 * that the schedule gives it; its n-th row is row n mod R of epoch ⌊n / R⌋, in an order of its
 * own in every epoch. So within an epoch no row comes twice, nothing is remembered, resuming at any
 * step is exact and costs nothing, and the order of calls does not matter.
 */
import { NutshellError } from "../../../error.ts";
import type { MixturePlan } from "../mixture/plan.ts";
import type { TokenSource } from "../shards/token-documents.ts";
import { type Batch, createBatch, createRowWriter } from "./batch.ts";
import { createPermutation, type Permutation } from "./permutation.ts";
import { planRows } from "./plan-rows.ts";
import type { RowPlan } from "./row-plan.ts";
import { realisedRows, scheduledRow, scheduleRows } from "./schedule-rows.ts";

/** A source whose rows are planned: their number is what an epoch cap counts in. */
export interface PackedSource {
  readonly source: TokenSource;
  readonly plan: RowPlan;
}

/** Plans the training rows of a source; O(documents). @param sequenceLen T */
export function packSource(source: TokenSource, sequenceLen: number): PackedSource {
  return { source, plan: planRows(source.train.starts, source.bos !== undefined, sequenceLen) };
}

export interface SamplerOptions {
  readonly packed: readonly PackedSource[];
  /** Names sources, and covers all rows of the run. */
  readonly plan: MixturePlan;
  readonly seed: number;
  /** B, rows of a micro-batch. */
  readonly batchSize: number;
  /** Micro-batches of a step. */
  readonly gradAccumSteps: number;
}

export interface Sampler {
  /** @param out filled and returned when given, so that no memory is allocated */
  batchAt(step: number, microStep: number, out?: Batch): Batch;
}

/**
 * @throws DATA when a source that the plan draws from is shorter than one row, CONFIG when the
 * plan names a source that is not there
 */
export function createSampler(options: SamplerOptions): Sampler {
  const { packed, plan, seed, batchSize, gradAccumSteps } = options;
  const schedule = scheduleRows(plan);
  const drawn = realisedRows(schedule, plan.rows);
  const decks = plan.names.map((name, i) => {
    const found = findSource(packed, name);
    if ((drawn[i] as number) > 0) requireRow(found);
    return createDeck(found, i, seed);
  });
  const sequenceLen = (packed[0]?.plan.rowTokens ?? 1) - 1;
  const row = { source: 0, index: 0 };
  return {
    batchAt(step, microStep, out = createBatch(batchSize, sequenceLen)) {
      const first = (step * gradAccumSteps + microStep) * batchSize;
      for (let b = 0; b < batchSize; b++) {
        const { source, index } = scheduledRow(schedule, first + b, row);
        (decks[source] as Deck)(index, out, b);
      }
      return out;
    },
  };
}

/** Writes the `index`-th row that a run takes of one source as row b of a batch. */
type Deck = (index: number, batch: Batch, b: number) => void;

function createDeck({ source, plan }: PackedSource, i: number, seed: number): Deck {
  const { write } = createRowWriter(source.train.tokens, plan, source.bos);
  let epoch = -1;
  let order: Permutation = (index) => index;
  return (index, batch, b) => {
    const now = Math.floor(index / plan.rows);
    if (now !== epoch) {
      order = createPermutation(plan.rows, seed, i, now);
      epoch = now;
    }
    write(order(index - now * plan.rows), batch, b);
  };
}

/** @throws CONFIG */
function findSource(packed: readonly PackedSource[], name: string): PackedSource {
  const found = packed.find(({ source }) => source.name === name);
  if (found !== undefined) return found;
  const names = packed.map(({ source }) => source.name).join(", ");
  throw new NutshellError(
    "CONFIG",
    `sampler: a mixture draws from sources that are there, got "${name}" where there are ` +
      `${names || "none"}. Take it out of the mixture.`,
  );
}

/** @throws DATA when the training tokens cannot fill one row and its last target */
function requireRow({ source, plan }: PackedSource): void {
  const { length } = source.train.tokens;
  if (length >= plan.rowTokens) return;
  throw new NutshellError(
    "DATA",
    `${source.name}: a source must be longer than the context, got ${length} tokens for a ` +
      `context of ${plan.rowTokens - 1}. ` +
      "Add text, leave the source out, or pass a smaller --sequence-len.",
  );
}
