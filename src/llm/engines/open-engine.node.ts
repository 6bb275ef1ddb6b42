/**
 * From the name of a model to an engine that can be asked: a checkpoint's folder, a GGUF
 * file, or `PROVIDER/MODEL` for a model of another machine.
 */
import { stat } from "node:fs/promises";
import { basename, resolve } from "node:path";
import type { Backend } from "../../compute/backend.ts";
import { type BackendChoice, chooseBackend } from "../../compute/backends/choose.node.ts";
import { NutshellError } from "../../error.ts";
import { createTokenEngine } from "../inference/checkpoint-engine.ts";
import type { Engine } from "../inference/engine.ts";
import type { TokenEngine } from "../inference/token-engine.ts";
import type { ModelConfig } from "../model/config.ts";
import type { Precision } from "../model/transformer.ts";
import { type OpenModel, openModel } from "../run/open-model.node.ts";
import { specialTokens } from "../tokenizer/special-tokens.ts";
import type { Tokenizer } from "../tokenizer/tokenizer.ts";
import type { ChatFormat } from "./chat-format.ts";
import { given } from "./extend-timeline.ts";
import { openGguf } from "./gguf-engine.node.ts";
import { createLocalEngine } from "./local-engine.ts";
import { nutshellFormat } from "./nutshell-format.ts";
import { readRemoteSetting } from "./remote-setting.node.ts";

export interface OpenEngineOptions {
  /** As people and the wire name it; absent: the folder's name. */
  readonly id?: string | undefined;
  /** How matrices are stored; default "bf16". */
  readonly weights?: Precision | "q8_0" | "q4_0" | undefined;
  /** Tokens of a timeline; absent: the model's context, which is also the most. */
  readonly contextLen?: number | undefined;
  /** Memory of keys and values; absent: `maxBatch` full contexts, or 1 GiB where they are more. */
  readonly kvBytes?: number | undefined;
  /** Texts that are made at once; default 16. */
  readonly maxBatch?: number | undefined;
  readonly backend?: BackendChoice | undefined;
  /** Of the C backend; absent: one per core. */
  readonly threads?: number | undefined;
  /** Of a GGUF file: layers on a GPU where llama.cpp finds one; default false. */
  readonly gpu?: boolean | undefined;
  /** Of a remote model; absent: the provider's, or as the environment says. */
  readonly baseUrl?: string | undefined;
  /** Hears what is worth saying, a line each. */
  readonly say?: ((line: string) => void) | undefined;
}

const MAX_BATCH = 16;
const MOST_KV_BYTES = 2 ** 30;

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
    refuseOthers(name, options, ["weights", "kvBytes", "backend", "baseUrl"]);
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

const LOCAL_OPTIONS = ["weights", "kvBytes", "backend", "maxBatch", "threads", "gpu"] as const;

/** What is so anyway may always be said. */
const usual: Partial<OpenEngineOptions> = { weights: "bf16", backend: "auto", gpu: false };

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

async function openCheckpoint(name: string, options: OpenEngineOptions): Promise<Engine> {
  const model = await openModel(name);
  const { tokenizer, checkpoint } = model;
  const { backend: choice = "auto", threads, say = () => undefined } = options;
  const backend = await chooseBackend(choice, { threads }, say);
  const tokens = await openTokens(model, backend, options);
  const { mtimeMs } = await stat(checkpoint.folder);
  const id = options.id ?? basename(resolve(name));
  const info = { id, provider: "nutshell", created: Math.floor(mtimeMs / 1000) };
  return createLocalEngine(tokens, {
    model: info,
    tokenizer,
    ...given({ format: chatOf(tokenizer) }),
  });
}

/** The engine owns store and backend, and frees them last. */
async function openTokens(
  { checkpoint, tokenizer }: OpenModel,
  backend: Backend,
  options: OpenEngineOptions,
): Promise<TokenEngine> {
  const { config } = checkpoint;
  const { weights, contextLen = config.sequenceLen, maxBatch = MAX_BATCH } = options;
  const precision = weights === "f32" ? "f32" : "bf16";
  const store = backend.createStore();
  const free = (): void => {
    store.dispose();
    backend.dispose();
  };
  try {
    await checkpoint.loadParameters(store);
    const kvBytes = options.kvBytes ?? fittingKv(config, precision, contextLen, maxBatch);
    const { vocabSize } = tokenizer;
    const sizes = { contextLen, maxBatch, kvBytes, vocabSize };
    const tokens = await createTokenEngine(backend, store, config, {
      ...{ precision, ...sizes },
      ...given({ weights }),
    });
    const dispose = async (): Promise<void> => {
      await tokens[Symbol.asyncDispose]();
      free();
    };
    return { ...tokens, [Symbol.asyncDispose]: dispose };
  } catch (error) {
    free();
    throw error;
  }
}

/** Bytes of keys and values: at least one full context, at most all of them. */
function fittingKv(
  { nLayer, nKvHead, headDim }: ModelConfig,
  precision: Precision,
  contextLen: number,
  maxBatch: number,
): number {
  const pages = Math.ceil(contextLen / 16);
  const context = 2 * nLayer * nKvHead * headDim * (precision === "bf16" ? 2 : 4) * pages * 16;
  return Math.max(context, Math.min(context * maxBatch, MOST_KV_BYTES));
}

/** Our template, where the vocabulary has its marks. */
function chatOf(tokenizer: Tokenizer): ChatFormat | undefined {
  const hasMarks = specialTokens.every((mark) => tokenizer.specialTokens.has(mark));
  return hasMarks ? nutshellFormat(tokenizer) : undefined;
}
