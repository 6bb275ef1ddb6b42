/**
 * The first half of the talk as one loop: tokenizer and pretraining, supervised fine-tuning, the
 * reward model, reinforcement learning, evaluation, report card. Each stage reads the folder of the
 * one before it and resumes by itself, so that a start after a kill goes on where that one stood.
 */
import { chooseBackend } from "../../compute/backends/choose.node.ts";
import type { GrowRecord } from "../report/record.ts";
import { writeReport } from "../report/report.node.ts";
import type { Talk } from "../run/talk.ts";
import type { GrowConfig } from "./config.ts";
import { type GrowPlan, planGrowth } from "./plan.ts";
import { collectRecord } from "./record.node.ts";
import {
  forgetFrom,
  type GrowState,
  readState,
  removeFrom,
  requireSameDials,
  type StepName,
  stepNames,
  writeState,
} from "./state.node.ts";
import { steps } from "./steps.ts";

/**
 * Goes through all stages that are not done.
 * @param given what the stages are told, in place of the preset's plan
 * @returns the record of the whole, or undefined when `signal` stopped it on the way
 * @throws CONFIG when `out` was grown otherwise; what a stage throws, its checkpoints stay
 */
export async function grow(
  config: GrowConfig,
  talk: Talk,
  signal: AbortSignal,
  given?: GrowPlan,
): Promise<GrowRecord | undefined> {
  const plan = given ?? planGrowth(config, await isCompiled(config, talk));
  let state = await openState(config);
  for (const name of stepNames) {
    if (state.steps[name]?.result !== undefined) continue;
    announce(name, talk);
    state = await runStep(name, plan, state, talk, signal);
    if (signal.aborted) return undefined;
  }
  const record = await collectRecord(plan, state);
  await writeReport(config.out, record);
  return record;
}

/** Says what computes; without a compiler all stages are sketches. */
async function isCompiled(config: GrowConfig, talk: Talk): Promise<boolean> {
  const backend = await chooseBackend(config.backend, config, (line) => talk.say(line));
  backend.dispose();
  return backend.name !== "reference";
}

async function openState(config: GrowConfig): Promise<GrowState> {
  const { out, from } = config;
  const found = await readState(config);
  requireSameDials(found, config);
  if (from === "auto") return found;
  await removeFrom(out, from);
  return forgetFrom(found, from);
}

/** Runs one step and notes its time, finished or not. */
async function runStep(
  name: StepName,
  plan: GrowPlan,
  state: GrowState,
  talk: Talk,
  signal: AbortSignal,
): Promise<GrowState> {
  const start = performance.now();
  let result: object | undefined;
  try {
    result = await steps[name].run(plan, talk, signal);
  } finally {
    const spent = (state.steps[name]?.seconds ?? 0) + (performance.now() - start) / 1000;
    // A stage that its own command trained before is only found here.
    const seconds = Math.max(spent, trainSeconds(result));
    const done = result === undefined || signal.aborted ? {} : { result: { ...result } };
    state = { ...state, steps: { ...state.steps, [name]: { seconds, ...done } } };
    await writeState(plan.config.out, state);
  }
  return state;
}

function trainSeconds(result: object | undefined): number {
  return Number((result as { train_seconds?: number } | undefined)?.train_seconds ?? 0);
}

function announce(name: StepName, talk: Talk): void {
  const number = stepNames.indexOf(name) + 1;
  talk.say(`\n== ${number}/${stepNames.length} ${name}: ${steps[name].story}`);
}
