/** `nutshell plan`: what a budget buys, by the published scaling laws, with its assumptions. */
import { totalmem } from "node:os";
import { NutshellError } from "../../error.ts";
import { planDepth } from "../../llm/model/depth.ts";
import type { FitName } from "../../llm/scaling/chinchilla.ts";
import { likelySequenceLen } from "../../llm/scaling/flops.ts";
import { type Machine, type MachineName, machineOf } from "../../llm/scaling/machines.ts";
import type { Precision } from "../../llm/scaling/memory.ts";
import { type Budget, makePlan, type PlanRequest } from "../../llm/scaling/plan.ts";
import { renderPlan } from "../../llm/scaling/report.ts";
import { inRange, type OptionTableFor, positive } from "../../options.ts";
import { type Command, defineCommand } from "../command.ts";

const EXAMPLE = "nutshell plan --params 70e9 --tokens 2e12 --gpu a100";

interface PlanValues {
  params: number | undefined;
  tokens: number | undefined;
  depth: number | undefined;
  vocabSize: number;
  budgetFlops: number | undefined;
  budgetUsd: number | undefined;
  hours: number | undefined;
  gpus: number;
  gpu: MachineName;
  mfu: number | undefined;
  usdPerHour: number | undefined;
  gflops: number | undefined;
  precision: Precision;
  fit: FitName;
  sequenceLen: number | undefined;
}

const GPUS: readonly MachineName[] = ["a100", "h100", "h200", "rtx4090", "rtx5090", "cpu"];
const FITS: readonly FitName[] = ["epoch", "hoffmann", "hoffmann-tex"];
const PRECISIONS: readonly Precision[] = ["bf16", "f32"];

/** A row for a positive number that may be absent. */
function amount(doc: string): OptionTableFor<PlanValues>["params"] {
  return { type: "number?", value: undefined, doc, check: positive };
}

const options: OptionTableFor<PlanValues> = {
  params: amount("Parameters of the model."),
  tokens: amount("Training tokens."),
  depth: {
    type: "integer?",
    value: undefined,
    doc: "Layers: size and tokens by the depth dial, instead of --params.",
    check: inRange(1, 128),
  },
  vocabSize: { type: "integer", value: 8192, doc: "Vocabulary, with --depth.", check: positive },
  budgetFlops: amount("Budget in FLOPs."),
  budgetUsd: amount("Budget in US dollars."),
  hours: amount("Budget in hours of the clock, on --gpus devices."),
  gpus: { type: "integer", value: 1, doc: "Devices that share the work.", check: positive },
  gpu: { type: "string", value: "a100", doc: "Device; cpu is this machine.", choices: GPUS },
  mfu: { ...amount("Share of the peak that a whole run uses."), check: inRange(0.001, 1) },
  usdPerHour: amount("Price of one device for an hour."),
  gflops: amount("Peak in GFLOP/s, as bench:matmul measures it."),
  precision: { type: "string", value: "bf16", doc: "Precision of training.", choices: PRECISIONS },
  fit: { type: "string", value: "epoch", doc: "Coefficients of the loss law.", choices: FITS },
  sequenceLen: {
    type: "integer?",
    value: undefined,
    doc: "Tokens of context, for the share of attention.",
    check: positive,
  },
};

export const command: Command<OptionTableFor<PlanValues>> = defineCommand({
  name: "plan",
  summary: "what a budget buys: parameters, tokens, hours, money, memory, file size",
  example: EXAMPLE,
  options,
  run(values, io) {
    const budget = readBudget(values);
    checkQuestion(values, budget);
    const size = values.depth === undefined ? {} : readDepth(values.depth, values, budget);
    const plan = makePlan({ ...values, ...size, machine: readMachine(values), budget });
    io.stdout(io.json ? `${JSON.stringify(plan)}\n` : renderPlan(plan));
  },
});

/** Size by the depth dial; its tokens too, unless they are given or follow from a budget. */
function readDepth(
  depth: number,
  { vocabSize, sequenceLen, tokens }: PlanValues,
  budget: Budget | undefined,
): Pick<PlanRequest, "params" | "tokens" | "model"> {
  const context = sequenceLen ?? likelySequenceLen({ nLayer: depth, nEmbd: 64 * depth });
  const dial = planDepth(depth, { vocabSize, sequenceLen: context, optimizer: "adamw" });
  const { nLayer, nEmbd } = dial.config;
  return {
    params: dial.parameters.matrices + dial.parameters.head,
    tokens: tokens ?? (budget ? undefined : dial.tokens),
    model: { nLayer, nEmbd, storedParams: dial.parameters.total },
  };
}

function readMachine({ gpu, mfu, usdPerHour, gflops }: PlanValues): Machine {
  return machineOf(gpu, {
    mfu,
    usdPerHour,
    peakFlopsPerSecond: gflops === undefined ? undefined : gflops * 1e9,
    memoryBytes: gpu === "cpu" ? totalmem() : undefined,
  });
}

/** @throws NutshellError USAGE for two budgets */
function readBudget({ budgetFlops, budgetUsd, hours, gpus }: PlanValues): Budget | undefined {
  const budgets: readonly (readonly [string, Budget | undefined])[] = [
    ["--budget-flops", budgetFlops === undefined ? undefined : { flops: budgetFlops }],
    ["--budget-usd", budgetUsd === undefined ? undefined : { usd: budgetUsd }],
    ["--hours", hours === undefined ? undefined : { hours, gpus }],
  ];
  const given = budgets.filter(([, budget]) => budget !== undefined);
  if (given.length > 1) {
    const flags = given.map(([flag]) => flag).join(" and ");
    throw new NutshellError("USAGE", `plan: takes one budget, got ${flags}. Drop one.`);
  }
  return given[0]?.[1];
}

function checkQuestion({ params, tokens, depth }: PlanValues, budget: Budget | undefined): void {
  const size = params ?? depth;
  if (params !== undefined && depth !== undefined)
    throw new NutshellError("USAGE", "plan: takes a size, got --params and --depth. Drop one.");
  if (size !== undefined && tokens !== undefined && budget !== undefined) {
    const rule = "size and --tokens fix the cost, got a budget too. Drop one of the three";
    throw new NutshellError("USAGE", `plan: ${rule}.`);
  }
  if (size !== undefined || budget !== undefined) return;
  const rule = "needs --params, --depth, --budget-flops, --budget-usd or --hours, got none";
  throw new NutshellError("USAGE", `plan: ${rule}. Try: ${EXAMPLE}`);
}
