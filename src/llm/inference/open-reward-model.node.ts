/**
 * A finished reward model to score with: its checkpoint, its own tokenizer (texts are to be encoded
 * with this one, whatever wrote them) and its scale, from `reward.json` beside the weights.
 */
import type { Backend } from "../../compute/backend.ts";
import { NutshellError } from "../../error.ts";
import { type Checkpoint, loadCheckpoint } from "../model/checkpoint.node.ts";
import type { ModelConfig } from "../model/config.ts";
import { findCheckpoint } from "../model/run-folder.node.ts";
import { rewardModelSpecs } from "../model/scalar-head.ts";
import type { Tokenizer } from "../tokenizer/tokenizer.ts";
import { fromTokenizerJson } from "../tokenizer/tokenizer-json.ts";
import { createRewardScorer, type RewardScale, type RewardScorer } from "./score.ts";

/** `reward.json` of a checkpoint. */
export const SCALE_FILE = "reward.json";

export interface OpenRewardModel extends RewardScorer {
  readonly folder: string;
  readonly config: ModelConfig;
  readonly tokenizer: Tokenizer;
  readonly scale: RewardScale;
}

/**
 * @param path a checkpoint folder, or a run's folder for its newest checkpoint
 * @param rows scored at a time
 * @returns the caller disposes it, before the backend
 * @throws CHECKPOINT when there is no reward model or no tokenizer
 */
export async function openRewardModel(
  path: string,
  backend: Backend,
  rows = 8,
): Promise<OpenRewardModel> {
  const checkpoint = await loadCheckpoint(await findCheckpoint(path));
  const { config, folder } = checkpoint;
  const store = backend.createStore();
  await checkpoint.loadParameters(store, rewardModelSpecs(config));
  const [tokenizer, scale] = [await readTokenizer(checkpoint), await readScale(checkpoint)];
  const precision = backend.description.includes("bf16") ? "bf16" : "f32";
  const options = { B: rows, T: config.sequenceLen, precision, scale } as const;
  const scorer = createRewardScorer(backend, store, config, options);
  return {
    ...{ ...scorer, folder, config, tokenizer, scale },
    async dispose() {
      await scorer.dispose();
      store.dispose();
    },
  };
}

async function readTokenizer(checkpoint: Checkpoint): Promise<Tokenizer> {
  const text = await checkpoint.readText("tokenizer.json");
  const file = `${checkpoint.folder}/tokenizer.json`;
  if (text !== undefined) return fromTokenizerJson(text, file);
  throw new NutshellError("CHECKPOINT", `${file}: file must exist, got none. Copy it too.`);
}

/** A model from elsewhere has no scale of its own: its numbers are taken as they are. */
async function readScale(checkpoint: Checkpoint): Promise<RewardScale> {
  const text = await checkpoint.readText(SCALE_FILE);
  if (text === undefined) return { mean: 0, std: 1 };
  const { mean, std } = JSON.parse(text) as Partial<RewardScale>;
  if (Number.isFinite(mean) && Number.isFinite(std) && (std as number) > 0)
    return { mean: mean as number, std: std as number };
  throw new NutshellError(
    "CHECKPOINT",
    `${checkpoint.folder}/${SCALE_FILE}: mean and std > 0 must be numbers, got ${text.trim()}.`,
  );
}
