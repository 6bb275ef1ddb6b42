/**
 * Stage 2, the loop: predict the assistant's tokens of conversations, and nothing else. Everything
 * that a step needs follows from (config, step), so stopping anywhere and resuming gives the same
 * weights.
 */
import type { Batch } from "../data/sampling/batch.ts";
import type { StepOutcome } from "../optim/compile-train-step.ts";
import { hashArrays } from "../run/metrics.node.ts";
import { renderStep } from "../run/progress-line.ts";
import { largestNorm, noteOutcome } from "../run/spike-guard.ts";
import { isDue, lrmAt, ratesAt, tokensPerStep } from "../run/stage-rates.ts";
import type { Talk } from "../run/talk.ts";
import type { SftConfig } from "./config.ts";
import { openRun, type Run } from "./open-run.node.ts";
import { type SftResult, summarise } from "./result.ts";
import { askSample, sampleQuestions } from "./samples.ts";
import { drawCurve, saveRun } from "./save-run.node.ts";

/**
 * Trains to the end, or until `signal` aborts: then the run is saved where it stands.
 * @throws DATA, CONFIG, CHECKPOINT, TOKENIZER, DISK, DIVERGED
 */
export async function sft(asked: SftConfig, talk: Talk, signal: AbortSignal): Promise<SftResult> {
  await using run = await openRun(asked, talk, signal);
  const { config, trainStep, spikes } = run;
  announce(run, talk);
  for (let step = run.step; ; step++) {
    await evaluate(run, talk, signal);
    await sample(run, talk, signal);
    await save(run, talk, signal);
    if (step >= config.steps || signal.aborted) break;
    const start = performance.now();
    const batches = nextBatches(run, step);
    const maxNorm = largestNorm(spikes, config.spikeFactor);
    const inputs = batches.map(({ inputs, targets }) => ({ tokens: inputs, targets }));
    const rates = { ...ratesAt(config, step, step - spikes.skipped), maxNorm };
    const outcome = await trainStep.run(inputs, rates);
    run.step = step + 1;
    logStep(run, talk, outcome, batches, performance.now() - start);
    noteOutcome(spikes, outcome, run.step, config.maxSkips, "sft");
  }
  return summarise(run, await drawCurve(run), signal.aborted);
}

/** One batch for each micro-step: a function of the seed and the step alone. */
function nextBatches({ config, sampler }: Run, step: number): Batch[] {
  return Array.from({ length: config.gradAccumSteps }, (_, i) => sampler.batchAt(step, i));
}

function announce({ config, resumedAt, trainStep, trainee, base }: Run, talk: Talk): void {
  const bytes = trainee.store.bytes() + trainStep.plannedBytes;
  talk.say(`memory: ${(bytes / 1e6).toFixed(0)} MB planned for weights, optimizer and one step`);
  if (resumedAt === undefined)
    talk.say(`training ${base} for ${config.steps} steps into ${config.out}`);
  else talk.say(`resuming ${config.out} after step ${resumedAt} of ${config.steps}`);
}

function logStep(run: Run, talk: Talk, outcome: StepOutcome, batches: Batch[], ms: number): void {
  const { config, metrics, step } = run;
  const { loss, gradNorm, skipped } = outcome;
  const learned = batches.reduce((sum, { targets }) => sum + countTargets(targets), 0);
  const batch = hashArrays(batches.flatMap(({ inputs, targets }) => [inputs, targets]));
  const lrm = lrmAt(config, step - 1);
  metrics.add({ step, loss, gradNorm, lrm, ms, learned, batch, ...(skipped ? { skipped } : {}) });
  const line = renderStep(metrics.steps, config.steps, tokensPerStep(config));
  const stays = step % config.logEvery === 0 || step === config.steps || skipped;
  talk[stays ? "say" : "status"](line);
}

function countTargets(targets: Int32Array): number {
  return targets.reduce((sum, target) => sum + (target < 0 ? 0 : 1), 0);
}

async function evaluate(run: Run, talk: Talk, signal: AbortSignal): Promise<void> {
  const { metrics, step, config, trainee } = run;
  if (!isDue(run, config.evalEvery) || metrics.evals.at(-1)?.step === step) return;
  talk.status("measuring on held-out conversations");
  await trainee.refresh();
  const found = await run.evaluator.run(signal);
  if (found === undefined) return;
  const text = await run.textEvaluator?.run(signal);
  if (signal.aborted) return;
  const bpb = text === undefined ? {} : { bpb: text.bpb };
  metrics.add({ step, valLoss: found.loss, sources: found.sources, ...bpb });
  await drawCurve(run);
  const parts = Object.entries(found.sources).map(([name, loss]) => `${name} ${loss.toFixed(3)}`);
  talk.say(`held-out loss ${found.loss.toFixed(4)} | ${parts.join(" | ")}`);
  if (text !== undefined) talk.say(`held-out text ${text.bpb.toFixed(4)} bits per byte`);
}

async function sample(run: Run, talk: Talk, signal: AbortSignal): Promise<void> {
  const { config, step, generator, tokenizer, metrics, trainee } = run;
  if (!isDue(run, config.sampleEvery) || step === 0) return;
  if (metrics.samples.at(-1)?.step === step) return;
  await trainee.refresh();
  // All or none: a run that goes on asks again where an answer is missing.
  const texts: string[] = [];
  for (const question of sampleQuestions) {
    texts.push(await askSample(generator, tokenizer, question, signal));
    if (signal.aborted) return;
  }
  for (const text of texts) {
    metrics.add({ step, sample: text });
    talk.say(`sample | ${text}`);
  }
}

async function save(run: Run, talk: Talk, signal: AbortSignal): Promise<void> {
  const { config, step, savedAt } = run;
  if (step === savedAt || step === 0) return;
  if (!isDue(run, config.saveEvery) && !signal.aborted) return;
  talk.status("saving");
  await saveRun(run);
  if (signal.aborted) talk.say(`saved after step ${step}; the same command goes on from there`);
}
