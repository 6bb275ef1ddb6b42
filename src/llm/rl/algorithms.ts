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
import type { AlgorithmName } from "./algorithm-names.ts";
import type { RlConfig } from "./config.ts";
import type { SampleGroup } from "./experience.ts";
import { type Bundle, withoutSilent } from "./learn-rows.ts";
import type { ClipRange } from "./losses/clipped-ratio.ts";
import { dpoLoss } from "./losses/dpo.ts";
import { grpoLoss } from "./losses/grpo.ts";
import { policyGradientLoss } from "./losses/policy-gradient.ts";
import { type LossTerms, type PolicyRows, policyRows } from "./losses/policy-rows.ts";
import { ppoPolicyLoss, valueLoss } from "./losses/ppo.ts";
import { rlooLoss } from "./losses/rloo.ts";
import {
  actorCriticBundles,
  comparedRows,
  imitated,
  judgedBy,
  pairRow,
  sequenceBundles,
} from "./sample-rows.ts";
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
  /** Whether every sample is judged by the reference. */
  readonly needsReference?: (config: RlConfig) => boolean;
  /** True: β is an input of the loss. */
  readonly hasKlInput?: (config: RlConfig) => boolean;
  /** @param klWeight β as the controller has it now */
  bundles(groups: readonly SampleGroup[], config: RlConfig, klWeight: number): Bundle[];
}

export const algorithms: Readonly<Record<AlgorithmName, Algorithm>> = {
  ppo: {
    ...{ rowsTogether: 1, fewestSamples: 1, hasValueHead: true },
    needsReference: hasKl,
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
    needsReference: hasKl,
    hasKlInput: hasKl,
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
          ...(kl === 0 ? {} : { referenceLogprobs: judgedBy(referenceLogprobs) }),
        }),
      });
      // With KL in the loss, samples without advantage are still pulled to the reference.
      return kl === 0 ? withoutSilent(rows) : rows;
    },
  },
  rloo: {
    ...{ rowsTogether: 1, fewestSamples: 2 },
    needsReference: hasKl,
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
    needsReference: () => true,
    loss: ({ B, T, logprobs, weight, perRow }, config) =>
      dpoLoss(
        {
          ...{ B, T, logprobs, weight, units: perRow("units") },
          referenceLogprobs: perRow("referenceLogprobs"),
        },
        config,
      ),
    bundles: (groups, config) => pairUp(groups, config).map((pair) => pair.map(pairRow)),
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

function hasKl({ kl }: RlConfig): boolean {
  return kl > 0;
}

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
