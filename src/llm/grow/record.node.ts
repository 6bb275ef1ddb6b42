/**
 * The record of a finished run: what each stage left in its folder and said as its result, and the
 * machine. Nothing is computed twice: numbers that a stage reports are taken as they are.
 */
import { join } from "node:path";
import { chooseBackend } from "../../compute/backends/choose.node.ts";
import { tryReadText } from "../../durable-file.node.ts";
import type { EvalReport } from "../eval/report.ts";
import { loadCheckpoint } from "../model/checkpoint.node.ts";
import { findCheckpoint } from "../model/run-folder.node.ts";
import { countParameters, flopsPerToken } from "../model/size.ts";
import { describeMachine } from "../report/machine.node.ts";
import type { GrowRecord, Machine, StageName, StageRecord } from "../report/record.ts";
import type { DataCard } from "../run/data-card.ts";
import { METRICS_FILE } from "../run/metrics.node.ts";
import { tryReadCommit } from "../run/resume.node.ts";
import type { GrowPlan } from "./plan.ts";
import { type GrowState, stepNames } from "./state.node.ts";
import type { measuredModels } from "./steps.ts";

type Result = Readonly<Record<string, unknown>>;

/** @param state of a run in which every step is done */
export async function collectRecord(plan: GrowPlan, state: GrowState): Promise<GrowRecord> {
  const { config } = plan;
  const stages: StageRecord[] = [];
  for (const name of stepNames)
    if (name !== "eval") stages.push(await stageRecord(name, plan, state));
  const evals = state.steps.eval?.result as Record<keyof typeof measuredModels, EvalReport>;
  return {
    preset: config.preset,
    out: config.out,
    commit: tryReadCommit(),
    startedAt: state.startedAt,
    seconds: Object.values(state.steps).reduce((sum, { seconds }) => sum + seconds, 0),
    machine: await machineOf(plan),
    stages,
    evals,
  };
}

async function machineOf({ config }: GrowPlan): Promise<Machine> {
  const backend = await chooseBackend(config.backend, config, () => {});
  try {
    return await describeMachine(backend);
  } finally {
    backend.dispose();
  }
}

async function stageRecord(
  name: StageName,
  plan: GrowPlan,
  state: GrowState,
): Promise<StageRecord> {
  const folder = plan[name].out;
  const { seconds = 0, result = {} } = state.steps[name] ?? {};
  const {
    folder: checkpoint,
    config,
    training,
  } = await loadCheckpoint(await findCheckpoint(folder));
  const { data = [], ...own } = result;
  const number = (key: string, otherwise = 0): number => Number(result[key] ?? otherwise);
  const tokens = number("tokens");
  return {
    ...{ name, folder, checkpoint, seconds, tokens },
    parameters: number("parameters", countParameters(config).total),
    steps: number("step"),
    flops: number("flops", tokens * flopsPerToken(config).causalTotal),
    trainSeconds: number("train_seconds"),
    configuration: (training?.config ?? {}) as Result,
    data: data as DataCard[],
    result: own,
    metrics: await readMetrics(folder),
  };
}

async function readMetrics(folder: string): Promise<Result[]> {
  const text = (await tryReadText(join(folder, METRICS_FILE))) ?? "";
  return text
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line) as Result);
}
