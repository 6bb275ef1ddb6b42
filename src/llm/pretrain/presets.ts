/** Starting points of stage 1. */
import type { Presets, PresetName as Sizes } from "../run/preset.ts";
import type { PretrainConfig } from "./config.ts";

export type PresetName = Sizes | "shakespeare";

export const presets: Presets<PresetName, PretrainConfig> = {
  tiny: {
    doc: "under four minutes on 2 cores; what `npm start -- --grow` trains",
    values: {
      out: "runs/out/tiny/1-pretrain",
      vocabSize: 4096,
      maxBytes: 24_000_000,
      depth: 3,
      sequenceLen: 256,
      // Few tokens a step and many steps: the budget is time, and early steps need no large batch.
      batchSize: 8,
      gradAccumSteps: 1,
      steps: 1500,
      optimizer: "muon",
      warmup: 50,
      evalEvery: 375,
      evalBatches: 2,
      sampleEvery: 375,
      saveEvery: 375,
      prompt: "One day",
      logEvery: 20,
    },
  },
  laptop: {
    doc: "a few hours on a laptop: a model that keeps to a subject for a paragraph",
    values: {
      out: "runs/out/laptop/1-pretrain",
      vocabSize: 8192,
      depth: 6,
      sequenceLen: 512,
      batchSize: 8,
      evalBatches: 8,
    },
  },
  kernel: {
    doc: "half an hour on 2 cores; the base of the model that ships",
    values: {
      out: "runs/out/kernel/1-pretrain",
      vocabSize: 8192,
      depth: 4,
      // Room for tools, their results and a few turns.
      sequenceLen: 1024,
      batchSize: 4,
      gradAccumSteps: 1,
      steps: 3000,
      optimizer: "muon",
      warmup: 50,
      warmdown: 890,
      evalEvery: 500,
      evalBatches: 2,
      sampleEvery: 500,
      saveEvery: 250,
      logEvery: 20,
    },
  },
  shakespeare: {
    doc: "nanoGPT's character-level CPU setting",
    values: {
      out: "runs/out/shakespeare",
      tokenizer: "character",
      // Published on this text as it is.
      clean: "off",
      depth: 4,
      nHead: 4,
      nEmbd: 128,
      // 12 · C² parameters a layer, as its GELU block has: 4 · C² + 3 · C · F.
      nFfn: 344,
      tied: true,
      sequenceLen: 64,
      batchSize: 12,
      gradAccumSteps: 1,
      steps: 2000,
      optimizer: "adamw",
      lr: 1e-3,
      schedule: "cosine",
      warmup: 100,
      minLr: 0.1,
      weightDecay: 0.1,
      beta2: 0.99,
      clip: 1,
      seed: 1337,
      logEvery: 50,
      evalEvery: 500,
      sampleEvery: 1000,
      saveEvery: 1000,
      prompt: "\n",
    },
  },
};
