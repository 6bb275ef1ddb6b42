/**
 * `adapter/` of a run with low-rank updates: PEFT's two files, beside the checkpoints and not in
 * them, since a checkpoint's weights hold the updates already. An adapter names its base and holds
 * nothing but updates, so there is none where the run added rows to the base.
 */
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { diskError, writeDurably, writeFolderAtomically } from "../../durable-file.node.ts";
import { type LoraOptions, loraSpecs, renderAdapterConfig } from "../model/lora.ts";
import { tensorFileChunks } from "../model/tensor-file.node.ts";
import type { Run } from "./open-run.node.ts";

/** Replaces what is there. @throws DISK */
export async function saveAdapter(run: Run, lora: LoraOptions): Promise<void> {
  const { config, model, trainee, base } = run;
  const [target, temporary] = [join(config.out, "adapter"), join(config.out, ".torn-adapter")];
  const names = loraSpecs(model, lora).map(({ name }) => name);
  try {
    for (const old of [temporary, target]) await rm(old, { recursive: true, force: true });
    await writeFolderAtomically(temporary, target, config.out, async () => {
      const settings = new TextEncoder().encode(renderAdapterConfig(lora, base));
      await writeDurably(join(temporary, "adapter_config.json"), [settings]);
      const tensors = tensorFileChunks(trainee.store, names, "F32");
      await writeDurably(join(temporary, "adapter_model.safetensors"), tensors);
    });
  } catch (error) {
    throw diskError(target, error, "The last checkpoint is intact. Then resume.");
  }
}
