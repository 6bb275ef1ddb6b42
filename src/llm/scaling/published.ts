/**
 * Runs whose size, tokens and GPU hours were published, to hold a plan against. What such a run
 * made of its devices follows from 6 N D and the hours; nothing here is fitted.
 *
 * @see Touvron et al. 2023, arXiv 2307.09288, table 2 (hours of A100-80GB); the dollars are
 * Karpathy's round figure in "Intro to Large Language Models", 2023
 */
import type { Split } from "./chinchilla.ts";
import { trainingFlops } from "./flops.ts";
import { type MachineName, machines } from "./machines.ts";

export interface PublishedRun extends Split {
  readonly name: string;
  readonly machine: MachineName;
  readonly gpuHours: number;
  readonly usd?: number;
  readonly fileBytes?: number;
}

const LLAMA2 = { machine: "a100", tokens: 2e12 } as const;

export const publishedRuns: readonly PublishedRun[] = [
  { ...LLAMA2, name: "LLaMA-2 7B", params: 7e9, gpuHours: 184_320 },
  { ...LLAMA2, name: "LLaMA-2 13B", params: 13e9, gpuHours: 368_640 },
  { ...LLAMA2, name: "LLaMA-2 34B", params: 34e9, gpuHours: 1_038_336 },
  {
    ...LLAMA2,
    name: "LLaMA-2 70B",
    params: 70e9,
    gpuHours: 1_720_320,
    usd: 2e6,
    fileBytes: 140e9,
  },
];

/** Share of the device's bf16 peak that 6 N D makes of the published hours. */
export function impliedMfu(run: PublishedRun): number {
  const peak = machines[run.machine].peakFlopsPerSecond;
  return trainingFlops(run) / (run.gpuHours * 3600 * peak);
}

/** @returns the run on that machine whose parameters and tokens are both within 10 %, if any */
export function comparableRun(machine: MachineName, split: Split): PublishedRun | undefined {
  const near = (a: number, b: number): boolean => Math.abs(a / b - 1) <= 0.1;
  return publishedRuns.find(
    (run) =>
      run.machine === machine && near(split.params, run.params) && near(split.tokens, run.tokens),
  );
}
