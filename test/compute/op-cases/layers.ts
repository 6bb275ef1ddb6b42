/** Cases of attention, RMSNorm, RoPE, embedding, the cache, the optimizer and random numbers. */

import { grad } from "../../../src/compute/gradients.ts";
import type { Value } from "../../../src/compute/graph.ts";
import { adamw } from "../../../src/compute/ops/adamw.ts";
import { allowIds } from "../../../src/compute/ops/allow-ids.ts";
import { attention } from "../../../src/compute/ops/attention.ts";
import { sum } from "../../../src/compute/ops/broadcast.ts";
import { mul } from "../../../src/compute/ops/elementwise.ts";
import { embedding } from "../../../src/compute/ops/embedding.ts";
import { randomUniform } from "../../../src/compute/ops/random-uniform.ts";
import { rmsNorm } from "../../../src/compute/ops/rms-norm.ts";
import { rope } from "../../../src/compute/ops/rope.ts";
import { sampleRows } from "../../../src/compute/ops/sample-rows.ts";
import { writeRows } from "../../../src/compute/ops/write-rows.ts";
import {
  type CaseInput,
  integers,
  keptF32,
  normal,
  numbers,
  type OpCase,
  positive,
} from "./case.ts";

interface Heads {
  readonly name: string;
  /** [B, T, S, H, K, D] */
  readonly sizes: readonly [number, number, number, number, number, number];
  readonly window?: number;
  /** One position, or one for each batch row. */
  readonly first?: number | readonly number[];
  readonly std?: number;
  readonly cancels?: number;
}

const attentions: readonly Heads[] = [
  { name: "causal", sizes: [2, 5, 5, 2, 2, 4] },
  { name: "grouped keys", sizes: [1, 4, 4, 6, 2, 4] },
  { name: "window", sizes: [1, 7, 7, 2, 1, 4], window: 3 },
  { name: "window of one", sizes: [1, 3, 3, 1, 1, 2], window: 1, cancels: 4 },
  { name: "last queries of a longer key list", sizes: [1, 3, 8, 4, 2, 4] },
  { name: "given first position", sizes: [1, 3, 8, 2, 2, 4], first: 2 },
  { name: "given first position and window", sizes: [2, 3, 9, 2, 1, 4], first: 4, window: 4 },
  { name: "one query", sizes: [2, 1, 33, 4, 2, 8], first: 20 },
  {
    name: "one query a row, each at its own position",
    sizes: [3, 1, 33, 4, 2, 8],
    first: [20, 0, 32],
  },
  { name: "own positions, window", sizes: [3, 5, 12, 2, 1, 4], first: [4, 0, 7], window: 4 },
  {
    name: "own positions, longer than a tile",
    sizes: [3, 60, 70, 2, 1, 8],
    first: [10, -60, 3],
    cancels: 4,
  },
  { name: "more queries than keys: some see none", sizes: [1, 6, 3, 2, 1, 4] },
  { name: "first queries before all keys", sizes: [1, 4, 4, 2, 2, 4], first: -2 },
  { name: "no query sees a key", sizes: [1, 3, 4, 2, 1, 4], first: 10, window: 3 },
  { name: "longer than a tile", sizes: [2, 70, 70, 4, 2, 16] },
  { name: "longer than a tile, window", sizes: [1, 150, 150, 2, 1, 8], window: 37 },
  { name: "scores of hundreds", sizes: [1, 6, 6, 2, 2, 8], std: 15, cancels: 1000 },
];

interface Paged {
  readonly name: string;
  /** [B, T, H, K, D] */
  readonly sizes: readonly [number, number, number, number, number];
  /** Pages, tokens of each. */
  readonly cache: readonly [number, number];
  readonly first: readonly number[];
  readonly pages: readonly (readonly number[])[];
  readonly window?: number;
}

const pagedAttentions: readonly Paged[] = [
  {
    name: "one query a text, pages out of order, one shared",
    sizes: [3, 1, 4, 2, 8],
    cache: [7, 16],
    first: [40, 15, 17],
    pages: [
      [5, 0, 3],
      [5, -1, -1],
      [5, 6, 9],
    ],
  },
  {
    name: "queries longer than a tile, padding that has no page, an idle lane",
    sizes: [3, 60, 2, 1, 8],
    cache: [9, 32],
    first: [70, -60, 0],
    pages: [
      [8, 1, 4, 2, 0],
      [3, 3, 3, 3, 3],
      [8, -1, 5, 6, 7],
    ],
  },
  ...[undefined, 280].map((window) => ({
    name: `a few queries, many pages, window ${window}`,
    sizes: [2, 3, 6, 2, 40] as const,
    cache: [45, 16] as const,
    first: [595, 290],
    pages: [0, 21].map((start) => Array.from({ length: 38 }, (_, m) => (start + 7 * m) % 45)),
    ...(window === undefined ? {} : { window }),
  })),
  ...[1, 50].map((T) => ({
    name: `${T} queries, pages behind the window missing`,
    sizes: [2, T, 2, 2, 20] as const,
    cache: [8, 16] as const,
    first: [60, 45],
    pages: [
      [-1, -1, 7, 2, 0, 1, 3],
      [-1, -1, 4, 5, 6, -1, 8],
    ],
    window: 12,
  })),
];

const pagedCase = (c: Paged): OpCase => {
  const [B, T, H, K, D] = c.sizes;
  const table = integers([B, c.pages[0]?.length ?? 0], c.pages.flat());
  const cache = normal([...c.cache, K, D]);
  return {
    name: c.name,
    inferenceOnly: true,
    inputs: [normal([B, T, H, D]), cache, cache, positions(c.first), table],
    build: ([q, k, v, first, pages]) => {
      const window = c.window === undefined ? {} : { window: c.window };
      const options = { first: first as Value, pages: pages as Value, ...window };
      return [attention(q as Value, k as Value, v as Value, options)];
    },
  };
};

const positions = (first: number | readonly number[]): CaseInput =>
  typeof first === "number" ? integers([], [first]) : integers([first.length], first);

const attentionCase = (h: Heads, withGradient: boolean): OpCase => {
  const [B, T, S, H, K, D] = h.sizes;
  const std = h.std ?? 1;
  const queries = normal([B, T, H, D], std);
  const keys = normal([B, S, K, D], std);
  return {
    name: h.name,
    ...(h.cancels === undefined ? {} : { cancels: h.cancels }),
    inputs: [queries, keys, keys, positions(h.first ?? S - T), normal([B, T, H, D])],
    build: ([q, k, v, first, g]) => {
      const options = {
        ...(h.window === undefined ? {} : { window: h.window }),
        ...(h.first === undefined ? {} : { first: first as Value }),
      };
      const y = attention(q as Value, k as Value, v as Value, options);
      if (!withGradient) return [y];
      return [y, ...grad(sum(mul(y, g as Value)), [q as Value, k as Value, v as Value])];
    },
  };
};

const norm = (
  name: string,
  shape: readonly number[],
  std: number,
  eps: number,
  withGradient: boolean,
): OpCase => {
  const C = shape[shape.length - 1] ?? 1;
  return {
    name,
    inputs: [normal(shape, std), keptF32(positive([C])), normal(shape)],
    build: ([x, gain, g], variant) => {
      const y = rmsNorm(x as Value, gain as Value, eps, variant);
      if (!withGradient) return [y];
      return [y, ...grad(sum(mul(y, g as Value)), [x as Value, gain as Value])];
    },
  };
};

const norms = (withGradient: boolean): OpCase[] => [
  norm("[3,8]", [3, 8], 1, 1e-5, withGradient),
  norm("[2,3,5]", [2, 3, 5], 2, 1e-6, withGradient),
  norm("rows as small as eps", [3, 6], 0.1, 0.01, withGradient),
  norm("more rows and columns than a tile", [70, 67], 1, 1e-5, withGradient),
  norm("rows of zeros", [2, 4], 0, 0.01, withGradient),
];

type First = number | readonly number[] | undefined;
const rotations: readonly (readonly [string, readonly number[], First])[] = [
  ["from position 0", [2, 3, 2, 4], undefined],
  ["from position 5", [1, 3, 2, 8], 5],
  ["one far position", [2, 1, 3, 16], 1000],
  ["longer than a tile", [1, 67, 2, 6], undefined],
  ["each row from its own position", [4, 3, 2, 10], [7, 0, -3, 2000]],
  ["each row at its own far position", [2, 1, 3, 64], [131071, 1000000]],
];

/** Greedy, warm, hot and nearly cold rows; an infinite logit, one that is no number. */
const draws = (name: string, [B, V]: readonly [number, number], limit: number): OpCase => ({
  name,
  inputs: [
    keptF32({
      ...normal([B, V], 2),
      fill: (size, stream) =>
        Array.from(normal([B, V], 2).fill(size, stream), (x, i) =>
          i === 1 ? -Infinity : i === V + 2 ? Number.NaN : x,
        ),
    }),
    keptF32(numbers([B], [0.3, 0, 0.999, 0.61, 0.87, 0.1])),
    keptF32(numbers([B], [1, 0, 0.7, 3, 1, 0.05])),
    integers([], [limit]),
  ],
  build: ([logits, uniform, temperature, limit]) => {
    const x = [logits, uniform, temperature, limit] as [Value, Value, Value, Value];
    return Object.values(sampleRows(...x));
  },
  variants: ["f32"],
});

/** The same under one bit an id: all, none of the first word, some, none at all, a last word. */
const allowedDraws = ([B, V]: readonly [number, number]): OpCase => {
  const words = Math.ceil(V / 32);
  const bits = Array.from(
    { length: B * words },
    (_, i) =>
      [-1, 0, 0x0f0f00f1, -1, i % words === words - 1 ? 1 << (V % 32) : -2][(i / words) | 0],
  ) as number[];
  const { inputs, build } = draws(`of ${V} ids`, [B, V], V);
  return {
    name: `of ${V} ids, the allowed`,
    inputs: [...inputs, integers([B, words], bits)],
    build: ([logits, ...x], variant) =>
      build([allowIds(logits as Value, x.pop() as Value), ...x], variant),
    variants: ["f32"],
  };
};

const ids = integers([2, 4], [3, 0, 3, 9, 7, 3, 0, 1]);

const step = (name: string, scalars: readonly number[], shape: readonly number[]): OpCase => ({
  name,
  inputs: [
    normal(shape),
    normal(shape),
    normal(shape, 0.1),
    positive(shape),
    numbers([5], scalars),
  ],
  build: ([p, g, m, v, s]) =>
    adamw(p as Value, g as Value, m as Value, v as Value, s as Value, {
      ...{ beta1: 0.9, beta2: 0.95, eps: 1e-8, weightDecay: 0.1, lrScale: 0.5 },
    }),
  variants: ["f32"],
});

export const layerCases: Readonly<Record<string, readonly OpCase[]>> = {
  attention: [...attentions.map((h) => attentionCase(h, false)), ...pagedAttentions.map(pagedCase)],
  attentionGrad: attentions.map((h) => attentionCase(h, true)),
  rmsNorm: norms(false),
  rmsNormGrad: norms(true),
  rope: rotations.map(([name, shape, first]) => ({
    name,
    inputs: [normal(shape), positions(first ?? 0)],
    build: ([x, position]) => [
      first === undefined ? rope(x as Value, 10000) : rope(x as Value, 10000, position as Value),
    ],
  })),
  embedding: [
    {
      name: "repeated ids",
      inputs: [normal([10, 6]), ids],
      build: ([table, at]) => [embedding(table as Value, at as Value)],
    },
    {
      name: "one id, odd width",
      inputs: [normal([4, 67]), integers([1], [2])],
      build: ([table, at]) => [embedding(table as Value, at as Value)],
    },
  ],
  embeddingGrad: [
    {
      name: "repeated and absent ids",
      inputs: [normal([10, 6]), ids, normal([2, 4, 6])],
      build: ([table, at, g]) =>
        grad(sum(mul(embedding(table as Value, at as Value), g as Value)), [table as Value]),
    },
    {
      name: "many ids of few rows",
      inputs: [normal([5, 33]), integers([130], [4, 0, 0, 2]), normal([130, 33])],
      build: ([table, at, g]) =>
        grad(sum(mul(embedding(table as Value, at as Value), g as Value)), [table as Value]),
    },
  ],
  writeRows: [
    {
      name: "in the middle",
      inputs: [normal([2, 6, 3]), normal([2, 2, 3]), integers([], [3])],
      build: ([cache, x, first]) => [writeRows(cache as Value, x as Value, first as Value)],
    },
    {
      name: "whole heads at the end, rows in f32",
      inputs: [normal([2, 5, 2, 4]), keptF32(normal([2, 1, 2, 4])), integers([], [4])],
      build: ([cache, x, first]) => [writeRows(cache as Value, x as Value, first as Value)],
    },
    {
      name: "each row at its own position, what falls outside is dropped",
      inputs: [normal([4, 6, 3]), normal([4, 2, 3]), positions([3, -1, 5, -9])],
      build: ([cache, x, first]) => [writeRows(cache as Value, x as Value, first as Value)],
    },
    {
      name: "two rows of a larger cache",
      inputs: [normal([5, 6, 3]), normal([2, 2, 3]), positions([4, 1]), integers([2, 1], [3, 0])],
      build: ([cache, x, first, pages]) => [
        writeRows(cache as Value, x as Value, first as Value, pages as Value),
      ],
    },
    {
      name: "across pages, into missing ones, beyond the last",
      inputs: [
        normal([6, 16, 3]),
        normal([4, 9, 3]),
        positions([11, 28, -4, 12]),
        integers([4, 2], [3, 0, 5, 2, -1, 1, 4, 6]),
      ],
      build: ([cache, x, first, pages]) => [
        writeRows(cache as Value, x as Value, first as Value, pages as Value),
      ],
    },
  ],
  allowIds: [allowedDraws([5, 61]), allowedDraws([5, 700])],
  sampleRows: [
    draws("few ids", [5, 7], 7),
    draws("more ids than a run", [6, 700], 700),
    draws("ids below a limit", [6, 700], 311),
  ],
  adamw: [
    step("an early step", [0.01, 1, 0.1, 0.05, 1], [7, 5]),
    step("scaled gradient", [0.003, 0.25, 0.9, 0.7, 1], [70, 33]),
    step("not applied", [0.01, 1, 0.1, 0.05, 0], [7, 5]),
  ],
  randomUniform: [
    {
      name: "counter 0",
      inputs: [integers([], [0])],
      build: ([counter]) => [randomUniform([5, 3], 7, 2, counter as Value)],
    },
    {
      name: "large seed, stream and counter",
      inputs: [integers([], [123456789])],
      build: ([counter]) => [randomUniform([130], 0xfedcba98, 0x89abcdef, counter as Value)],
    },
  ],
};
