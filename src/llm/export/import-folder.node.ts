/**
 * A Llama- or Qwen3-shaped folder of Hugging Face's becomes a checkpoint of ours: one weights file
 * under our names, the texts that we use, and a manifest that later shows a torn copy. Weights keep
 * their stored bytes. What we would compute otherwise than its authors is refused, by name.
 */
import { stat } from "node:fs/promises";
import { join } from "node:path";
import { type FileDigest, tryReadText } from "../../durable-file.node.ts";
import { NutshellError } from "../../error.ts";
import type { ModelConfig } from "../model/config.ts";
import { fromHfConfig, type JsonObject } from "../model/hugging-face-config.ts";
import { MANIFEST, parseJson, renderManifest } from "../model/manifest.node.ts";
import { findTensors } from "../model/tensor-file.node.ts";
import { type ExportModel, openExportModel } from "./export-model.node.ts";
import { weightBytes, writeHuggingFaceFolder } from "./hugging-face-folder.node.ts";
import { type OutputOptions, writeOutputFolder } from "./output.node.ts";

export interface Imported {
  readonly config: ModelConfig;
  /** Of the weights. */
  readonly bytes: number;
}

/**
 * @throws CHECKPOINT for a missing or torn file, CONFIG for another architecture or a feature that
 *   we do not compute, TOKENIZER for another kind of tokenizer, CONFIG for an output that exists
 */
export async function importFolder(
  from: string,
  to: string,
  options: OutputOptions,
): Promise<Imported> {
  const model = await openImport(from);
  await writeOutputFolder(
    to,
    async (write) => {
      const digests: Record<string, FileDigest> = {};
      await writeHuggingFaceFolder(model, undefined, async (name, chunks) => {
        const digest = await write(name, chunks);
        digests[name] = digest;
        return digest;
      });
      await write(MANIFEST, [new TextEncoder().encode(renderManifest(digests))]);
    },
    options,
  );
  return { config: model.config, bytes: weightBytes(model, undefined) };
}

/** Opens a folder for import; refusals come before the first byte is written. */
async function openImport(folder: string): Promise<ExportModel> {
  await refuseSentencePiece(folder);
  await refuseConfig(folder);
  await refuseBiases(folder);
  return openExportModel(folder);
}

/** A `tokenizer.model` alone is SentencePiece's. */
async function refuseSentencePiece(folder: string): Promise<void> {
  const exists = async (name: string): Promise<boolean> =>
    (await stat(join(folder, name)).catch(() => undefined)) !== undefined;
  if ((await exists("tokenizer.json")) || !(await exists("tokenizer.model"))) return;
  throw new NutshellError(
    "TOKENIZER",
    `import: ${folder}: the tokenizer must be a byte-level BPE in tokenizer.json, got ` +
      "SentencePiece's tokenizer.model. Choose a Llama 3- or Qwen3-shaped model.",
  );
}

async function refuseConfig(folder: string): Promise<void> {
  const path = join(folder, "config.json");
  const text = await tryReadText(path);
  if (text === undefined)
    throw new NutshellError(
      "CHECKPOINT",
      `${path}: file must exist, got none. Name the folder of a Hugging Face model.`,
    );
  fromHfConfig(parseJson(path, text) as JsonObject, path);
}

/** Said before the config's sizes are compared, which a bias never disturbs. */
async function refuseBiases(folder: string): Promise<void> {
  const names = [...(await findTensors(folder)).keys()];
  const bias = names.find((name) => name.endsWith(".bias"));
  if (bias === undefined) return;
  throw new NutshellError(
    "CONFIG",
    `import: ${folder}: products must have no bias, got ${bias}. ` +
      "This feature is not supported; choose a model without it.",
  );
}
