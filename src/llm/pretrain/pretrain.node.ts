/**
 * Stage 1, the loop: predict the next token of real text, over and over. Everything that a step
 * needs follows from (config, step), so stopping anywhere and resuming gives the same weights.
 */
import type { Batch } from "../data/sampling/batch.ts";
import { completeText } from "../inference/complete.ts";
import type { StepOutcome } from "../optim/compile-train-step.ts";
import { hashArrays } from "../run/metrics.node.ts";
import { renderStep } from "../run/progress-line.ts";
import { largestNorm, noteOutcome } from "../run/spike-guard.ts";
import { isDue, lrmAt, ratesAt, tokensPerStep } from "../run/stage-rates.ts";
import type { Talk } from "../run/talk.ts";
import type { PretrainConfig } from "./config.ts";
import { openRun, type Run } from "./open-run.node.ts";
import { type PretrainResult, summarise } from "./result.ts";
import { drawCurve, saveRun } from "./save-run.node.ts";

/**
 * Trains to the end, or until `signal` aborts: then the run is saved where it stands.
 * @throws DATA, CONFIG, CHECKPOINT, DISK, DIVERGED
 */
export async function pretrain(
  asked: PretrainConfig,
  talk: Talk,
  signal: AbortSignal,
): Promise<PretrainResult> {
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
    noteOutcome(spikes, outcome, run.step, config.maxSkips);
  }
  return summarise(run, await drawCurve(run), signal.aborted);
}

/** One batch for each micro-step: a function of the seed and the step alone. */
function nextBatches({ config, sampler }: Run, step: number): Batch[] {
  return Array.from({ length: config.gradAccumSteps }, (_, i) => sampler.batchAt(step, i));
}

function announce({ config, resumedAt, trainStep, store }: Run, talk: Talk): void {
  const bytes = store.bytes() + trainStep.plannedBytes;
  talk.say(`memory: ${(bytes / 1e6).toFixed(0)} MB planned for weights, optimizer and one step`);
  if (resumedAt === undefined) talk.say(`training ${config.steps} steps into ${config.out}`);
  else talk.say(`resuming ${config.out} after step ${resumedAt} of ${config.steps}`);
}

function logStep(run: Run, talk: Talk, outcome: StepOutcome, batches: Batch[], ms: number): void {
  const { config, metrics, step } = run;
  const { loss, gradNorm, skipped } = outcome;
  const lrm = lrmAt(config, step - 1);
  const batch = hashArrays(batches.flatMap(({ inputs, targets }) => [inputs, targets]));
  metrics.add({ step, loss, gradNorm, lrm, ms, batch, ...(skipped ? { skipped } : {}) });
  const line = renderStep(metrics.steps, config.steps, tokensPerStep(config));
  const stays = step % config.logEvery === 0 || step === config.steps || skipped;
  talk[stays ? "say" : "status"](line);
}

async function evaluate(run: Run, talk: Talk, signal: AbortSignal): Promise<void> {
  const { metrics, step, config } = run;
  if (!isDue(run, config.evalEvery) || metrics.evals.at(-1)?.step === step) return;
  talk.status("measuring on held-out text");
  const found = await run.evaluator.run(signal);
  if (found === undefined) return;
  const { bpb, loss, sources } = found;
  metrics.add({ step, bpb, valLoss: loss, sources });
  await drawCurve(run);
  const parts = Object.entries(sources).map(([name, value]) => `${name} ${value.toFixed(3)}`);
  talk.say(`held-out bits per byte ${bpb.toFixed(4)} | ${parts.join(" | ")}`);
}

async function sample(run: Run, talk: Talk, signal: AbortSignal): Promise<void> {
  const { config, step, generator, data, metrics } = run;
  if (!isDue(run, config.sampleEvery) || step === 0) return;
  if (metrics.samples.at(-1)?.step === step) return;
  const { prompt, seed } = config;
  const sampling = { temperature: 0.8, topP: 0.95, maxTokens: 48, seed, signal };
  let text = prompt;
  for await (const piece of completeText(generator, data.tokenizer, prompt, sampling))
    text += piece;
  if (signal.aborted) return;
  metrics.add({ step, sample: text });
  talk.say(`sample | ${text.replace(/\s+/g, " ").trim()}`);
}

async function save(run: Run, talk: Talk, signal: AbortSignal): Promise<void> {
  const { config, step, savedAt } = run;
  if (step === savedAt || step === 0) return;
  if (!isDue(run, config.saveEvery) && !signal.aborted) return;
  talk.status("saving");
  await saveRun(run);
  if (signal.aborted) talk.say(`saved after step ${step}; the same command goes on from there`);
}
