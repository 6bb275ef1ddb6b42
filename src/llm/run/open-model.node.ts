/** A finished model to start from: its checkpoint and the tokenizer that lies beside it. */
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { digestFile } from "../../durable-file.node.ts";
import { NutshellError } from "../../error.ts";
import { type Checkpoint, loadCheckpoint } from "../model/checkpoint.node.ts";
import { findCheckpoint } from "../model/run-folder.node.ts";
import type { BpeTokenizer } from "../tokenizer/bpe.ts";
import type { CharacterTokenizer } from "../tokenizer/character.ts";
import { fromTokenizerJson } from "../tokenizer/tokenizer-json.ts";
import { sha256 } from "./resume.node.ts";

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

/** @returns what tells the weights of one model from another's, in one file or in several */
export async function hashWeights({ checkpoint: { folder } }: OpenModel): Promise<string> {
  const files = (await readdir(folder)).filter((name) => name.endsWith(".safetensors")).sort();
  const digests = await Promise.all(files.map((name) => digestFile(join(folder, name))));
  const [only] = digests;
  return digests.length === 1 && only !== undefined
    ? only.sha256
    : sha256(digests.map((digest) => digest.sha256).join());
}
