/** Starting points of stage 2. */
import type { PresetName, Presets } from "../run/preset.ts";
import type { SftConfig } from "./config.ts";

export const sftPresets: Presets<PresetName, SftConfig> = {
  tiny: {
    doc: "about two minutes on 2 cores, from the built-in tasks alone; what `npm start -- --grow` trains",
    values: {
      out: "runs/out/tiny/2-sft",
      model: "runs/out/tiny/1-pretrain",
      data: "builtin",
      conversations: 24_000,
      steps: 800,
      optimizer: "muon",
      // A larger rate for Muon's matrices leaves the loss higher: docs/LOG.md.
      lr: 0.0024,
      muonLr: 0.015,
      warmup: 10,
      warmdown: 680,
      evalEvery: 200,
      sampleEvery: 200,
      saveEvery: 200,
      logEvery: 20,
    },
  },
  kernel: {
    doc: "half an hour on 2 cores, from the built-in tasks and all sets that are at hand",
    values: {
      out: "runs/out/kernel/2-sft",
      model: "runs/out/kernel/1-pretrain",
      // An epoch of as many conversations as the steps read: what tasks make never comes twice.
      conversations: 54_000,
      exchanges: 4,
      // The sets' conversations are twice as long: of the tokens this is some 62 %.
      taskShare: 0.765,
      // Of 8,800 rows 7,920 are left, as many as the conversations fill.
      textShare: 0.1,
      batchSize: 4,
      steps: 2200,
      optimizer: "muon",
      lr: 0.0012,
      muonLr: 0.0075,
      warmup: 20,
      warmdown: 2000,
      evalEvery: 250,
      sampleEvery: 250,
      saveEvery: 250,
      logEvery: 20,
    },
  },
  laptop: {
    doc: "from all conversations that are at hand, at a rate for a model of depth 6",
    values: {
      out: "runs/out/laptop/2-sft",
      model: "runs/out/laptop/1-pretrain",
      optimizer: "adamw",
      lr: 3e-4,
      epochs: 2,
      warmup: 20,
      evalEvery: 250,
      sampleEvery: 250,
      saveEvery: 250,
    },
  },
};
