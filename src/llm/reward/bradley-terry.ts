/**
 * The loss of a reward model. Of two answers to one prompt the better one is to have the larger
 * reward: -ln σ(chosen - rejected - margin), averaged over the pairs of a prompt, so that a prompt
 * counts once however many answers it has. All pairs of a prompt lie in one batch, and each answer
 * is computed once. Answers that are tied make no pair.
 *
 * @see Bradley & Terry 1952; Ouyang et al. 2022, eq. 1 (K-wise); Touvron et al. 2023 (Llama 2,
 *   margins); Eisenstein et al. 2023 (centring)
 */
import { input, type Value } from "../../compute/graph.ts";
import { sum } from "../../compute/ops/broadcast.ts";
import {
  add,
  equal,
  exp,
  less,
  log,
  maximum,
  mul,
  neg,
  sub,
} from "../../compute/ops/elementwise.ts";
import { embedding } from "../../compute/ops/embedding.ts";
import { reshape } from "../../compute/ops/reshape.ts";
import type { ModelConfig } from "../model/config.ts";
import { rewardModelSpecs, scalarHeadAt, scalarHeadParameters } from "../model/scalar-head.ts";
import { hiddenStates, modelParameters } from "../model/transformer.ts";
import type { BatchShape, Objective } from "../optim/objective.ts";

export interface PairLossOptions {
  /** c in c · (chosen + rejected)², which keeps rewards around 0; 0 = off. */
  readonly centring: number;
  /** ε: the share of pairs taken to be the wrong way round. */
  readonly labelSmoothing: number;
}

/** Pairs of a batch. All f32 or i32 [P]; a pair of weight 0 only fills the array. */
export interface PairInputs {
  /** i32, rows of the batch. */
  readonly chosen: Value;
  readonly rejected: Value;
  /** 1 / pairs of the prompt. */
  readonly weight: Value;
  /** By how much the chosen reward is to be larger. */
  readonly margin: Value;
}

/** Sums over prompts, as f32 scalars. */
export interface PairSums {
  readonly loss: Value;
  /** Prompts. */
  readonly count: Value;
  /** Pairs ranked right, as a share of each prompt's; equal rewards are half right. */
  readonly accuracy: Value;
  /** chosen - rejected. */
  readonly lead: Value;
}

/**
 * ln(1 + eˣ) without overflow; its gradient is σ(x) for every x, 0 included, since what the larger
 * of x and 0 adds cancels.
 */
export function softplus(x: Value): Value {
  const top = maximum(x, 0);
  return add(log(add(exp(sub(x, top)), exp(neg(top)))), top);
}

/** @param rewards f32 [R], one a row of the batch */
export function pairSums(
  rewards: Value,
  { chosen, rejected, weight, margin }: PairInputs,
  { centring, labelSmoothing }: PairLossOptions,
): PairSums {
  const better = rewardsOf(rewards, chosen);
  const worse = rewardsOf(rewards, rejected);
  const lead = sub(better, worse);
  const z = sub(lead, margin);
  const both = add(better, worse);
  // (1 - ε) · softplus(-z) + ε · softplus(z), since softplus(z) = z + softplus(-z).
  const ranking = add(softplus(neg(z)), mul(z, labelSmoothing));
  const loss = add(ranking, mul(mul(both, both), centring));
  const right = add(less(0, lead), mul(equal(lead, 0), 0.5));
  const total = (perPair: Value): Value => sum(mul(perPair, weight));
  return { loss: total(loss), count: sum(weight), accuracy: total(right), lead: total(lead) };
}

function rewardsOf(rewards: Value, rows: Value): Value {
  const [R] = rewards.shape as [number];
  return reshape(embedding(reshape(rewards, [R, 1]), rows), rows.shape);
}

/**
 * Inputs: `tokens` i32 [B, T]; `last` i32 [B], the position b · T + t of each row's last token; and
 * the arrays of `PairInputs` by name. A unit is a prompt.
 * @param P pairs that a batch may hold
 */
export function bradleyTerry(
  config: ModelConfig,
  { B, T, precision }: BatchShape,
  P: number,
  options: PairLossOptions,
): Objective {
  const params = new Map([...modelParameters(config), ...scalarHeadParameters(config)]);
  const { hidden } = hiddenStates(config, params, input("tokens", [B, T], "i32"), { precision });
  const rewards = scalarHeadAt(params, hidden, input("last", [B], "i32"));
  const pairs: PairInputs = {
    chosen: input("chosen", [P], "i32"),
    rejected: input("rejected", [P], "i32"),
    weight: input("weight", [P]),
    margin: input("margin", [P]),
  };
  const { loss, count, accuracy, lead } = pairSums(rewards, pairs, options);
  return { specs: rewardModelSpecs(config), params, loss, count, metrics: { accuracy, lead } };
}
