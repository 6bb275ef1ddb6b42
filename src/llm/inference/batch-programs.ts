/**
 * The graphs of batched inference. Prefill writes known tokens of a few texts into their rows of
 * the cache, a chunk each, and computes nothing else; decode takes one token of each text and
 * samples the next. So every sampled token comes out of decode, whatever went before it.
 *
 * Lanes are the rows of one run, rows those of the cache; a run says which row each lane serves.
 * An idle lane stands before the text begins: it writes nothing and sees no key. Padding of a chunk
 * is harmless for the reason given in programs.ts, and dropped beyond the end of the cache.
 *
 * A lane's bits do not depend on the other lanes, nor on its place among them (held by
 * test/compute/rows-alone.test.ts), nor on the width of decode, as long as all widths are below
 * five or all above: products of up to four rows add up in another order. Quantised weights have
 * one order up to 64 rows where the machine multiplies bytes, and elsewhere the same two.
 */
import type { Backend, Program, Store } from "../../compute/backend.ts";
import { type Graph, input } from "../../compute/graph.ts";
import { sampleRows } from "../../compute/ops/sample-rows.ts";
import type { ModelConfig } from "../model/config.ts";
import {
  hiddenStates,
  type KvCache,
  logits,
  type Precision,
  pagedCache,
} from "../model/transformer.ts";
import { compileNarrow, inferenceParameters } from "./programs.ts";

export interface BatchShape {
  readonly config: ModelConfig;
  readonly precision: Precision;
  /** Rows of the cache, and tokens that each holds. */
  readonly slots: number;
  readonly capacity: number;
  /** Lanes and tokens a lane of one prefill run. */
  readonly lanes: number;
  readonly chunk: number;
}

/** One lane's known tokens ids[from..to), which stand at these positions of `row`. */
export interface PrefillLane {
  readonly row: number;
  readonly ids: readonly number[];
  readonly from: number;
  readonly to: number;
}

export interface DecodeLane {
  readonly row: number;
  readonly id: number;
  readonly position: number;
  /** Temperature and uniform of the token that follows. */
  readonly temperature: number;
  readonly uniform: number;
}

/** What follows each lane: id -1 where no logit was finite; the model's own numbers, in nats. */
export interface Draws {
  readonly id: Int32Array;
  readonly logprob: Float32Array;
  readonly entropy: Float32Array;
}

export interface BatchPrograms {
  /** Takes over the store's parameters as they are now; before the first run of a batch. */
  begin(): Promise<void>;
  /** @param lanes at most `shape.lanes`, to - from at most `shape.chunk` */
  prefill(lanes: readonly PrefillLane[]): Promise<void>;
  /** @param lanes at most `shape.slots`, rows all different @param limit ids below it are drawn */
  decode(lanes: readonly DecodeLane[], limit: number): Promise<Draws>;
  dispose(): Promise<void>;
}

/** A batch that is a quarter full, or less, runs a quarter as wide. */
const NARROWING = 4;
/** Products of fewer rows than this have other bits. */
const FEWEST_LANES = 8;

/** Widths that decode is compiled for, the narrowest first. */
function decodeWidths(slots: number): number[] {
  const narrow = Math.ceil(slots / NARROWING);
  return narrow >= FEWEST_LANES ? [narrow, slots] : [slots];
}

/** A row of the cache is one page. */
function batchCache({ config, precision, slots, capacity }: BatchShape, lanes: number): KvCache {
  const name = `cache-${slots}x${capacity}-${precision}`;
  return pagedCache(config, slots, capacity, 1, lanes, precision, name);
}

function prefillGraph(shape: BatchShape): Graph {
  const { config, precision, lanes, chunk } = shape;
  const params = inferenceParameters(config, precision);
  const ids = input("ids", [lanes, chunk], "i32");
  const cache = batchCache(shape, lanes);
  const { cacheUpdates } = hiddenStates(config, params, ids, { precision, cache });
  return { outputs: {}, updates: cacheUpdates };
}

function decodeGraph(shape: BatchShape, width: number): Graph {
  const { config, precision } = shape;
  const params = inferenceParameters(config, precision);
  const ids = input("ids", [width, 1], "i32");
  const cache = batchCache(shape, width);
  const { hidden, cacheUpdates } = hiddenStates(config, params, ids, { precision, cache });
  const draws = sampleRows(
    logits(config, params, hidden, precision),
    input("uniform", [width]),
    input("temperature", [width]),
    input("limit", [], "i32"),
  );
  return { outputs: draws, updates: cacheUpdates };
}

interface Compiled {
  readonly narrow: Program | undefined;
  readonly prefill: Program;
  readonly decode: readonly { readonly width: number; readonly program: Program }[];
}

async function compile(backend: Backend, store: Store, shape: BatchShape): Promise<Compiled> {
  const [narrow, prefill, ...decode] = await Promise.all([
    compileNarrow(backend, store, shape.config, shape.precision),
    backend.compile(prefillGraph(shape), store),
    ...decodeWidths(shape.slots).map(async (width) => ({
      width,
      program: await backend.compile(decodeGraph(shape, width), store),
    })),
  ]);
  return { narrow, prefill, decode };
}

/** Compiles when first needed, once; the cache is allocated then. */
export function createBatchPrograms(
  backend: Backend,
  store: Store,
  shape: BatchShape,
): BatchPrograms {
  let compiled: Promise<Compiled> | undefined;
  const open = (): Promise<Compiled> => (compiled ??= compile(backend, store, shape));
  return {
    async begin() {
      await (await open()).narrow?.run();
    },
    async prefill(lanes) {
      await (await open()).prefill.run(prefillInputs(lanes, shape));
    },
    async decode(lanes, limit) {
      const { decode } = await open();
      const fits = decode.find(({ width }) => width >= lanes.length) as Compiled["decode"][number];
      const inputs = { ...decodeInputs(lanes, fits.width), limit: Int32Array.of(limit) };
      return (await fits.program.run(inputs)) as unknown as Draws;
    },
    async dispose() {
      if (compiled === undefined) return;
      const { narrow, prefill, decode } = await compiled;
      for (const program of [narrow, prefill, ...decode.map((d) => d.program)]) program?.dispose();
    },
  };
}

function prefillInputs(
  lanes: readonly PrefillLane[],
  shape: BatchShape,
): Record<"ids" | "first" | "pages", Int32Array> {
  const ids = new Int32Array(shape.lanes * shape.chunk);
  const first = new Int32Array(shape.lanes).fill(-shape.chunk);
  const pages = new Int32Array(shape.lanes);
  lanes.forEach((lane, i) => {
    for (let t = lane.from; t < lane.to; t++)
      ids[i * shape.chunk + t - lane.from] = lane.ids[t] as number;
    first[i] = lane.from;
    pages[i] = lane.row;
  });
  return { ids, first, pages };
}

function decodeInputs(
  lanes: readonly DecodeLane[],
  width: number,
): Record<"ids" | "first" | "pages" | "uniform" | "temperature", Int32Array | Float32Array> {
  const [ids, pages] = [new Int32Array(width), new Int32Array(width)];
  const first = new Int32Array(width).fill(-1);
  const [uniform, temperature] = [new Float32Array(width), new Float32Array(width)];
  lanes.forEach((lane, i) => {
    ids[i] = lane.id;
    first[i] = lane.position;
    pages[i] = lane.row;
    uniform[i] = lane.uniform;
    temperature[i] = lane.temperature;
  });
  return { ids, first, pages, uniform, temperature };
}
