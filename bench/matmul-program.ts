/** One matrix product as a program between state tensors: a run copies nothing in or out. */
import type { Backend } from "../src/compute/backend.ts";
import { type Shape, state } from "../src/compute/graph.ts";
import { matmul } from "../src/compute/ops/matmul.ts";
import { sizeOf } from "../src/compute/shape.ts";

export interface Product {
  readonly M: number;
  readonly N: number;
  readonly K: number;
  /** nt: A[M,K]·W[N,K]ᵀ, nn: A[M,K]·B[K,N], tn: A[K,M]ᵀ·B[K,N]. */
  readonly form: "nt" | "nn" | "tn";
  /** Of storage and arithmetic; sums are f32. */
  readonly precision: "bf16" | "f32";
}

export interface RunnableProduct {
  readonly run: () => Promise<unknown>;
  readonly dispose: () => void;
}

/** Compiled, filled with numbers in [-1, 1], and run once. */
export async function matmulProgram(backend: Backend, p: Product): Promise<RunnableProduct> {
  const { M, N, K, form, precision } = p;
  const store = backend.createStore();
  const a = state("a", form === "tn" ? [K, M] : [M, K], precision);
  const b = state("b", form === "nt" ? [N, K] : [K, N], precision);
  const c = state("c", [M, N], precision);
  const value = matmul(a, b, {
    transposeA: form === "tn",
    transposeB: form === "nt",
    compute: precision,
    dtype: precision,
  });
  const program = await backend.compile({ outputs: {}, updates: [{ state: c, value }] }, store);
  const numbers = (shape: Shape): Float32Array =>
    Float32Array.from({ length: sizeOf(shape) }, (_, i) => Math.sin(i));
  await store.write("a", numbers(a.shape));
  await store.write("b", numbers(b.shape));
  await program.run();
  const dispose = (): void => {
    program.dispose();
    store.dispose();
  };
  return { run: () => program.run(), dispose };
}
