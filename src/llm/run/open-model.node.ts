/** A finished model to start from: its checkpoint and the tokenizer that lies beside it. */
import { NutshellError } from "../../error.ts";
import { type Checkpoint, loadCheckpoint } from "../model/checkpoint.node.ts";
import { findCheckpoint } from "../model/run-folder.node.ts";
import type { BpeTokenizer } from "../tokenizer/bpe.ts";
import type { CharacterTokenizer } from "../tokenizer/character.ts";
import { fromTokenizerJson } from "../tokenizer/tokenizer-json.ts";

export interface OpenModel {
  readonly checkpoint: Checkpoint;
  readonly tokenizer: BpeTokenizer | CharacterTokenizer;
  /** The file's text, for checkpoints that follow. */
  readonly tokenizerJson: string;
}

/**
 * @param path a checkpoint or model folder, or a run's folder for its newest checkpoint
 * @throws CHECKPOINT when there is no model or no tokenizer, or they do not fit together
 */
export async function openModel(path: string): Promise<OpenModel> {
  const checkpoint = await loadCheckpoint(await findCheckpoint(path));
  const { config } = checkpoint;
  const file = `${checkpoint.folder}/tokenizer.json`;
  const tokenizerJson = await checkpoint.readText("tokenizer.json");
  if (tokenizerJson === undefined)
    throw new NutshellError(
      "CHECKPOINT",
      `${file}: file must exist, got none. Copy it from where the model was made.`,
    );
  const tokenizer = fromTokenizerJson(tokenizerJson, file);
  if (tokenizer.vocabSize <= config.vocabSize) return { checkpoint, tokenizer, tokenizerJson };
  throw new NutshellError(
    "CHECKPOINT",
    `${file}: must have at most the model's ${config.vocabSize} tokens, ` +
      `got ${tokenizer.vocabSize}. Model and tokenizer come from different runs.`,
  );
}
