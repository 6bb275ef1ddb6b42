/**
 * bench:matmul: matrix products of a training step against PyTorch's, both measured in turn, A B
 * A B, on buffers that stay where they are. nt: A[M,K]·W[N,K]ᵀ (forward), nn: A[M,K]·B[K,N] and
 * tn: A[K,M]ᵀ·B[K,N] (the two gradients). Operands and product are stored in the row's precision.
 */
import { type Command, type CommandIo, defineCommand } from "../src/cli/command.ts";
import { runProgram } from "../src/cli/execute.ts";
import type { Backend } from "../src/compute/backend.ts";
import { createCBackend } from "../src/compute/backends/c/backend.node.ts";
import { matmulProgram } from "./matmul-program.ts";
import type { Peer } from "./peer.node.ts";
import { type Cell, median, report, secondsOf, significant } from "./report.ts";
import { howToInstall, startTorch } from "./torch/peer.node.ts";

const SHAPES = [
  [1024, 1024, 1024],
  [2048, 2048, 2048],
  [4096, 384, 1536],
  [4096, 1536, 384],
  [4096, 8192, 384],
] as const;
const FORMS = ["nt", "nn", "tn"] as const;
const PRECISIONS = ["bf16", "f32"] as const;
const THREADS = [1, 2];

interface Case {
  readonly M: number;
  readonly N: number;
  readonly K: number;
  readonly form: (typeof FORMS)[number];
  readonly precision: (typeof PRECISIONS)[number];
}

interface Row extends Omit<Case, "M" | "N" | "K"> {
  readonly shape: string;
  readonly threads: number;
  readonly gflops: number;
  readonly torch_gflops: number | null;
  readonly ratio: number | null;
}

const cases: readonly Case[] = PRECISIONS.flatMap((precision) =>
  SHAPES.flatMap(([M, N, K]) => FORMS.map((form) => ({ M, N, K, form, precision }))),
);

async function measure(
  backend: Backend,
  torch: Peer | null,
  c: Case,
  repeats: number,
): Promise<{ ours: number; theirs: number | null }> {
  const product = await matmulProgram(backend, c);
  const [ours, theirs]: [number[], number[]] = [[], []];
  for (let i = 0; i < repeats; i++) {
    ours.push(await secondsOf(product.run));
    if (torch !== null) theirs.push((await torch.request(c)).seconds as number);
  }
  product.dispose();
  return { ours: median(ours), theirs: torch === null ? null : median(theirs) };
}

async function measureAll(threads: number, repeats: number, io: CommandIo): Promise<Row[]> {
  const backend = await createCBackend({ threads });
  const torch = await startTorch("matmul.py", ["--threads", `${threads}`]);
  if (torch === null) io.stderr(`torch is not installed: ${howToInstall}\n`);
  const rows: Row[] = [];
  for (const c of cases) {
    io.signal.throwIfAborted();
    const { M, N, K, form, precision } = c;
    const { ours, theirs } = await measure(backend, torch, c, repeats);
    const rate = (seconds: number): number => significant((2 * M * N * K) / seconds / 1e9);
    const torchRate = theirs === null ? null : rate(theirs);
    const ratio = theirs === null ? null : significant(theirs / ours, 3);
    const shape = `${M}x${N}x${K}`;
    const gflops = rate(ours);
    rows.push({ shape, form, precision, threads, gflops, torch_gflops: torchRate, ratio });
    io.stderr(`${shape} ${form} ${precision}, ${threads} threads: ${gflops}, torch ${torchRate}\n`);
  }
  await torch?.stop();
  backend.dispose();
  return rows;
}

const command: Command = defineCommand({
  name: "bench:matmul",
  start: "npm run bench:matmul --",
  summary: "matrix products beside PyTorch's, in GFLOP/s",
  example: "npm run bench:matmul -- --repeats 9 --json",
  options: {
    repeats: {
      type: "integer",
      value: 9,
      doc: "Timings of each product; the median counts.",
      check: (n) => (n < 5 ? "must be at least 5" : undefined),
    },
  },
  async run({ repeats }, io) {
    const rows: Row[] = [];
    for (const threads of THREADS) rows.push(...(await measureAll(threads, repeats, io)));
    const ratios = rows.flatMap(({ ratio }) => (ratio === null ? [] : [ratio]));
    const summary =
      ratios.length === 0
        ? { min_ratio: null, median_ratio: null, how_to_install_torch: howToInstall }
        : { min_ratio: Math.min(...ratios), median_ratio: significant(median(ratios), 3) };
    const head = ["M x N x K", "form", "precision", "threads", "GFLOP/s", "torch", "ratio"];
    const table = rows.map((r): Cell[] => [
      ...[r.shape, r.form, r.precision, r.threads],
      ...[r.gflops, r.torch_gflops, r.ratio],
    ]);
    report(io, head, table, { bench: "matmul", repeats, ...summary, rows });
  },
});

await runProgram(command);
