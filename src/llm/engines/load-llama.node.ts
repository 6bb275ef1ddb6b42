/**
 * llama.cpp through node-llama-cpp, which is no dependency of the product: it is taken where
 * somebody has installed it, else where `npm run peers` puts it. The types are what is used of it.
 * @see https://node-llama-cpp.withcat.ai/api
 */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { NutshellError } from "../../error.ts";

export interface LlamaNext {
  readonly token?: number | null;
  readonly logits?: ReadonlyMap<number, number>;
}

export type LlamaItem = number | [id: number, options: { readonly generateNext: object }];

/** Keys and values of one text. */
export interface LlamaSequence {
  /** Ids that are computed; a copy. */
  readonly contextTokens: number[];
  eraseContextTokenRanges(ranges: { start: number; end: number }[]): Promise<void>;
  evaluateWithoutGeneratingNewTokens(ids: readonly number[]): Promise<void>;
  controlledEvaluate(items: LlamaItem[]): Promise<({ readonly next: LlamaNext } | undefined)[]>;
  saveStateToFile(path: string): Promise<unknown>;
  loadStateFromFile(path: string, risk: { readonly acceptRisk: true }): Promise<void>;
}

export interface LlamaContext {
  getSequence(): LlamaSequence;
  dispose(): Promise<void>;
}

export interface GgufMetadata {
  readonly general?: { readonly name?: string };
  readonly tokenizer?: {
    readonly chat_template?: string;
    readonly ggml?: {
      readonly model?: string;
      readonly tokens?: readonly string[];
      readonly token_type?: readonly number[];
    };
  };
}

export interface LlamaModel {
  readonly fileInfo: { readonly metadata: GgufMetadata };
  readonly trainContextSize: number;
  readonly tokens: { readonly bos: number | null; readonly shouldPrependBosToken: boolean };
  isEogToken(id: number): boolean;
  tokenize(text: string, specials: boolean, options?: "trimLeadingSpace"): number[];
  createContext(options: object): Promise<LlamaContext>;
}

export interface Llama {
  loadModel(options: {
    readonly modelPath: string;
    readonly gpuLayers?: number;
  }): Promise<LlamaModel>;
  /** With all that was made by it. */
  dispose(): Promise<void>;
}

const PACKAGE = "node-llama-cpp";
const PEERS = join(import.meta.dirname, "../../../bench/peers/node_modules");

/** @returns the URL of its entry; undefined where it is not installed */
export function findLlama(): string | undefined {
  try {
    return import.meta.resolve(PACKAGE);
  } catch {
    const entry = join(PEERS, PACKAGE, "dist/index.js");
    return existsSync(entry) ? pathToFileURL(entry).href : undefined;
  }
}

/** @throws UNSUPPORTED where it is not installed */
export async function loadLlama(options: {
  readonly gpu?: boolean | undefined;
  readonly threads?: number | undefined;
}): Promise<Llama> {
  const entry = findLlama();
  if (entry === undefined)
    throw new NutshellError(
      "UNSUPPORTED",
      `engine: a GGUF file needs ${PACKAGE}, got none installed. Run: npm run peers`,
    );
  const { getLlama } = (await import(entry)) as { getLlama(options: object): Promise<Llama> };
  return getLlama({
    ...{ gpu: options.gpu ? "auto" : false, build: "never", skipDownload: true },
    ...{ logLevel: "error", progressLogs: false },
    ...(options.threads === undefined ? {} : { maxThreads: options.threads }),
  });
}
