/**
 * The graphs of an engine's runs, all of one kind: so many lanes of so many tokens go through the
 * network, each at its own position over its own pages, and give what is asked for. Compiled when
 * first needed, all over one paged cache in the store.
 *
 * An idle lane has no page: it writes nothing and sees no key. The padding of a lane lies behind
 * its text, where no query looks, in a page that is the text's own, or in none.
 */
import type { Backend, HostArray, Program, Store } from "../../compute/backend.ts";
import { type Graph, input, type Value } from "../../compute/graph.ts";
import { allowIds } from "../../compute/ops/allow-ids.ts";
import { cast } from "../../compute/ops/elementwise.ts";
import { sampleRows } from "../../compute/ops/sample-rows.ts";
import type { ModelConfig } from "../model/config.ts";
import {
  hiddenStates,
  type KvCache,
  logits,
  type Parameters,
  type Precision,
  pagedCache,
} from "../model/transformer.ts";
import { createLazyPrograms } from "./lazy-programs.ts";

export interface EngineShape {
  readonly config: ModelConfig;
  readonly precision: Precision;
  /** The weights as the graphs read them. */
  readonly params: Parameters;
  /** Pages of the cache, tokens of each, and pages of the longest text. */
  readonly pages: number;
  readonly pageLen: number;
  readonly pagesOfText: number;
  /** Ids below it are drawn. */
  readonly vocabSize: number;
}

/**
 * What a run gives beside the cache it fills: nothing; the next id of each lane; that and the
 * logits; logits [V] or hidden states [C] of every row.
 */
export type RunOutput = "none" | "draw" | "draw-and-logits" | "logits" | "hidden";

export interface RunShape {
  readonly lanes: number;
  /** Tokens a lane. */
  readonly width: number;
  readonly output: RunOutput;
}

/** Known ids[from..to) at these positions of a text that lies in `pages`. */
export interface Lane {
  readonly ids: readonly number[];
  readonly from: number;
  readonly to: number;
  readonly pages: readonly number[];
  /** Of the id that is drawn; absent: nobody looks at it. */
  readonly draw?: {
    readonly temperature: number;
    readonly uniform: number;
    /** One bit an id, u32 [ceil(vocabulary / 32)]; absent: any. */
    readonly allowed: Uint32Array | undefined;
  };
}

export interface RunResult {
  /** i32 [lanes]: drawn ids, -1 where no logit was finite. */
  readonly id?: Int32Array;
  /** f32 [lanes · width, V] */
  readonly logits?: Float32Array;
  /** f32 [lanes · width, C] */
  readonly hidden?: Float32Array;
}

export interface EnginePrograms {
  /** @param lanes at most `shape.lanes`, each of at most `shape.width` ids */
  run(shape: RunShape, lanes: readonly Lane[]): Promise<RunResult>;
  /** Keys and values of one page, layer after layer, as they are stored. */
  readPage(page: number): Promise<Uint8Array>;
  writePage(page: number, bytes: Uint8Array): Promise<void>;
  dispose(): Promise<void>;
}

function engineGraph(
  shape: EngineShape,
  cache: KvCache,
  { lanes, width, output }: RunShape,
): Graph {
  const { config, params, precision } = shape;
  const ids = input("ids", [lanes, width], "i32");
  const { hidden, cacheUpdates } = hiddenStates(config, params, ids, { precision, cache });
  const scores = (): Value => logits(config, params, hidden, precision);
  const outputs: Record<RunOutput, () => Record<string, Value>> = {
    none: () => ({}),
    draw: () => ({ id: drawn(scores()) }),
    "draw-and-logits": () => {
      const all = scores();
      return { id: drawn(all), logits: all };
    },
    logits: () => ({ logits: scores() }),
    hidden: () => ({ hidden: cast(hidden, "f32") }),
  };
  return { outputs: outputs[output](), updates: cacheUpdates };
}

function drawn(all: Value): Value {
  const [lanes, V] = all.shape as [number, number];
  const [uniform, temperature] = [input("uniform", [lanes]), input("temperature", [lanes])];
  const allowed = allowIds(all, input("allowed", [lanes, wordsOf(V)], "i32"));
  return sampleRows(allowed, uniform, temperature, input("limit", [], "i32")).id;
}

/** Words of one bit an id. */
const wordsOf = (V: number): number => Math.ceil(V / 32);

/** Caches of a store that engines have now: two engines never share one. */
const taken = new WeakMap<Store, Set<string>>();

function takeName(store: Store, { pages, pageLen, precision }: EngineShape): string {
  const names = taken.get(store) ?? new Set();
  taken.set(store, names);
  for (let i = 0; ; i++) {
    const name = `pages-${i}-${pages}x${pageLen}-${precision}`;
    if (names.has(name)) continue;
    names.add(name);
    return name;
  }
}

export function createEnginePrograms(
  backend: Backend,
  store: Store,
  shape: EngineShape,
): EnginePrograms {
  const name = takeName(store, shape);
  const programs = createLazyPrograms((key: string): Promise<Program> => {
    const run = JSON.parse(key) as RunShape;
    return backend.compile(engineGraph(shape, cacheOf(shape, run.lanes, name), run), store);
  });
  const tensors = cacheOf(shape, 1, name).layers.flatMap(({ k, v }) => [k, v]);
  const [first] = tensors as [Value];
  const count = (first.shape.slice(1) as number[]).reduce((a, b) => a * b);
  const pageBytes = count * (first.dtype === "bf16" ? 2 : 4);
  for (const { node, shape, dtype } of tensors) store.define(node.attrs.name, { shape, dtype });
  return {
    async run({ lanes, width, output }, given) {
      const program = await programs.of(JSON.stringify({ lanes, width, output }));
      return program.run(runInputs(shape, { lanes, width, output }, given));
    },
    async readPage(page) {
      const all = new Uint8Array(tensors.length * pageBytes);
      for (const [i, { node }] of tensors.entries()) {
        const bytes = await store.readBytes(node.attrs.name, { at: page * count, count });
        all.set(bytes, i * pageBytes);
      }
      return all;
    },
    async writePage(page, all) {
      for (const [i, { node }] of tensors.entries()) {
        const bytes = all.subarray(i * pageBytes, (i + 1) * pageBytes);
        await store.writeBytes(node.attrs.name, bytes, page * count);
      }
    },
    async dispose() {
      await programs.dispose();
      taken.get(store)?.delete(name);
    },
  };
}

const cacheOf = (shape: EngineShape, lanes: number, name: string): KvCache => {
  const { config, pages, pageLen, pagesOfText, precision } = shape;
  return pagedCache(config, pages, pageLen, pagesOfText, lanes, precision, name);
};

function runInputs(
  shape: EngineShape,
  { lanes, width, output }: RunShape,
  given: readonly Lane[],
): Record<string, HostArray> {
  const { pageLen, pagesOfText, vocabSize } = shape;
  const ids = new Int32Array(lanes * width);
  const first = new Int32Array(lanes);
  const pages = new Int32Array(lanes * pagesOfText).fill(-1);
  for (const [i, lane] of given.entries()) {
    for (let at = lane.from; at < lane.to; at++)
      ids[i * width + at - lane.from] = lane.ids[at] as number;
    first[i] = lane.from;
    pages.set(lane.pages.slice(0, Math.ceil(lane.to / pageLen)), i * pagesOfText);
  }
  if (output !== "draw" && output !== "draw-and-logits") return { ids, first, pages };
  const [uniform, temperature] = [new Float32Array(lanes), new Float32Array(lanes)];
  const words = wordsOf(shape.config.vocabSize);
  const allowed = new Int32Array(lanes * words).fill(-1);
  for (const [i, { draw }] of given.entries()) {
    uniform[i] = draw?.uniform ?? 0;
    temperature[i] = draw?.temperature ?? 0;
    if (draw?.allowed === undefined) continue;
    allowed.fill(0, i * words, (i + 1) * words);
    allowed.set(draw.allowed.subarray(0, words), i * words);
  }
  const limit = Int32Array.of(vocabSize);
  return { ids, first, pages, uniform, temperature, allowed, limit };
}
