/**
 * Checkpoints: folders in Hugging Face's layout that other programs open as they are.
 *
 *     config.json  model.safetensors  tokenizer.json  card.md  …     texts are given by the caller
 *     training/optimizer.safetensors  training/state.json            only what resuming needs
 *     manifest.json                                                  sizes and SHA-256 of the others
 *
 * Saving is atomic: written into a folder beside, synced, renamed. Loading checks every byte against
 * the manifest first. Model folders from elsewhere have no manifest and load without that check.
 */
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import type { Store } from "../../compute/backend.ts";
import type { Shape } from "../../compute/graph.ts";
import { sameShape } from "../../compute/shape.ts";
import {
  diskError,
  type FileDigest,
  syncFolder,
  tryReadText,
  writeDurably,
  writeFolderAtomically,
} from "../../durable-file.node.ts";
import type { ModelConfig } from "./config.ts";
import { fromHfConfig, type JsonObject, QUANT_METHOD, toHfConfig } from "./hugging-face-config.ts";
import {
  checkpointError,
  isCheckpointFile,
  MANIFEST,
  parseJson,
  renderManifest,
  verifyManifest,
} from "./manifest.node.ts";
import { parameterSpecs } from "./parameters.ts";
import { latestCheckpoint, placeForStep, removeOld, removeTorn } from "./run-folder.node.ts";
import {
  type FoundTensor,
  findTensors,
  readTensor,
  readTensorIndex,
  tensorFileChunks,
  type WeightStorage,
} from "./tensor-file.node.ts";

/** Where a run stands. All of it is JSON; `data` and `config` belong to the stage. */
export interface TrainingState {
  /** Steps done. */
  readonly step: number;
  readonly seed: number;
  /** Position in the data, and whatever else the loop must find again. */
  readonly data: unknown;
  /** The resolved configuration of the stage. */
  readonly config: unknown;
}

export interface CheckpointContent {
  readonly step: number;
  readonly config: ModelConfig;
  readonly store: Store;
  /** Further files by name: tokenizer.json, card.md, metrics.jsonl, generation_config.json … */
  readonly texts: Readonly<Record<string, string>>;
  /** The tensors of the model, with a scalar head for example; absent: a language model's. */
  readonly specs?: readonly NamedShape[];
  /** Storage of the weights; training needs "F32". */
  readonly dtype?: WeightStorage;
  /** Absent: the checkpoint can be run, not resumed. */
  readonly training?: { readonly state: TrainingState; readonly optimizer: readonly string[] };
}

export interface Checkpoint {
  readonly folder: string;
  readonly config: ModelConfig;
  readonly training: TrainingState | undefined;
  /** A text file of the folder, e.g. tokenizer.json; undefined when there is none. */
  readText(name: string): Promise<string | undefined>;
  /**
   * Defines and fills all parameters.
   * @param specs what must be there; absent: a language model's parameters
   * @throws CHECKPOINT when the tensors are not these
   */
  loadParameters(store: Store, specs?: readonly NamedShape[]): Promise<void>;
  /** Defines and fills optimizer states. @throws CHECKPOINT when they are not the `expected` */
  loadOptimizer(store: Store, expected: readonly NamedShape[]): Promise<void>;
}

export interface NamedShape {
  readonly name: string;
  readonly shape: Shape;
}

const OPTIMIZER = "training/optimizer.safetensors";
const STATE = "training/state.json";

/**
 * Saves `runFolder/step-…`.
 * @param keep checkpoints that stay; absent = all
 * @returns the new folder  @throws DISK when a write fails; what was there before is intact
 */
export async function saveCheckpoint(
  runFolder: string,
  content: CheckpointContent,
  keep?: number,
): Promise<string> {
  try {
    await mkdir(runFolder, { recursive: true });
    await removeTorn(runFolder);
    const { temporary, target } = await placeForStep(runFolder, content.step);
    await writeFolderAtomically(temporary, target, runFolder, () => fill(temporary, content));
    if (keep !== undefined) await removeOld(runFolder, keep);
    return target;
  } catch (error) {
    const last = await latestCheckpoint(runFolder).catch(() => undefined);
    const kept = last === undefined ? "No checkpoint was lost." : `${last} is intact.`;
    throw diskError(runFolder, error, `${kept} Then resume.`);
  }
}

async function fill(folder: string, content: CheckpointContent): Promise<void> {
  const { config, store, texts, training, dtype = "F32" } = content;
  const digests: Record<string, FileDigest> = {};
  const write = async (name: string, chunks: Parameters<typeof writeDurably>[1]): Promise<void> => {
    if (!isCheckpointFile(name))
      throw checkpointError(name, "file name must be a plain one", "Rename the file.");
    digests[name] = await writeDurably(join(folder, name), chunks);
  };
  const names = (content.specs ?? parameterSpecs(config)).map(({ name }) => name);
  const task = names.includes("score.weight") ? "SequenceClassification" : "CausalLM";
  await write("config.json", json({ ...toHfConfig(config, task), ...quantization(dtype) }));
  await write("model.safetensors", tensorFileChunks(store, names, dtype));
  for (const [name, body] of Object.entries(texts)) await write(name, text(body));
  if (training !== undefined) {
    await mkdir(join(folder, "training"));
    await write(OPTIMIZER, tensorFileChunks(store, training.optimizer, "F32"));
    await write(STATE, json(training.state));
    await syncFolder(join(folder, "training"));
  }
  await writeDurably(join(folder, MANIFEST), text(renderManifest(digests)));
}

/** Says to other programs that they cannot read these weights as they are. */
const quantization = (dtype: WeightStorage): JsonObject =>
  dtype === "Q8_0" ? { quantization_config: { quant_method: QUANT_METHOD } } : {};

const text = (body: string): Uint8Array[] => [new TextEncoder().encode(body)];
const json = (value: unknown): Uint8Array[] => text(`${JSON.stringify(value, null, 2)}\n`);

/**
 * Opens a checkpoint or any Llama/Qwen3-shaped model folder.
 * @throws CHECKPOINT naming the file that is missing, cut, changed or foreign; CONFIG for a model
 *   that we do not compute
 */
export async function loadCheckpoint(folder: string): Promise<Checkpoint> {
  const verified = await verifyManifest(folder);
  const path = join(folder, "config.json");
  const config = fromHfConfig((await readJson(path)) as JsonObject, path);
  const tensors = await findTensors(folder);
  const resumable = verified?.includes(STATE) === true;
  return {
    folder,
    config,
    training: resumable ? ((await readJson(join(folder, STATE))) as TrainingState) : undefined,
    readText: (name) => tryReadText(join(folder, name)),
    async loadParameters(store, expected = parameterSpecs(config)) {
      // Some files repeat a tied head, or hold tables that are computed from the config.
      const ignored = (name: string): boolean =>
        name.endsWith("rotary_emb.inv_freq") ||
        (config.tiedEmbeddings && name === "lm_head.weight");
      const needed = [...tensors.values()].filter(({ name }) => !ignored(name));
      await fillStore(folder, store, needed, expected);
    },
    async loadOptimizer(store, expected) {
      if (!resumable)
        throw checkpointError(folder, "must hold training/ to be resumed, got none", FIX_RESUME);
      await fillStore(folder, store, await readTensorIndex(join(folder, OPTIMIZER)), expected);
    },
  };
}

const FIX_RESUME = "Resume from a checkpoint of a run, or start a new run from these weights.";

async function readJson(path: string): Promise<unknown> {
  const found = await tryReadText(path);
  if (found === undefined)
    throw checkpointError(path, "file must exist, got none", "Name the folder of a model.");
  const value = parseJson(path, found);
  if (typeof value === "object" && value !== null) return value;
  throw checkpointError(path, `must be a JSON object, got ${found.slice(0, 40)}`);
}

async function fillStore(
  folder: string,
  store: Store,
  found: readonly FoundTensor[],
  expected: readonly NamedShape[],
): Promise<void> {
  const byName = new Map(found.map((tensor) => [tensor.name, tensor]));
  const pairs = expected.map(({ name, shape }) => {
    const tensor = byName.get(name);
    if (tensor === undefined) throw misfit(folder, `${name} [${shape}] must be there, got none`);
    if (!sameShape(tensor.shape, shape))
      throw misfit(tensor.path, `${name} must be [${shape}], got [${tensor.shape}]`);
    byName.delete(name);
    return tensor;
  });
  const [extra] = byName.keys();
  if (extra !== undefined) throw misfit(folder, `every tensor must have a place, got ${extra} too`);
  for (const tensor of pairs) {
    store.define(tensor.name, { shape: tensor.shape, dtype: "f32" });
    await store.write(tensor.name, await readTensor(tensor));
  }
}

function misfit(path: string, what: string): Error {
  return checkpointError(path, what, "Weights and config come from different models or runs.");
}
