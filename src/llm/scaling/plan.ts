/**
 * What a budget buys, or what a model costs: from any of size, tokens and a budget to FLOPs,
 * hours, money, memory and file size. Pure: every assumption is in the request and in the result.
 */
import { NutshellError } from "../../error.ts";
import {
  type FitName,
  lossFits,
  optimalSplit,
  optimalTokens,
  predictLoss,
  type Split,
} from "./chinchilla.ts";
import {
  attentionFlops,
  likelySequenceLen,
  likelyShape,
  type ModelShape,
  trainingFlops,
} from "./flops.ts";
import { flopsPerHour, type Machine } from "./machines.ts";
import {
  type FileSizes,
  fileSizes,
  type Precision,
  type TrainingMemory,
  trainingMemory,
} from "./memory.ts";
import { comparableRun, impliedMfu, type PublishedRun } from "./published.ts";

/** What may be spent, in one unit. Hours are hours of the clock on each of `gpus` devices. */
export type Budget =
  | { readonly flops: number }
  | { readonly usd: number }
  | { readonly hours: number; readonly gpus: number };

export interface PlanRequest {
  readonly machine: Machine;
  /** Devices that share the work, for hours of the clock. */
  readonly gpus: number;
  readonly fit: FitName;
  readonly precision: Precision;
  /** Tokens of context; absent: as long as models of this size use. */
  readonly sequenceLen?: number | undefined;
  readonly params?: number | undefined;
  readonly tokens?: number | undefined;
  readonly budget?: Budget | undefined;
  /** A known model: its shape, and what its file holds, embedding included. */
  readonly model?: (ModelShape & { readonly storedParams: number }) | undefined;
}

export interface Comparison {
  readonly run: PublishedRun;
  readonly impliedMfu: number;
  /** Of the runs whose dollars were published. */
  readonly impliedUsdPerHour?: number;
}

/** Bytes, FLOPs, US dollars, hours; loss in nats per token. */
export interface Plan extends Split {
  /** Parameters in the file and in memory; more than `params` where those leave embeddings out. */
  readonly storedParams: number;
  readonly machine: Machine;
  readonly gpus: number;
  readonly fit: FitName;
  readonly precision: Precision;
  readonly sequenceLen: number;
  readonly flops: number;
  readonly attentionFlops: number;
  readonly gpuHours: number;
  readonly clockHours: number;
  readonly usd: number;
  readonly files: FileSizes;
  readonly memory: TrainingMemory;
  readonly minGpus: number;
  readonly loss: number;
  readonly optimal: Split & { readonly loss: number };
  readonly published?: Comparison;
}

/** @throws NutshellError CONFIG when the request fixes too little or too much */
export function makePlan(request: PlanRequest): Plan {
  const { machine, gpus, precision } = request;
  const fit = lossFits[request.fit];
  const split = chooseSplit(request);
  const flops = trainingFlops(split);
  const gpuHours = flops / flopsPerHour(machine);
  const storedParams = request.model?.storedParams ?? split.params;
  const memory = trainingMemory(storedParams, precision);
  const optimal = optimalSplit(fit, flops);
  return {
    ...split,
    storedParams,
    ...attention(request.model ?? likelyShape(split.params), split.tokens, request.sequenceLen),
    machine,
    gpus,
    precision,
    fit: request.fit,
    flops,
    gpuHours,
    clockHours: gpuHours / gpus,
    usd: gpuHours * machine.usdPerHour,
    files: fileSizes(storedParams),
    memory,
    minGpus: Math.ceil(memory.total / machine.memoryBytes),
    loss: predictLoss(fit, split),
    optimal: { ...optimal, loss: predictLoss(fit, optimal) },
    ...compare(machine, split),
  };
}

function attention(
  shape: ModelShape,
  tokens: number,
  given: number | undefined,
): Pick<Plan, "sequenceLen" | "attentionFlops"> {
  const sequenceLen = given ?? likelySequenceLen(shape);
  return { sequenceLen, attentionFlops: attentionFlops(shape, sequenceLen, tokens) };
}

/** Parameters and tokens: as given, from the budget, or by the compute-optimal rule. */
function chooseSplit({ params, tokens, budget, machine, fit }: PlanRequest): Split {
  if (params !== undefined && tokens !== undefined && budget === undefined) {
    return { params, tokens };
  }
  if (budget === undefined && params !== undefined) {
    return { params, tokens: optimalTokens(lossFits[fit], params) };
  }
  if (budget === undefined || (params !== undefined && tokens !== undefined)) {
    const got = budget ? "all three" : "no parameters and no budget";
    throw new NutshellError("CONFIG", `plan: needs parameters, a budget or both, got ${got}.`);
  }
  const flops = budgetFlops(budget, machine);
  if (params !== undefined) return { params, tokens: flops / (6 * params) };
  if (tokens !== undefined) return { params: flops / (6 * tokens), tokens };
  return optimalSplit(lossFits[fit], flops);
}

function budgetFlops(budget: Budget, machine: Machine): number {
  if ("flops" in budget) return budget.flops;
  if ("hours" in budget) return budget.hours * budget.gpus * flopsPerHour(machine);
  if (machine.usdPerHour > 0) return (budget.usd / machine.usdPerHour) * flopsPerHour(machine);
  throw new NutshellError(
    "CONFIG",
    `plan: a budget in dollars needs a price, got 0 an hour for ${machine.name}. ` +
      "Set a price per hour, or give the budget in hours.",
  );
}

function compare(machine: Machine, split: Split): { published?: Comparison } {
  const run = comparableRun(machine.name, split);
  if (!run) return {};
  const price = run.usd === undefined ? {} : { impliedUsdPerHour: run.usd / run.gpuHours };
  return { published: { run, impliedMfu: impliedMfu(run), ...price } };
}
