/**
 * bench:matmul: matrix products of a training step against PyTorch's, both measured in turn, A B
 * A B, on buffers that stay where they are. nt: A[M,K]·W[N,K]ᵀ (forward), nn: A[M,K]·B[K,N] and
 * tn: A[K,M]ᵀ·B[K,N] (the two gradients). Operands and product are stored in the row's precision.
 *
 *     npm run bench:matmul -- --json          npm run bench:matmul -- --repeats 9
 */

import type { Backend, Program } from "../src/compute/backend.ts";
import { createCBackend } from "../src/compute/backends/c/backend.node.ts";
import { state } from "../src/compute/graph.ts";
import { matmul } from "../src/compute/ops/matmul.ts";
import { median, printJson, printTable, say, significant } from "./report.ts";
import { howToInstall, type Peer, startTorch } from "./torch/peer.node.ts";

type Precision = "bf16" | "f32";
type Form = "nt" | "nn" | "tn";

const SHAPES = [
  [1024, 1024, 1024],
  [2048, 2048, 2048],
  [4096, 384, 1536],
  [4096, 1536, 384],
  [4096, 8192, 384],
] as const;
const FORMS: readonly Form[] = ["nt", "nn", "tn"];
const PRECISIONS: readonly Precision[] = ["bf16", "f32"];

const at = process.argv.indexOf("--repeats");
const repeats = at > 0 ? Math.max(5, Number(process.argv[at + 1])) : 9;

interface Case {
  readonly M: number;
  readonly N: number;
  readonly K: number;
  readonly form: Form;
  readonly precision: Precision;
}

/** A program of one product between state tensors: nothing is copied in or out. */
async function prepare(
  backend: Backend,
  c: Case,
): Promise<{ program: Program; dispose: () => void }> {
  const { M, N, K, form, precision } = c;
  const store = backend.createStore();
  const a = state("a", form === "tn" ? [K, M] : [M, K], precision);
  const b = state("b", form === "nt" ? [N, K] : [K, N], precision);
  for (const x of [a, b]) {
    store.define(x.node.attrs.name, x);
    const values = Float32Array.from({ length: x.shape.reduce((p, n) => p * n, 1) }, (_, i) =>
      Math.sin(i),
    );
    await store.write(x.node.attrs.name, values);
  }
  const product = matmul(a, b, {
    transposeA: form === "tn",
    transposeB: form === "nt",
    compute: precision,
    dtype: precision,
  });
  const updates = [{ state: state("c", [M, N], precision), value: product }];
  const program = await backend.compile({ outputs: {}, updates }, store);
  await program.run();
  return {
    program,
    dispose: () => {
      program.dispose();
      store.dispose();
    },
  };
}

async function seconds(run: () => Promise<unknown>): Promise<number> {
  const start = performance.now();
  await run();
  return (performance.now() - start) / 1000;
}

async function measure(
  backend: Backend,
  torch: Peer | null,
  c: Case,
): Promise<[ours: number, torch: number | null]> {
  const { program, dispose } = await prepare(backend, c);
  const [mine, theirs]: [number[], number[]] = [[], []];
  for (let i = 0; i < repeats; i++) {
    mine.push(await seconds(() => program.run()));
    if (torch !== null) theirs.push((await torch.request(c)).seconds as number);
  }
  dispose();
  return [median(mine), torch === null ? null : median(theirs)];
}

const rows: object[] = [];
const table: (string | number | null)[][] = [];
for (const threads of [1, 2]) {
  const backend = await createCBackend({ threads });
  const torch = await startTorch("matmul.py", ["--threads", `${threads}`]);
  if (torch === null) say(`torch is not installed: ${howToInstall}`);
  for (const precision of PRECISIONS)
    for (const [M, N, K] of SHAPES)
      for (const form of FORMS) {
        const [ours, theirs] = await measure(backend, torch, { M, N, K, form, precision });
        const gflops = (s: number | null): number | null =>
          s === null ? null : significant((2 * M * N * K) / s / 1e9);
        const ratio = theirs === null ? null : significant(theirs / ours, 3);
        const name = `${M}x${N}x${K}`;
        rows.push({
          shape: name,
          form,
          precision,
          threads,
          gflops: gflops(ours),
          torch_gflops: gflops(theirs),
          ratio,
        });
        table.push([name, form, precision, threads, gflops(ours), gflops(theirs), ratio]);
        say(
          `${name} ${form} ${precision} ${threads} threads: ${gflops(ours)} GFLOP/s, torch ${gflops(theirs)}`,
        );
      }
  await torch?.stop();
  backend.dispose();
}
printTable(["M x N x K", "form", "precision", "threads", "GFLOP/s", "torch", "ratio"], table);
const ratios = table.flatMap((row) => (typeof row[6] === "number" ? [row[6]] : []));
printJson({
  bench: "matmul",
  repeats,
  min_ratio: ratios.length > 0 ? Math.min(...ratios) : null,
  median_ratio: ratios.length > 0 ? significant(median(ratios), 3) : null,
  torch: ratios.length > 0 ? "measured" : null,
  how_to_install: ratios.length > 0 ? undefined : howToInstall,
  rows,
});
