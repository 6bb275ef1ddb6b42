/**
 * A cache in pages against a cache in rows: the same bits whatever pages hold a text, in whatever
 * order, shared or not, however many threads there are and whatever the other texts of the batch
 * are. Pages and ends of pages that no query sees are NaN, so one read too many shows.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import type { Backend, HostArray, Program } from "../../src/compute/backend.ts";
import { type DType, input, type Value } from "../../src/compute/graph.ts";
import { attention } from "../../src/compute/ops/attention.ts";
import { cast } from "../../src/compute/ops/elementwise.ts";
import { writeRows } from "../../src/compute/ops/write-rows.ts";
import { fillNormal } from "../../src/compute/philox.ts";
import { forEachBackend, tryCBackend } from "./for-each-backend.ts";

/** G tokens a page, M pages a text, P pages in all; 320 positions are more than a block of keys. */
const [B, H, K, D, G, M, P] = [3, 4, 2, 40, 16, 20, 66];
const S = M * G;
const [ROW, QUERY] = [K * D, H * D];

/** Texts of a batch: where each begins, and how many pages it shares with the first. */
interface Texts {
  readonly first: readonly number[];
  readonly shared: readonly number[];
  readonly seed: number;
}

const texts = (T: number): fc.Arbitrary<Texts> =>
  fc.record({
    first: fc.array(fc.integer({ min: -T, max: S - T }), { minLength: B, maxLength: B }),
    shared: fc.array(fc.nat({ max: M }), { minLength: B, maxLength: B }),
    seed: fc.nat({ max: 1e6 }),
  });

interface Setting {
  readonly dtype: DType;
  readonly T: number;
  readonly window: number | undefined;
}

interface Arrays {
  readonly q: HostArray;
  readonly k: HostArray;
  readonly v: HostArray;
  readonly first: HostArray;
}
interface PagedArrays extends Arrays {
  readonly pages: Int32Array;
}

/** Only whole pages that lie before what either text writes can be shared. */
function sharedPages({ first, shared }: Texts, b: number): number {
  const [mine, others] = [first[b] ?? 0, first[0] ?? 0];
  return Math.max(0, Math.min(shared[b] ?? 0, Math.floor(others / G), Math.floor(mine / G)));
}

/** Rows [texts, S, K, D]: tokens of shared pages are those of text 0. */
function denseArrays(given: Texts, { T }: Setting): Arrays {
  const normal = (size: number, stream: number): Float32Array => {
    const x = new Float32Array(size);
    fillNormal(x, 1, given.seed, stream);
    return x;
  };
  const [k, v] = [normal(B * S * ROW, 1), normal(B * S * ROW, 2)];
  for (let b = 1; b < B; b++)
    for (const x of [k, v]) x.copyWithin(b * S * ROW, 0, sharedPages(given, b) * G * ROW);
  return { q: normal(B * T * QUERY, 3), k, v, first: Int32Array.from(given.first) };
}

/** Pages of text b that some query sees. */
function seenPages({ first }: Texts, { T, window }: Setting, b: number): number[] {
  const start = first[b] ?? 0;
  const from = window === undefined ? 0 : Math.max(0, start - window + 1);
  const [m0, m1] = [Math.floor(from / G), Math.ceil((start + T) / G)];
  return Array.from({ length: Math.max(0, m1 - m0) }, (_, i) => m0 + i);
}

/** The same tokens in pages that are dealt out by `seed`; the rest is NaN or missing. */
function pagedArrays(dense: Arrays, given: Texts, setting: Setting, seed: number): PagedArrays {
  const free = shuffled(P, seed);
  const missing = seed % 2 === 0 ? -1 : 10_000;
  const table = Array.from({ length: B }, () => new Array<number>(M).fill(missing));
  const [k, v] = [1, 2].map(() => new Float32Array(P * G * ROW).fill(Number.NaN)) as Pair;
  for (const [b, pages] of table.entries())
    for (const m of seenPages(given, setting, b)) {
      const other = b > 0 && m < sharedPages(given, b) ? (table[0]?.[m] ?? missing) : missing;
      const page = other === missing ? (free.pop() as number) : other;
      pages[m] = page;
      const tokens = Math.min(G, (given.first[b] ?? 0) + setting.T - m * G);
      const [from, to] = [(b * S + m * G) * ROW, page * G * ROW];
      k.set(dense.k.subarray(from, from + tokens * ROW), to);
      v.set(dense.v.subarray(from, from + tokens * ROW), to);
    }
  return { ...dense, k, v, pages: Int32Array.from(table.flat()) };
}

type Pair = [Float32Array, Float32Array];

function shuffled(n: number, seed: number): number[] {
  const keys = new Float32Array(n);
  fillNormal(keys, 1, seed, 9);
  return [...keys]
    .map((key, i) => [key, i] as const)
    .sort((a, b) => a[0] - b[0])
    .map(([, i]) => i);
}

const partOf = <T extends HostArray>(x: T, b: number): T =>
  x.slice((b * x.length) / B, ((b + 1) * x.length) / B) as T;

/** Text b alone. */
const only = (x: PagedArrays, b: number): PagedArrays => ({
  ...x,
  q: partOf(x.q, b),
  first: partOf(x.first, b),
  pages: partOf(x.pages, b),
});

interface Programs {
  readonly dense: Program;
  readonly paged: Program;
  readonly alone: Program;
}

async function compile(backend: Backend, { dtype, T, window }: Setting): Promise<Programs> {
  const store = backend.createStore();
  const make = (texts: number, isPaged: boolean): Promise<Program> => {
    const cache = isPaged ? [P, G, K, D] : [B, S, K, D];
    const [q, k, v] = [input("q", [texts, T, H, D]), input("k", cache), input("v", cache)].map(
      (x) => cast(x, dtype),
    ) as [Value, Value, Value];
    const y = attention(q, k, v, {
      first: input("first", [texts], "i32"),
      ...(isPaged ? { pages: input("pages", [texts, M], "i32") } : {}),
      ...(window === undefined ? {} : { window }),
    });
    return backend.compile({ outputs: { y } }, store);
  };
  const [dense, paged, alone] = await Promise.all([make(B, false), make(B, true), make(1, true)]);
  return { dense, paged, alone };
}

const bits = async (program: Program, arrays: object): Promise<HostArray> =>
  (await program.run(arrays as Record<string, HostArray>)).y as HostArray;

/** @throws AssertionError at the first number that differs in any bit (but the sign of 0) */
function assertSame(what: string, got: ArrayLike<number>, want: ArrayLike<number>): void {
  assert.equal(got.length, want.length, what);
  for (let i = 0; i < got.length; i++)
    if (got[i] !== want[i]) assert.fail(`${what}: [${i}] is ${got[i]}, wanted ${want[i]}`);
}

const settings: readonly Setting[] = (["f32", "bf16"] as const).flatMap((dtype) =>
  [1, 3, 50].flatMap((T) => [undefined, 37].map((window) => ({ dtype, T, window }))),
);
const nameOf = ({ dtype, T, window }: Setting): string =>
  `${T} queries, ${dtype}, window ${window ?? "none"}`;

for (const setting of settings)
  forEachBackend(`pages = rows: ${nameOf(setting)}`, async (backend) => {
    const { dense, paged, alone } = await compile(backend, setting);
    const property = fc.asyncProperty(texts(setting.T), async (given) => {
      const arrays = denseArrays(given, setting);
      const want = await bits(dense, arrays);
      assertSame("rows", await bits(paged, pagedArrays(arrays, given, setting, 0)), want);
      const others = pagedArrays(arrays, given, setting, given.seed + 1);
      for (let b = 0; b < B; b++)
        assertSame(`text ${b} alone`, await bits(alone, only(others, b)), partOf(want, b));
    });
    await fc.assert(property, { numRuns: backend.name === "c" ? 20 : 2, seed: 5 });
    for (const program of [dense, paged, alone]) program.dispose();
  });

test("pages: one thread and two give the same bits", async (t) => {
  const teams = [await tryCBackend({ threads: 1 }), await tryCBackend({ threads: 2 })];
  for (const setting of settings.filter(({ window }) => window === undefined)) {
    const given: Texts = { first: [S - setting.T, 3, 200], shared: [0, 0, 9], seed: 3 };
    const arrays = pagedArrays(denseArrays(given, setting), given, setting, 1);
    const results: HostArray[] = [];
    for (const team of teams) {
      if ("skip" in team) return t.skip(team.skip);
      const programs = await compile(team.backend, setting);
      results.push(await bits(programs.paged, arrays));
      for (const program of Object.values(programs)) program.dispose();
    }
    assertSame(nameOf(setting), results[1] ?? [], results[0] ?? []);
  }
  for (const team of teams) if ("backend" in team) team.backend.dispose();
});

/** What the op should do, told in another way: position by position. */
function written(cache: HostArray, x: HostArray, first: number[], pages: Int32Array, T: number) {
  const want = cache.slice();
  for (let i = 0; i < B * T; i++) {
    const [b, t] = [Math.floor(i / T), i % T];
    const j = (first[b] ?? 0) + t;
    const page = j < 0 || j >= S ? -1 : (pages[b * M + Math.floor(j / G)] ?? -1);
    if (page >= 0) want.set(x.subarray(i * ROW, (i + 1) * ROW), (page * G + (j % G)) * ROW);
  }
  return want;
}

forEachBackend("rows are written where the page table says, and nowhere else", async (backend) => {
  const T = 37;
  const y = writeRows(
    input("cache", [P, G, K, D]),
    input("x", [B, T, K, D]),
    input("first", [B], "i32"),
    input("pages", [B, M], "i32"),
  );
  const program = await backend.compile({ outputs: { y } }, backend.createStore());
  const positions = fc.array(fc.integer({ min: -2 * T, max: S + 5 }), {
    minLength: B,
    maxLength: B,
  });
  const property = fc.asyncProperty(positions, fc.nat({ max: 1000 }), async (first, seed) => {
    const deal = (page: number, i: number): number => ((i + seed) % 7 === 0 ? -1 : page);
    const pages = Int32Array.from(shuffled(P, seed).slice(0, B * M), deal);
    const [cache, x] = [new Float32Array(P * G * ROW), new Float32Array(B * T * ROW)];
    fillNormal(cache, 1, seed, 1);
    fillNormal(x, 1, seed, 2);
    const got = await bits(program, { cache, x, first: Int32Array.from(first), pages });
    assertSame("cache", got, written(cache, x, first, pages, T));
  });
  await fc.assert(property, { numRuns: 20, seed: 5 });
  program.dispose();
});
