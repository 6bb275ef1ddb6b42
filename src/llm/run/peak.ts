/**
 * What a backend's kernels reach on a large square product, in its own best precision: the
 * denominator of MFU. The best of a few short repeats counts, since anything slower is the machine
 * doing something else. A slow backend is measured on a small product instead, so that all of it
 * stays near a second.
 */
import type { Backend, Program } from "../../compute/backend.ts";
import { type DType, state, type Value } from "../../compute/graph.ts";
import { matmul } from "../../compute/ops/matmul.ts";
import { bestPrecision } from "../model/transformer.ts";

/** A product that any backend ends within a tenth of a second, and one that fills a CPU. */
const [SMALL, LARGE] = [96, 2048] as const;
const REPEATS = 7;
/** Of one run of the large product, at most. */
const RUN_SECONDS = 0.25;
/** Of all repeats of one product: no repeat begins later. */
const BUDGET_SECONDS = 0.6;

/** @returns 10⁹ floating-point operations a second; a multiplication and an addition are two */
export async function measurePeakGflops(backend: Backend): Promise<number> {
  const small = await squareRate(backend, SMALL);
  // Large products run at a higher rate than small ones, so this errs on the side of not trying.
  if (flopsOf(LARGE) / (small * 1e9) > RUN_SECONDS * 8) return small;
  return Math.max(small, await squareRate(backend, LARGE));
}

const square = (name: string, size: number, dtype: DType): Value =>
  state(name, [size, size], dtype);

const flopsOf = (size: number): number => 2 * size ** 3;

async function squareRate(backend: Backend, size: number): Promise<number> {
  const dtype = bestPrecision(backend);
  const store = backend.createStore();
  const [a, b, c] = [square("a", size, dtype), square("b", size, dtype), square("c", size, dtype)];
  const value = matmul(a, b, { transposeB: true, compute: dtype, dtype });
  const program = await backend.compile({ outputs: {}, updates: [{ state: c, value }] }, store);
  // In [-1, 1), and no two rows alike; zeros might be cheaper to multiply.
  const numbers = new Float32Array(size * size).map((_, i) => ((i * 7919) % 4099) / 2049.5 - 1);
  await store.write("a", numbers);
  await store.write("b", numbers);
  const seconds = await bestSeconds(program);
  program.dispose();
  store.dispose();
  return flopsOf(size) / seconds / 1e9;
}

/** The first run warms up caches and is not counted. */
async function bestSeconds(program: Program): Promise<number> {
  await program.run();
  const begun = performance.now();
  let best = Number.POSITIVE_INFINITY;
  for (let i = 0; i < REPEATS && performance.now() - begun < BUDGET_SECONDS * 1000; i++) {
    const start = performance.now();
    await program.run();
    best = Math.min(best, (performance.now() - start) / 1000);
  }
  return best;
}
