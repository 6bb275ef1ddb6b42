/** One set of random weights as files that both sides read: our checkpoint and its GGUF exports. */
import { execFile } from "node:child_process";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import type { Store } from "../src/compute/backend.ts";
import { saveCheckpoint } from "../src/llm/model/checkpoint.node.ts";
import type { ModelConfig } from "../src/llm/model/config.ts";
import { toTokenizerJson } from "../src/llm/tokenizer/tokenizer-json.ts";
import { trainBpe } from "../src/llm/tokenizer/train.ts";

const CLI = fileURLToPath(new URL("../src/cli/main.ts", import.meta.url));

export const ggufTypes = ["bf16", "f16", "q8_0"] as const;
export type GgufType = (typeof ggufTypes)[number];

/** @returns the path of each file  @throws what `nutshell export` says */
export async function exportModels(
  store: Store,
  config: ModelConfig,
  folder: string,
): Promise<Record<GgufType, string>> {
  // Nothing is encoded: a token a byte is vocabulary enough, and the table is longer.
  const texts = { "tokenizer.json": toTokenizerJson(trainBpe([], { vocabSize: 257 })) };
  const model = await saveCheckpoint(folder, { step: 0, config, store, texts });
  const files = ggufTypes.map(async (type) => {
    const path = join(folder, `${type}.gguf`);
    const args = ["export", "--model", model, "--to", "gguf", "--type", type, "--out", path];
    await promisify(execFile)(process.execPath, [CLI, ...args]);
    return [type, path] as const;
  });
  return Object.fromEntries(await Promise.all(files)) as Record<GgufType, string>;
}
