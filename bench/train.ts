/**
 * bench:train: one training step (see train-step.ts) beside PyTorch's of the same shapes, in turn,
 * and the peak that the same kernels reach on a 2048³ product in the same run.
 *
 * FLOPs per token are 6 per parameter of every matrix product plus 12·L·C·T for attention, which
 * counts the masked half too (Chowdhery et al. 2022, appendix B). `mfu_causal` leaves that out.
 * `planned_mb` is weights, gradients, optimizer state and activations by the compiler's plan.
 */
import { readFileSync } from "node:fs";
import { type Command, type CommandIo, defineCommand } from "../src/cli/command.ts";
import { runProgram } from "../src/cli/execute.ts";
import { createCBackend } from "../src/compute/backends/c/backend.node.ts";
import { countParameters, flopsPerToken } from "../src/llm/model/size.ts";
import type { OptionTableFor } from "../src/options.ts";
import { matmulProgram } from "./matmul-program.ts";
import { type RoundValues, roundOptions } from "./options.ts";
import type { Peer } from "./peer.node.ts";
import { median, report, secondsOf, significant } from "./report.ts";
import { howToInstall, startTorch } from "./torch/peer.node.ts";
import { B, config, prepareTrainStep, T, type TrainStep } from "./train-step.ts";

const PEAK = { M: 2048, N: 2048, K: 2048, form: "nt", precision: "bf16" } as const;
/** The peak's product is short: several beside each step. */
const PEAK_RUNS = 5;
const MB = 2 ** 20;

/** Highest resident memory of this process so far, in MB. */
function peakRssMb(): number {
  const status = readFileSync("/proc/self/status", "utf8");
  return Number(/VmHWM:\s+(\d+) kB/.exec(status)?.[1]) / 1024;
}

interface Times {
  readonly ours: number[];
  readonly peak: number[];
  readonly bf16: number[];
  readonly f32: number[];
}

interface Contestants {
  readonly step: TrainStep;
  readonly peak: () => Promise<unknown>;
  readonly bf16: Peer | null;
  readonly f32: Peer | null;
}

async function torchStep(peer: Peer | null, times: number[]): Promise<void> {
  if (peer !== null) times.push((await peer.request({ op: "step" })).seconds as number);
}

/** Rounds of everybody in turn, so that a slow minute of the machine meets all alike. */
async function alternate(c: Contestants, repeats: number, io: CommandIo): Promise<Times> {
  const times: Times = { ours: [], peak: [], bf16: [], f32: [] };
  for (let i = 0; i < repeats; i++) {
    io.signal.throwIfAborted();
    times.ours.push(await secondsOf(c.step.run));
    for (let k = 0; k < PEAK_RUNS; k++) times.peak.push(await secondsOf(c.peak));
    await torchStep(c.bf16, times.bf16);
    await torchStep(c.f32, times.f32);
    const [a, b, f] = [times.ours, times.bf16, times.f32].map((t) => t[i]?.toFixed(3) ?? "-");
    io.stderr(`${i + 1}/${repeats}: ours ${a} s, torch bf16 ${b} s, torch f32 ${f} s\n`);
  }
  return times;
}

const rate = (times: readonly number[]): number | null =>
  times.length > 0 ? significant((B * T) / median(times)) : null;

function resultOf(times: Times): {
  tok_per_s: number;
  gflops: number;
  peak_gflops: number;
  mfu: number;
  mfu_causal: number;
  torch_bf16_tok_per_s: number | null;
  torch_f32_tok_per_s: number | null;
  ratio_best_torch: number | null;
} {
  const perToken = flopsPerToken(config);
  const tokens = rate(times.ours) as number;
  const peak = (2 * PEAK.M * PEAK.N * PEAK.K) / median(times.peak) / 1e9;
  const [bf16, f32] = [rate(times.bf16), rate(times.f32)];
  return {
    tok_per_s: tokens,
    gflops: significant((tokens * perToken.total) / 1e9),
    peak_gflops: significant(peak),
    mfu: significant((tokens * perToken.total) / 1e9 / peak, 3),
    mfu_causal: significant((tokens * perToken.causalTotal) / 1e9 / peak, 3),
    torch_bf16_tok_per_s: bf16,
    torch_f32_tok_per_s: f32,
    ratio_best_torch:
      bf16 === null || f32 === null ? null : significant(tokens / Math.max(bf16, f32), 3),
  };
}

async function bench(threads: number, repeats: number, io: CommandIo): Promise<void> {
  const backend = await createCBackend({ threads });
  io.stderr(`ours: ${backend.description}\n`);
  const step = await prepareTrainStep(backend);
  await step.run();
  const peakRss = peakRssMb();
  const { run: peak } = await matmulProgram(backend, PEAK);
  const peer = (precision: string): Promise<Peer | null> =>
    startTorch("train.py", ["--precision", precision, "--threads", `${threads}`]);
  const [bf16, f32] = [await peer("bf16"), await peer("f32")];
  const times = await alternate({ step, peak, bf16, f32 }, repeats, io);
  await bf16?.stop();
  await f32?.stop();
  const result = resultOf(times);
  const { arenaBytes, scratchBytes, kernels } = step.program.plan;
  const head = ["", "tok/s", "seconds a step"];
  const row = (name: string, list: readonly number[]): (string | number | null)[] => [
    ...[name, rate(list)],
    list.length > 0 ? significant(median(list), 3) : null,
  ];
  const rows = [row("nutshell", times.ours), row("torch bf16", times.bf16)];
  report(io, head, [...rows, row("torch f32", times.f32)], {
    bench: "train",
    ...result,
    ...(bf16 === null ? { how_to_install_torch: howToInstall } : {}),
    peak_rss_mb: Math.round(peakRss),
    planned_mb: Math.round((step.store.bytes() + arenaBytes + scratchBytes) / MB),
    params: countParameters(config).total,
    compile_s: significant(step.compileSeconds, 3),
    ...{ kernels, threads, repeats },
  });
  backend.dispose();
}

const command: Command<OptionTableFor<RoundValues>> = defineCommand({
  name: "bench:train",
  start: "npm run bench:train --",
  summary: "one training step beside PyTorch's, in tokens per second",
  example: "npm run bench:train -- --repeats 9 --json",
  options: roundOptions(9, 5),
  run: ({ repeats, threads }, io) => bench(threads, repeats, io),
});

await runProgram(command);
