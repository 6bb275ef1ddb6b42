/** Named starting points of a configuration; a file and flags go over them. */
import type { RewardConfig } from "./config.ts";

export type PresetName = "tiny" | "laptop";

/** What each is for, and what it sets. */
export interface Preset {
  readonly doc: string;
  readonly values: Partial<RewardConfig>;
}

export const presets: Readonly<Record<PresetName, Preset>> = {
  tiny: {
    doc: "seconds on 2 cores; what `npm start` trains",
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
