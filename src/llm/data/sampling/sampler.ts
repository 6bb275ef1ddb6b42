/**
 * Training batches as a pure function of (seed, step, microStep). Row g of a run is of the source
 * that the schedule gives it; its n-th row is row n mod R of epoch ⌊n / R⌋, in an order of its
 * own in every epoch. So within an epoch no row comes twice, nothing is remembered, resuming at any
 * step is exact and costs nothing, and the order of calls does not matter.
 */
import { NutshellError } from "../../../error.ts";
import type { MixturePlan } from "../mixture/plan.ts";
import type { TokenSource } from "../shards/token-documents.ts";
import { type Batch, createBatch, createRowWriter, type RowWriter } from "./batch.ts";
import { createPermutation, type Permutation } from "./permutation.ts";
import { planRows } from "./plan-rows.ts";
import type { CutCounts } from "./row-plan.ts";
import { type RowSchedule, scheduledRow, scheduleRows } from "./schedule-rows.ts";

export interface SamplerOptions {
  readonly sources: readonly TokenSource[];
  /** Names sources, and covers all rows of the run. */
  readonly plan: MixturePlan;
  readonly seed: number;
  /** B, rows of a micro-batch. */
  readonly batchSize: number;
  /** T, tokens of a row. */
  readonly sequenceLen: number;
  /** Micro-batches of a step. */
  readonly gradAccumSteps: number;
}

export interface Sampler {
  /** @param out filled and returned when given, so that no memory is allocated */
  batchAt(step: number, microStep: number, out?: Batch): Batch;
  /** What packing cost, by source in the order of the plan. */
  readonly packing: readonly Packing[];
}

export interface Packing {
  readonly name: string;
  /** Rows of one epoch. */
  readonly rows: number;
  readonly cuts: CutCounts;
}

/**
 * @throws DATA when a source that the plan draws from is shorter than one row, CONFIG when the
 * plan names a source that is not there
 */
export function createSampler(options: SamplerOptions): Sampler {
  const { plan, seed, batchSize, sequenceLen, gradAccumSteps } = options;
  const schedule = scheduleRows(plan);
  const decks = plan.names.map((name, i) => {
    const source = findSource(options.sources, name);
    if (realisedIn(schedule, i) > 0) requireLength(source, sequenceLen);
    return createDeck(source, i, seed, sequenceLen);
  });
  const row = { source: 0, index: 0 };
  return {
    packing: decks.map(({ name, rows, cuts }) => ({ name, rows, cuts })),
    batchAt(step, microStep, out = createBatch(batchSize, sequenceLen)) {
      const first = (step * gradAccumSteps + microStep) * batchSize;
      for (let b = 0; b < batchSize; b++) {
        const { source, index } = scheduledRow(schedule, first + b, row);
        (decks[source] as Deck).deal(index, out, b);
      }
      return out;
    },
  };
}

/** The rows of one source in their order, epoch after epoch. */
interface Deck extends Packing {
  deal(index: number, batch: Batch, b: number): void;
}

function createDeck(source: TokenSource, i: number, seed: number, sequenceLen: number): Deck {
  const { name, train, bos } = source;
  const plan = planRows(train.starts, bos !== undefined, sequenceLen);
  const writer: RowWriter = createRowWriter(train.tokens, plan, bos);
  let epoch = -1;
  let order: Permutation = (index) => index;
  return {
    ...{ name, rows: plan.rows, cuts: plan.cuts },
    deal(index, batch, b) {
      const now = Math.floor(index / plan.rows);
      if (now !== epoch) {
        order = createPermutation(plan.rows, seed, i, now);
        epoch = now;
      }
      writer.write(order(index - now * plan.rows), batch, b);
    },
  };
}

/** Rows that a run takes from source `i`. */
function realisedIn({ before, sources }: RowSchedule, i: number): number {
  return before[before.length - sources + i] as number;
}

/** @throws CONFIG */
function findSource(sources: readonly TokenSource[], name: string): TokenSource {
  const found = sources.find((source) => source.name === name);
  if (found !== undefined) return found;
  const names = sources.map((source) => source.name).join(", ");
  throw new NutshellError(
    "CONFIG",
    `sampler: a mixture draws from sources that are there, got "${name}" where there are ` +
      `${names || "none"}. Take it out of the mixture.`,
  );
}

/** @throws DATA when the training tokens cannot fill one row and its last target */
function requireLength({ name, train }: TokenSource, sequenceLen: number): void {
  if (train.tokens.length > sequenceLen) return;
  throw new NutshellError(
    "DATA",
    `${name}: a source must be longer than the context, got ${train.tokens.length} tokens for a ` +
      `context of ${sequenceLen}. Add text, leave the source out, or pass a smaller --sequence-len.`,
  );
}
