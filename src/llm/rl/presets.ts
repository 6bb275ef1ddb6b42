/** Starting points of stage 4. */
import type { PresetName, Presets } from "../run/preset.ts";
import type { RlConfig } from "./config.ts";

/** Long sums by the calculator: numbers as long as the longest that SFT has shown, and longer. */
const longSums = {
  task: "calculator",
  digits: "5-7",
  kl: 0,
  // AdamW's first steps have the size of the rate whatever the gradient: with 128 samples a step
  // they are mostly noise, and the reward falls. Muon's are not.
  optimizer: "muon",
  lr: 2e-4,
  muonLr: 1e-3,
  promptsPerStep: 16,
  samplesPerPrompt: 8,
  sequenceLen: 160,
  maxTokens: 96,
  batchSize: 32,
  slots: 64,
  saveEvery: 30,
} as const;

export const presets: Presets<PresetName, RlConfig> = {
  tiny: {
    doc: "under a minute on 2 cores; what `npm start -- --grow` trains",
    values: {
      ...longSums,
      model: "runs/out/tiny/2-sft",
      out: "runs/out/tiny/4-rl",
      steps: 30,
      evalEvery: 15,
    },
  },
  kernel: {
    doc: "minutes on 2 cores; the task of tiny, for longer",
    values: {
      ...longSums,
      model: "runs/out/kernel/2-sft",
      out: "runs/out/kernel/4-rl",
      steps: 60,
      evalEvery: 30,
    },
  },
  laptop: {
    doc: "an hour on a laptop, for models of some ten million parameters",
    values: {
      model: "runs/out/laptop/2-sft",
      out: "runs/out/laptop/4-rl",
      steps: 200,
      promptsPerStep: 32,
      samplesPerPrompt: 16,
      saveEvery: 50,
      evalEvery: 50,
      slots: 64,
      lr: 5e-5,
    },
  },
};
