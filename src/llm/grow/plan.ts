/**
 * What every stage is told: its own preset of the name that was asked for, under the dials of
 * `grow`. Where there is no compiler the plan is one that plain JavaScript carries out in minutes.
 */
import {
  type OptionLayer,
  type OptionTable,
  type OptionValues,
  resolveOptions,
} from "../../options.ts";
import { type EvalConfig, evalOptions } from "../eval/config.ts";
import { type PretrainConfig, pretrainOptions } from "../pretrain/config.ts";
import { presets as pretrainPresets } from "../pretrain/presets.ts";
import { type RewardConfig, rewardOptions } from "../reward/config.ts";
import { presets as rewardPresets } from "../reward/presets.ts";
import { type RlConfig, rlOptions } from "../rl/config.ts";
import { presets as rlPresets } from "../rl/presets.ts";
import { type SftConfig, sftOptions } from "../sft/config.ts";
import { sftPresets } from "../sft/presets.ts";
import { depthOf, type GrowConfig, sizeOf } from "./config.ts";
import { folderOf } from "./state.node.ts";

export interface GrowPlan {
  readonly config: GrowConfig;
  readonly pretrain: PretrainConfig;
  readonly sft: SftConfig;
  readonly reward: RewardConfig;
  readonly rl: RlConfig;
  /** The same for each of the models but for `model`. */
  readonly evals: EvalConfig;
}

/** How much is measured of each of the three models. */
const evalSizes = {
  tiny: { suite: "text,assistant,arithmetic,talk", maxRows: 100 },
  // Twice as many take ten minutes more.
  kernel: { suite: "text,assistant,arithmetic,math,core,talk", maxRows: 40 },
  laptop: { suite: "text,assistant,arithmetic,math,core,talk", maxRows: 200 },
} as const;

/** What plain JavaScript can do in the same time; the numbers are then those of a sketch. */
const withoutCompiler = {
  pretrain: {
    ...{ vocabSize: 512, maxBytes: 2_000_000, depth: 2, nEmbd: 64, nHead: 2, nFfn: 168 },
    ...{ sequenceLen: 64, batchSize: 4, steps: 200, warmup: 20 },
    ...{ evalEvery: 100, sampleEvery: 100, saveEvery: 100 },
  },
  sft: { steps: 60, batchSize: 4, warmdown: 30, conversations: 2000, evalConversations: 4 },
  reward: { batchSize: 8, builtin: 32, heldOut: 16, sequenceLen: 64 },
  rl: { steps: 2, promptsPerStep: 2, samplesPerPrompt: 4, maxTokens: 16, evalProblems: 8 },
  evals: { suite: "assistant,talk", maxRows: 2 },
} as const;

/** @param compiled whether the backend compiles */
export function planGrowth(config: GrowConfig, compiled: boolean): GrowPlan {
  const { preset, out, data, seed, backend, threads } = config;
  const name = sizeOf(preset);
  const dials = { seed, backend, ...(threads === undefined ? {} : { threads }) };
  const depth = depthOf(preset);
  const [base, sft, reward] = (["pretrain", "sft", "reward"] as const).map((step) =>
    folderOf(out, step),
  ) as [string, string, string];
  const layers = (values: object, small: object, own: object): OptionLayer[] => [
    { from: `preset ${preset}`, values: { ...values, ...(compiled ? {} : small) } },
    { from: "grow", values: { ...dials, ...own } },
  ];
  const resolve = <T extends OptionTable>(table: T, ...rest: Parameters<typeof layers>) =>
    resolveOptions(table, ...layers(...rest)) as OptionValues<T>;
  return {
    config,
    pretrain: resolve(pretrainOptions, pretrainPresets[name].values, withoutCompiler.pretrain, {
      out: base,
      ...(data === undefined ? {} : { data }),
      ...(depth === undefined ? {} : { depth }),
    }),
    sft: resolve(sftOptions, sftPresets[name].values, withoutCompiler.sft, {
      ...{ model: base, out: sft },
    }),
    reward: resolve(rewardOptions, rewardPresets[name].values, withoutCompiler.reward, {
      ...{ model: sft, out: reward },
    }),
    rl: resolve(rlOptions, rlPresets[name].values, withoutCompiler.rl, {
      ...{ model: sft, out: folderOf(out, "rl") },
    }),
    evals: resolve(evalOptions, evalSizes[name], withoutCompiler.evals, {
      ...{ reward, text: `${base}/data` },
    }),
  };
}
