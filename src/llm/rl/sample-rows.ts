/**
 * Samples as rows to learn from, one builder for each kind of algorithm: compared with siblings,
 * with a value head, as whole sequences, as pairs, imitated.
 */
import { estimateAdvantages } from "./advantages/gae.ts";
import { type GroupBaseline, groupAdvantages } from "./advantages/groups.ts";
import { sampleKl, tokenRewards } from "./advantages/token-rewards.ts";
import { whiten } from "./advantages/whiten.ts";
import type { RlConfig } from "./config.ts";
import type { Sample, SampleGroup } from "./experience.ts";
import { type Bundle, type LearnRow, withoutSilent } from "./learn-rows.ts";
import { type LossType, lossWeight } from "./losses/loss-weights.ts";

/** Nothing is learned from a sample that is cut off, if so asked. */
function learned({ rollout, mask }: Sample, { maskTruncated }: RlConfig): Uint8Array {
  return maskTruncated && rollout.truncated ? new Uint8Array(mask.length) : mask;
}

function count(mask: Uint8Array): number {
  return mask.reduce((sum, chosen) => sum + chosen, 0);
}

/** A row whose tokens are averaged as `lossType` says. */
function tokenRow(
  sample: Sample,
  config: RlConfig,
  lossType: LossType,
  perToken: LearnRow["perToken"],
): LearnRow {
  const mask = learned(sample, config);
  const { token, units } = lossWeight(lossType, count(mask), config.maxTokens);
  const weight = new Float32Array(mask.length).fill(token);
  return { ids: sample.ids, mask, perToken: { weight, ...perToken }, perRow: { units } };
}

interface Comparison {
  readonly baseline: GroupBaseline;
  readonly lossType: LossType;
  readonly extra?: (sample: Sample) => LearnRow["perToken"];
}

/** One advantage for all tokens of a sample, from its group. */
export function comparedRows(
  groups: readonly SampleGroup[],
  config: RlConfig,
  { baseline, lossType, extra = () => ({}) }: Comparison,
): Bundle[] {
  return groups.flatMap((group) => {
    const rewards = group.map(({ reward }) => reward);
    return groupAdvantages(rewards, baseline).map((advantage, i) => {
      const sample = group[i] as Sample;
      const advantages = new Float32Array(sample.mask.length).fill(advantage);
      return [tokenRow(sample, config, lossType, { advantages, ...extra(sample) })];
    });
  });
}

/** PPO: token rewards with KL, GAE over the value head, advantages whitened over the step. */
export function actorCriticBundles(
  groups: readonly SampleGroup[],
  config: RlConfig,
  klWeight: number,
): Bundle[] {
  const samples = groups.flat();
  const found = samples.map((sample) => {
    const rewards = tokenRewards(sample, sample.reward, klWeight);
    const episode = { rewards, values: sample.values as Float32Array, mask: sample.mask };
    return estimateAdvantages(episode, config.gamma, config.lambda);
  });
  const masks = samples.map((sample) => learned(sample, config));
  whiten(
    found.map(({ advantages }) => advantages),
    masks,
  );
  return samples.map((sample, i) => {
    const { advantages, returns } = found[i] as (typeof found)[number];
    const oldValues = sample.values as Float32Array;
    const perToken = { oldLogprobs: sample.logprobs, advantages, returns, oldValues };
    return [tokenRow(sample, config, "dapo", perToken)];
  });
}

/** RLOO: KL belongs to a sample's reward; its siblings' mean is the baseline. */
export function sequenceBundles(
  groups: readonly SampleGroup[],
  config: RlConfig,
  klWeight: number,
): Bundle[] {
  const rows = groups.flatMap((group) => {
    const rewards = group.map((sample) => sample.reward - klWeight * sampleKl(sample));
    return groupAdvantages(rewards, "leave-one-out").map((advantages, i) => {
      const sample = group[i] as Sample;
      const mask = learned(sample, config);
      const weight = new Float32Array(mask.length).fill(1);
      const perToken = { weight, oldLogprobs: sample.logprobs };
      const perRow = { units: mask.includes(1) ? 1 : 0, advantages };
      return [{ ids: sample.ids, mask, perToken, perRow }];
    });
  });
  return withoutSilent(rows);
}

export interface PairText {
  readonly ids: Int32Array;
  /** By target, like a sample's. */
  readonly mask: Uint8Array;
  readonly referenceLogprobs?: Float32Array | undefined;
}

/** @throws when the reference was not asked: a mistake of the algorithm's row */
export function judgedBy(referenceLogprobs: Float32Array | undefined): Float32Array {
  if (referenceLogprobs !== undefined) return referenceLogprobs;
  throw new Error("rl: this algorithm needs the reference's log-probabilities of every sample");
}

/** One text of a pair. */
export function pairRow({ ids, mask, referenceLogprobs }: PairText): LearnRow {
  let sum = 0;
  for (let t = 0; t < mask.length; t++)
    if (mask[t] === 1) sum += judgedBy(referenceLogprobs)[t] as number;
  const weight = new Float32Array(mask.length).fill(1);
  return { ids, mask, perToken: { weight }, perRow: { units: 0.5, referenceLogprobs: sum } };
}

export function imitated(samples: readonly Sample[], config: RlConfig): Bundle[] {
  return samples.map((sample) => {
    const advantages = new Float32Array(sample.mask.length).fill(1);
    return [tokenRow(sample, config, "dapo", { advantages })];
  });
}
