/** Starting points of stage 3. */
import type { PresetName, Presets } from "../run/preset.ts";
import type { RewardConfig } from "./config.ts";

export const presets: Presets<PresetName, RewardConfig> = {
  tiny: {
    doc: "seconds on 2 cores; what `npm start -- --grow` trains",
    values: {
      model: "runs/out/tiny/2-sft",
      out: "runs/out/tiny/3-reward",
      data: "builtin",
      batchSize: 48,
      sequenceLen: 96,
      maxResponses: 5,
      builtin: 600,
      heldOut: 120,
      optimizer: "muon",
      lr: 2e-3,
      muonLr: 1e-2,
      warmup: 5,
      evalEvery: 1000,
      saveEvery: 1000,
    },
  },
  kernel: {
    doc: "five minutes on 2 cores: the built-in rankings and those of ../shared/data",
    values: {
      model: "runs/out/kernel/2-sft",
      out: "runs/out/kernel/3-reward",
      batchSize: 24,
      sequenceLen: 256,
      maxResponses: 6,
      builtin: 800,
      heldOut: 100,
      steps: 320,
      optimizer: "muon",
      lr: 1e-3,
      muonLr: 5e-3,
      warmup: 10,
      evalEvery: 1000,
      saveEvery: 160,
    },
  },
  laptop: {
    doc: "minutes on a laptop: the built-in rankings and those of ../shared/data",
    values: {
      model: "runs/out/laptop/2-sft",
      out: "runs/out/laptop/3-reward",
      batchSize: 16,
      gradAccumSteps: 4,
      builtin: 8000,
      epochs: 1,
      lr: 1e-4,
      warmup: 20,
    },
  },
};
