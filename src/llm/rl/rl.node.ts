/**
 * Stage 4, the loop: let the model answer, reward its answers, make the better ones likelier. A
 * step is a function of (config, step, weights), so stopping anywhere and resuming gives the same
 * weights.
 */
import type { Talk } from "../run/talk.ts";
import type { Task } from "../tasks/task.ts";
import { nextKlWeight } from "./advantages/kl-controller.ts";
import { algorithms } from "./algorithms.ts";
import type { RlConfig } from "./config.ts";
import { gatherExperience, meanKl } from "./experience.ts";
import { learn } from "./learn.ts";
import { announce, logEvaluation, logStep } from "./log-step.ts";
import { openRun, type Run } from "./open-run.node.ts";
import { measurePassRate } from "./pass-rate.ts";
import { drawPairs } from "./ranked-pairs.node.ts";
import { type RlResult, summarise } from "./result.ts";
import { rewardGroups } from "./rewards.ts";
import { drawProblems, type RolloutGroup, rollOut } from "./rollout.ts";
import { drawCurve, saveRun } from "./save-run.node.ts";
import { startTimer } from "./timer.ts";

/**
 * Trains to the end, or until `signal` aborts: then the run is saved where it stands.
 * @param tasks in place of those that `asked.task` names
 * @throws DATA, CONFIG, CHECKPOINT, TOKENIZER, DISK, DIVERGED
 */
export async function reinforce(
  asked: RlConfig,
  talk: Talk,
  signal: AbortSignal,
  tasks?: readonly Task[],
): Promise<RlResult> {
  await using run = await openRun(asked, talk, tasks);
  const { config, learning, update, rankedPairs } = run;
  const algorithm = algorithms[config.algorithm];
  const timer = startTimer();
  announce(run, talk);
  for (;;) {
    const { step } = run;
    await evaluate(run, talk, signal);
    await save(run, talk, signal);
    if (step >= config.steps || signal.aborted) break;
    timer.lap("waiting");
    const rollouts = rankedPairs ? [] : await generate(run, signal);
    timer.lap("generating");
    if (rollouts === undefined) continue;
    const groups = await rewardGroups(rollouts, config, run.rewardModel);
    const isJudged = algorithm.needsReference?.(config) === true;
    const samples = await gatherExperience(groups, run.reference, isJudged, run.valueHead);
    timer.lap("scoring");
    const { klWeight } = learning;
    const kl = meanKl(samples);
    const bundles = rankedPairs
      ? drawPairs(rankedPairs, config.promptsPerStep, config.seed, step)
      : algorithm.bundles(samples, config, klWeight);
    const scalars = algorithm.hasKlInput?.(config) ? { beta: Float32Array.of(klWeight) } : {};
    const outcome = await learn(bundles, config, learning, update, scalars, step);
    timer.lap("learning");
    learning.klWeight = nextKlWeight(klWeight, kl, config.klTarget);
    run.step = step + 1;
    logStep(run, talk, { groups, bundles, kl, klWeight, outcome, times: timer.take() });
  }
  return summarise(run, await drawCurve(run), signal.aborted);
}

/** The step's prompts follow one another; no problem is asked twice, but where a task ends. */
function generate(
  { config, tasks, tokenizer, generator, step }: Run,
  signal: AbortSignal,
): Promise<RolloutGroup[] | undefined> {
  const { promptsPerStep: P, seed } = config;
  const problems = drawProblems(tasks, step * P, P, "train", seed);
  return rollOut(generator, tokenizer, problems, { ...config, stream: step }, signal);
}

/** Whether something is due now; the end of the run is always a time for it. */
function isDue({ step, config }: Run, every: number): boolean {
  return step % every === 0 || step === config.steps;
}

async function evaluate(run: Run, talk: Talk, signal: AbortSignal): Promise<void> {
  const { config, metrics, step, generator, tokenizer, heldOut } = run;
  if (!isDue(run, config.evalEvery) || metrics.evals.at(-1)?.step === step) return;
  talk.status("measuring on held-out problems");
  const pass = await measurePassRate(generator, tokenizer, heldOut, config, signal);
  if (pass === undefined) return;
  logEvaluation(run, talk, pass);
  await drawCurve(run);
}

async function save(run: Run, talk: Talk, signal: AbortSignal): Promise<void> {
  const { config, step, savedAt } = run;
  if (step === savedAt || step === 0) return;
  if (!isDue(run, config.saveEvery) && !signal.aborted) return;
  talk.status("saving");
  await saveRun(run);
  if (signal.aborted) talk.say(`saved after step ${step}; the same command goes on from there`);
}
