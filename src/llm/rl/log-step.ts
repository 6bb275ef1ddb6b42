/** What a step leaves in the metrics and says on the terminal. */
import { hashArrays } from "../run/metrics.node.ts";
import { lrmAt } from "../run/stage-rates.ts";
import type { Talk } from "../run/talk.ts";
import type { Share } from "../run/wilson.ts";
import type { Learning } from "./learn.ts";
import type { Bundle } from "./learn-rows.ts";
import type { StepRecord } from "./metric-records.node.ts";
import type { Run } from "./open-run.node.ts";
import { renderPassRate } from "./result.ts";
import type { ScoredGroup } from "./rewards.ts";
import { describeRollouts, findWarnings } from "./rollout-statistics.ts";
import type { Laps } from "./timer.ts";

export interface StepFacts {
  readonly groups: readonly ScoredGroup[];
  readonly bundles: readonly Bundle[];
  readonly kl: number;
  readonly klWeight: number;
  readonly outcome: Learning;
  readonly times: Laps;
}

export function announce({ config, resumedAt, store, tasks }: Run, talk: Talk): void {
  const { algorithm, steps, out, promptsPerStep, samplesPerPrompt } = config;
  for (const { name, description } of tasks) talk.say(`task ${name}: ${description}`);
  talk.say(`memory: ${(store.bytes() / 1e6).toFixed(0)} MB for weights and replies under way`);
  const work = `${steps} steps of ${promptsPerStep} prompts × ${samplesPerPrompt} samples`;
  if (resumedAt === undefined) talk.say(`${algorithm}, ${work}, into ${out}`);
  else talk.say(`resuming ${out} after step ${resumedAt} of ${steps}`);
}

export function logStep(run: Run, talk: Talk, facts: StepFacts): void {
  const { metrics, config, step } = run;
  const { groups, bundles, kl, klWeight, outcome, times } = facts;
  const statistics = describeRollouts(groups);
  const record: StepRecord = {
    step,
    ...statistics,
    ...{ kl, klWeight, lrm: lrmAt(config, step - 1), learned: bundles.length, ...outcome },
    batch: hashArrays(bundles.flat().map(({ ids }) => ids)),
    ...times,
  };
  metrics.add(record);
  const stays = step % config.logEvery === 0 || step === config.steps || outcome.skipped > 0;
  talk[stays ? "say" : "status"](renderStep(record, config.steps));
  for (const { name, text } of findWarnings(statistics, kl)) {
    if (metrics.warnings.has(name)) continue;
    metrics.add({ step, warning: name });
    talk.say(`warning: ${text}`);
  }
}

export function logEvaluation({ metrics, step }: Run, talk: Talk, pass: Share): void {
  metrics.add({ step, pass });
  talk.say(`held-out pass@1 ${renderPassRate(pass)}`);
}

/** Fixed columns, so that lines can be read down and searched. */
function renderStep(record: StepRecord, steps: number): string {
  const { step, reward, kl, entropy, length, zeroVariance, truncated, learned, skipped } = record;
  const { waiting, generating, scoring, learning } = record;
  const seconds = (ms: number): string => (ms / 1000).toFixed(1);
  return [
    `step ${String(step).padStart(String(steps).length, "0")}/${steps}`,
    `reward ${reward.toFixed(3)}`,
    `kl ${kl.toFixed(2)}`,
    `entropy ${entropy.toFixed(3)}`,
    `length ${length.toFixed(0)}`,
    `alike ${percent(zeroVariance)}`,
    `cut ${percent(truncated)}`,
    `learned ${learned}${skipped > 0 ? ` skipped ${skipped}` : ""}`,
    `${seconds(waiting + generating + scoring + learning)} s`,
    `(${seconds(generating)} write, ${seconds(scoring)} score, ${seconds(learning)} learn)`,
  ].join(" | ");
}

function percent(share: number): string {
  return `${(100 * share).toFixed(0)}%`;
}
