/**
 * Stage 3, the loop: of two answers to one prompt, give the one that people ranked higher the
 * larger number. Everything that a step needs follows from (config, data, step), so stopping
 * anywhere and resuming gives the same weights.
 */
import type { StepInputs, StepOutcome } from "../optim/compile-train-step.ts";
import { hashArrays } from "../run/metrics.node.ts";
import { renderStep } from "../run/progress-line.ts";
import { largestNorm, noteOutcome } from "../run/spike-guard.ts";
import { isDue, lrmAt, ratesAt, tokensPerStep } from "../run/stage-rates.ts";
import type { Talk } from "../run/talk.ts";
import { fillBatch } from "./batches.ts";
import type { RewardConfig } from "./config.ts";
import { measure } from "./measure.ts";
import { openRun, type Run } from "./open-run.node.ts";
import type { RankedRows } from "./ranked-rows.ts";
import { type RewardResult, summarise } from "./result.ts";
import { drawCurve, saveRun } from "./save-run.node.ts";

/**
 * Trains to the end, or until `signal` aborts: then the run is saved where it stands.
 * @throws DATA, CONFIG, CHECKPOINT, TOKENIZER, DISK, DIVERGED
 */
export async function trainReward(
  asked: RewardConfig,
  talk: Talk,
  signal: AbortSignal,
): Promise<RewardResult> {
  await using run = await openRun(asked, talk);
  const { config, trainStep, spikes } = run;
  announce(run, talk);
  for (let step = run.step; ; step++) {
    await evaluate(run, talk, signal);
    await save(run, talk, signal);
    if (step >= config.steps || signal.aborted) break;
    const start = performance.now();
    const batches = nextBatches(run, step);
    const maxNorm = largestNorm(spikes, config.spikeFactor);
    const rates = { ...ratesAt(config, step, step - spikes.skipped), maxNorm };
    const outcome = await trainStep.run(batches, rates);
    run.step = step + 1;
    logStep(run, talk, outcome, batches, performance.now() - start);
    noteOutcome(spikes, outcome, run.step, config.maxSkips, "reward");
  }
  return summarise(run, await drawCurve(run), signal.aborted);
}

/** One batch for each micro-step; where the plan has ended, zeros. */
function nextBatches({ config, plan, rankings }: Run, step: number): StepInputs[] {
  const { batchSize: B, sequenceLen: T, maxResponses, gradAccumSteps } = config;
  return Array.from({ length: gradAccumSteps }, (_, i) => {
    const indices = plan[step * gradAccumSteps + i] ?? [];
    const taken = indices.map((index) => rankings.train[index] as RankedRows);
    return fillBatch(taken, { B, T, maxResponses }, config.margin);
  });
}

function announce({ config, resumedAt, trainStep, store }: Run, talk: Talk): void {
  const bytes = store.bytes() + trainStep.plannedBytes;
  talk.say(`memory: ${(bytes / 1e6).toFixed(0)} MB planned for weights, optimizer and one step`);
  if (resumedAt === undefined) talk.say(`training ${config.steps} steps into ${config.out}`);
  else talk.say(`resuming ${config.out} after step ${resumedAt} of ${config.steps}`);
}

function logStep(
  run: Run,
  talk: Talk,
  { loss, gradNorm, skipped, metrics: means }: StepOutcome,
  batches: readonly StepInputs[],
  ms: number,
): void {
  const { config, metrics, step } = run;
  const lrm = lrmAt(config, step - 1);
  const [accuracy, lead] = [means.accuracy as number, means.lead as number];
  const batch = hashArrays(batches.flatMap((inputs) => Object.values(inputs)));
  const flag = skipped ? { skipped } : {};
  metrics.add({ step, loss, accuracy, lead, gradNorm, lrm, ms, batch, ...flag });
  const line = renderStep(metrics.steps, config.steps, tokensPerStep(config));
  const stays = step % config.logEvery === 0 || step === config.steps || skipped;
  talk[stays ? "say" : "status"](`${line} | right ${accuracy.toFixed(2)}`);
}

async function evaluate(run: Run, talk: Talk, signal: AbortSignal): Promise<void> {
  const { metrics, step, config, scorer, rankings } = run;
  if (!isDue(run, config.evalEvery) || metrics.evals.at(-1)?.step === step) return;
  if (signal.aborted) return;
  talk.status("measuring on held-out rankings");
  const held = await measure(scorer, rankings.held);
  metrics.add({ step, held });
  await drawCurve(run);
  const { accuracy, low, high, lengthBias } = held;
  const range = `${low.toFixed(3)} to ${high.toFixed(3)}`;
  talk.say(
    `held-out pairs ranked right ${accuracy.toFixed(3)} (${range}) | by length alone ` +
      `${lengthBias.longerWins.toFixed(3)}`,
  );
}

async function save(run: Run, talk: Talk, signal: AbortSignal): Promise<void> {
  const { config, step, savedAt } = run;
  if (step === savedAt || step === 0) return;
  if (!isDue(run, config.saveEvery) && !signal.aborted) return;
  talk.status("saving");
  await saveRun(run);
  if (signal.aborted) talk.say(`saved after step ${step}; the same command goes on from there`);
}
