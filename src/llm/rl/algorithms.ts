/**
 * The algorithms as a table: what each minimises, and how it turns a step's samples into rows to
 * learn from. All share one loop, one rollout engine and one update.
 */
import { input, type Value } from "../../compute/graph.ts";
import { add, mul } from "../../compute/ops/elementwise.ts";
import type { ModelConfig } from "../model/config.ts";
import { parameterSpecs } from "../model/parameters.ts";
import { modelParameters } from "../model/transformer.ts";
import type { BatchShape, Objective } from "../optim/objective.ts";
import { estimateAdvantages } from "./advantages/gae.ts";
import { type GroupBaseline, groupAdvantages } from "./advantages/groups.ts";
import { sampleKl, tokenRewards } from "./advantages/token-rewards.ts";
import { whiten } from "./advantages/whiten.ts";
import type { AlgorithmName } from "./algorithm-names.ts";
import type { RlConfig } from "./config.ts";
import type { Sample, SampleGroup } from "./experience.ts";
import { type Bundle, type LearnRow, withoutSilent } from "./learn-rows.ts";
import type { ClipRange } from "./losses/clipped-ratio.ts";
import { dpoLoss } from "./losses/dpo.ts";
import { grpoLoss } from "./losses/grpo.ts";
import { type LossType, lossWeight } from "./losses/loss-weights.ts";
import { policyGradientLoss } from "./losses/policy-gradient.ts";
import { type LossTerms, type PolicyRows, policyRows } from "./losses/policy-rows.ts";
import { ppoPolicyLoss, valueLoss } from "./losses/ppo.ts";
import { rlooLoss } from "./losses/rloo.ts";
import { bestOfGroups, distinctAccepted, pairUp } from "./select-samples.ts";
import { valueHeadParameters, valueHeadSpecs, valuesOf } from "./value-head.ts";

export interface Algorithm {
  /** Rows that stay neighbours in a batch. */
  readonly rowsTogether: 1 | 2;
  /** Fewest samples of a prompt that it can compare. */
  readonly fewestSamples: 1 | 2;
  readonly hasValueHead?: true;
  /** Sums over a padded batch. */
  loss(rows: PolicyRows, config: RlConfig, params: ReadonlyMap<string, Value>): LossTerms;
  /** True: β is an input of the loss. */
  readonly hasKlInput?: (config: RlConfig) => boolean;
  /** @param klWeight β as the controller has it now */
  bundles(groups: readonly SampleGroup[], config: RlConfig, klWeight: number): Bundle[];
}

export const algorithms: Readonly<Record<AlgorithmName, Algorithm>> = {
  ppo: {
    ...{ rowsTogether: 1, fewestSamples: 1, hasValueHead: true },
    loss: (rows, config, params) => {
      const policy = ppoPolicyLoss(ratioInputs(rows), clipRange(config));
      const value = valueLoss(
        {
          values: valuesOf(params, rows.hidden),
          oldValues: rows.perToken("oldValues"),
          returns: rows.perToken("returns"),
          weight: rows.weight,
        },
        config.clipValue,
      );
      return {
        loss: add(policy.loss, mul(config.vf, value.loss)),
        metrics: { ...policy.metrics, ...value.metrics },
      };
    },
    bundles: actorCriticBundles,
  },
  grpo: {
    ...{ rowsTogether: 1, fewestSamples: 2 },
    hasKlInput: ({ kl }) => kl > 0,
    loss: (rows, config) => {
      const inputs = ratioInputs(rows);
      const clip = clipRange(config);
      if (config.kl === 0) return grpoLoss(inputs, clip);
      const referenceLogprobs = rows.perToken("referenceLogprobs");
      return grpoLoss({ ...inputs, referenceLogprobs, beta: input("beta", []) }, clip);
    },
    bundles: (groups, config) => {
      const { lossType, kl } = config;
      const rows = comparedRows(groups, config, {
        baseline: lossType === "dr_grpo" ? "mean" : "standard",
        lossType,
        extra: ({ logprobs, referenceLogprobs }) => ({
          oldLogprobs: logprobs,
          ...(kl === 0 ? {} : { referenceLogprobs }),
        }),
      });
      // With KL in the loss, samples without advantage are still pulled to the reference.
      return kl === 0 ? withoutSilent(rows) : rows;
    },
  },
  rloo: {
    ...{ rowsTogether: 1, fewestSamples: 2 },
    loss: ({ B, T, logprobs, weight, perToken, perRow }, config) =>
      rlooLoss(
        {
          ...{ B, T, logprobs, weight, oldLogprobs: perToken("oldLogprobs") },
          ...{ units: perRow("units"), advantages: perRow("advantages") },
        },
        clipRange(config),
      ),
    bundles: sequenceBundles,
  },
  reinforce: {
    ...{ rowsTogether: 1, fewestSamples: 2 },
    loss: ({ logprobs, weight, perToken }) =>
      policyGradientLoss({ logprobs, weight, advantages: perToken("advantages") }),
    bundles: (groups, config) =>
      withoutSilent(comparedRows(groups, config, { baseline: "mean", lossType: "dapo" })),
  },
  dpo: {
    ...{ rowsTogether: 2, fewestSamples: 2 },
    loss: ({ B, T, logprobs, weight, perRow }, config) =>
      dpoLoss(
        {
          ...{ B, T, logprobs, weight, units: perRow("units") },
          referenceLogprobs: perRow("referenceLogprobs"),
        },
        config,
      ),
    bundles: (groups, config) =>
      pairUp(groups, config).map((pair) => pair.map((sample) => pairRow(sample))),
  },
  "best-of-n": {
    ...{ rowsTogether: 1, fewestSamples: 2 },
    loss: likelihood,
    bundles: (groups, config) => imitated(bestOfGroups(groups), config),
  },
  star: {
    ...{ rowsTogether: 1, fewestSamples: 1 },
    loss: likelihood,
    bundles: (groups, config) => imitated(distinctAccepted(groups, config), config),
  },
};

/** The loss of one padded batch, as what an optimizer step is compiled from. */
export function policyObjective(
  model: ModelConfig,
  config: RlConfig,
  shape: BatchShape,
): Objective {
  const { loss: lossOf, hasValueHead } = algorithms[config.algorithm];
  const head = hasValueHead ? valueHeadSpecs(model) : [];
  const specs = [...parameterSpecs(model), ...head];
  const params = modelParameters(model);
  if (hasValueHead) for (const [name, leaf] of valueHeadParameters(model)) params.set(name, leaf);
  const rows = policyRows(model, shape, params);
  const { loss, metrics } = lossOf(rows, config, params);
  return { specs, params, loss, metrics, count: rows.count };
}

function ratioInputs({ logprobs, weight, perToken }: PolicyRows): {
  readonly logprobs: Value;
  readonly oldLogprobs: Value;
  readonly advantages: Value;
  readonly weight: Value;
} {
  const [oldLogprobs, advantages] = [perToken("oldLogprobs"), perToken("advantages")];
  return { logprobs, oldLogprobs, advantages, weight };
}

function clipRange({ clipRatio, clipRatioHigh }: RlConfig): ClipRange {
  return { low: clipRatio, high: clipRatioHigh ?? clipRatio };
}

function likelihood({ logprobs, weight, perToken }: PolicyRows): LossTerms {
  return policyGradientLoss({ logprobs, weight, advantages: perToken("advantages") });
}

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
function comparedRows(
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
function actorCriticBundles(
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
function sequenceBundles(
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
  readonly referenceLogprobs: Float32Array;
}

/** One text of a pair. */
export function pairRow({ ids, mask, referenceLogprobs }: PairText): LearnRow {
  let sum = 0;
  for (let t = 0; t < mask.length; t++) if (mask[t] === 1) sum += referenceLogprobs[t] as number;
  const weight = new Float32Array(mask.length).fill(1);
  return { ids, mask, perToken: { weight }, perRow: { units: 0.5, referenceLogprobs: sum } };
}

function imitated(samples: readonly Sample[], config: RlConfig): Bundle[] {
  return samples.map((sample) => {
    const advantages = new Float32Array(sample.mask.length).fill(1);
    return [tokenRow(sample, config, "dapo", { advantages })];
  });
}
