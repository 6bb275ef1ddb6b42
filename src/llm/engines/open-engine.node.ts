/**
 * From the name of a model to an engine that can be asked: a checkpoint's folder, a GGUF
 * file, or `PROVIDER/MODEL` for a model of another machine.
 */
import { NutshellError } from "../../error.ts";
import type { Engine } from "../inference/engine.ts";
import { openGguf } from "./gguf-engine.node.ts";
import { type CheckpointOptions, openCheckpoint } from "./open-checkpoint.node.ts";
import { readRemoteSetting } from "./remote-setting.node.ts";

export interface OpenEngineOptions extends CheckpointOptions {
  /** Of a GGUF file: layers on a GPU where llama.cpp finds one; default false. */
  readonly gpu?: boolean | undefined;
  /** Of a remote model; absent: the provider's, or as the environment says. */
  readonly baseUrl?: string | undefined;
}

/**
 * @param name a checkpoint or model folder, a run's folder for its newest checkpoint, a GGUF file, or
 *   `openai/MODEL`, `anthropic/MODEL`, `google/MODEL`, `ollama/MODEL`, `openai-compatible/MODEL`
 * @throws CHECKPOINT when there is no model; CONFIG when an option breaks its rule or a provider's
 *   key is missing; TOOLCHAIN
 */
export async function openEngine(name: string, options: OpenEngineOptions = {}): Promise<Engine> {
  const { baseUrl, id, contextLen } = options;
  const remote = readRemoteSetting(name, process.env, { baseUrl });
  if (remote === undefined && name.endsWith(".gguf")) {
    refuseOthers(name, options, ["weights", "kvBytes", "backend", "baseUrl", "draft", "steady"]);
    return openGguf(name, options);
  }
  if (remote === undefined) {
    refuseOthers(name, options, ["gpu", "baseUrl"]);
    return openCheckpoint(name, options);
  }
  refuseOthers(name, options, [...LOCAL_OPTIONS]);
  const { createRemoteEngine } = await import("./remote-engine.ts"); // Half a second of SDK.
  return createRemoteEngine({ ...remote, id, contextLen });
}

const LOCAL_OPTIONS = [
  ...(["weights", "kvBytes", "backend", "maxBatch", "threads", "gpu", "draft", "steady"] as const),
];

/** What is so anyway may always be said. */
const usual: Partial<OpenEngineOptions> = {
  weights: "bf16",
  backend: "auto",
  gpu: false,
  steady: false,
};

/** Nothing that is asked for is ignored in silence. */
function refuseOthers(
  name: string,
  options: OpenEngineOptions,
  others: readonly (keyof OpenEngineOptions)[],
): void {
  const asked = others.find(
    (other) => options[other] !== undefined && options[other] !== usual[other],
  );
  if (asked === undefined) return;
  throw new NutshellError(
    "UNSUPPORTED",
    `engine: an option must be one that ${name} has, got ${asked}. Leave it out.`,
  );
}
