/**
 * A finished language model as the writers of other formats see it: its config, its tokenizer, and
 * one tensor at a time, so that what is exported may be larger than memory.
 */
import { join } from "node:path";
import { sameShape } from "../../compute/shape.ts";
import { NutshellError } from "../../error.ts";
import type { ModelConfig } from "../model/config.ts";
import { parameterSpecs } from "../model/parameters.ts";
import { type FoundTensor, findTensors, readTensor } from "../model/tensor-file.node.ts";
import { openModel } from "../run/open-model.node.ts";
import type { BpeTokenizer } from "../tokenizer/bpe.ts";
import type { CharacterTokenizer } from "../tokenizer/character.ts";

export interface ExportModel {
  readonly folder: string;
  readonly config: ModelConfig;
  readonly tokenizer: BpeTokenizer | CharacterTokenizer;
  readonly tokenizerJson: string;
  /** What every text begins with; undefined where texts begin with their own first token. */
  readonly bosId: number | undefined;
  /** What generation ends at. */
  readonly endId: number | undefined;
  /** The Jinja template of conversations; undefined in a model that was not taught to talk. */
  readonly chatTemplate: string | undefined;
  /** A text file of the folder, undefined when there is none. */
  readText(name: string): Promise<string | undefined>;
  /** Values of one of `parameterSpecs(config)`. */
  read(name: string): Promise<Float32Array>;
  /** Where it lies, with its stored type. */
  stored(name: string): FoundTensor;
}

/**
 * @param path a checkpoint or model folder, or a run's folder for its newest checkpoint
 * @throws CHECKPOINT when it is torn, has no tokenizer or is no language model; CONFIG
 */
export async function openExportModel(path: string): Promise<ExportModel> {
  const { checkpoint, tokenizer, tokenizerJson } = await openModel(path);
  const { folder, config } = checkpoint;
  const tensors = await findTensors(folder);
  requireLanguageModel(folder, config, tensors);
  const stored = (name: string): FoundTensor => tensors.get(name) as FoundTensor;
  const generation = await readObject(checkpoint.readText, folder, "generation_config.json");
  const texts = await readObject(checkpoint.readText, folder, "tokenizer_config.json");
  const template = texts.chat_template ?? (await checkpoint.readText("chat_template.jinja"));
  const end = [generation.eos_token_id].flat()[0];
  const start = "bos_token" in texts ? undefined : generation.bos_token_id;
  const given = typeof start === "number" ? start : namedToken(tokenizer, texts.bos_token);
  return {
    ...{ folder, config, tokenizer, tokenizerJson, stored },
    bosId: tokenizer.bos ?? given,
    endId: typeof end === "number" ? end : tokenizer.bos,
    chatTemplate: typeof template === "string" ? template : undefined,
    readText: checkpoint.readText,
    read: (name) => readTensor(stored(name)),
  };
}

/** @param name as tokenizer_config.json has it: a string, or an object with its `content` */
function namedToken(tokenizer: ExportModel["tokenizer"], name: unknown): number | undefined {
  const text = typeof name === "string" ? name : (name as { content?: unknown } | null)?.content;
  return typeof text === "string" ? tokenizer.specialTokens.get(text) : undefined;
}

/** What a file may hold beside the parameters: a copy of a tied head, tables made of the config. */
function isSpare(name: string, config: ModelConfig): boolean {
  return (
    name.endsWith("rotary_emb.inv_freq") || (config.tiedEmbeddings && name === "lm_head.weight")
  );
}

function requireLanguageModel(
  folder: string,
  config: ModelConfig,
  tensors: ReadonlyMap<string, FoundTensor>,
): void {
  const left = new Set(tensors.keys());
  for (const { name, shape } of parameterSpecs(config)) {
    const found = tensors.get(name);
    left.delete(name);
    if (found !== undefined && sameShape(found.shape, shape)) continue;
    const got = found === undefined ? "none" : `[${found.shape}]`;
    throw misfit(folder, `a language model must hold ${name} [${shape}], got ${got}`);
  }
  const extra = [...left].find((name) => !isSpare(name, config));
  if (extra !== undefined)
    throw misfit(folder, `every tensor must have a place in a language model, got ${extra} too`);
}

function misfit(folder: string, what: string): NutshellError {
  return new NutshellError(
    "CHECKPOINT",
    `${folder}: ${what}. A reward model, or a model with biases or adapters, is not one; name the ` +
      "model that it was made from.",
  );
}

async function readObject(
  readText: ExportModel["readText"],
  folder: string,
  name: string,
): Promise<Readonly<Record<string, unknown>>> {
  const text = await readText(name);
  if (text === undefined) return {};
  try {
    return JSON.parse(text) as Record<string, unknown>;
  } catch (cause) {
    const where = join(folder, name);
    const got = JSON.stringify(text.slice(0, 40));
    throw new NutshellError(
      "CHECKPOINT",
      `${where}: must be JSON, got ${got}. Copy the file again.`,
      {
        cause,
      },
    );
  }
}
