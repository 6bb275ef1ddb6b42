/** llama.cpp through node-llama-cpp, where `npm run peers` has put it. */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { findLlama } from "../../../src/llm/engines/load-llama.node.ts";

const root = join(import.meta.dirname, "../../..");

/** @returns the entry of an installed peer, or undefined */
export function findPeer(path: string): string | undefined {
  const entry = join(root, "bench/peers/node_modules", path);
  return existsSync(entry) ? pathToFileURL(entry).href : undefined;
}

/** What is used of node-llama-cpp. */
interface LlamaSequence {
  clearHistory(): Promise<void>;
  evaluate(ids: readonly number[], options: object): AsyncGenerator<number>;
  controlledEvaluate(
    items: readonly (number | readonly [number, object])[],
  ): Promise<readonly ({ next: { logits?: Map<number, number> } } | undefined)[]>;
}

interface LlamaContext {
  getSequence(): LlamaSequence;
  dispose(): Promise<void>;
}

interface LlamaModel {
  readonly fileInfo: { readonly metadata: Readonly<Record<string, unknown>> };
  tokenize(text: string, specials?: boolean): number[];
  detokenize(ids: readonly number[], specials?: boolean): string;
  createContext(options: object): Promise<LlamaContext>;
  dispose(): Promise<void>;
}

export interface LlamaPeer extends AsyncDisposable {
  encode(text: string): number[];
  decode(ids: readonly number[]): string;
  /** Exactly `tokens` greedy ids after the prompt. */
  greedy(prompt: readonly number[], tokens: number): Promise<number[]>;
  /** Raw logits of what follows the last id. */
  logits(ids: readonly number[]): Promise<ReadonlyMap<number, number>>;
}

/** @returns undefined when it is not installed */
export async function openLlama(path: string, contextLen: number): Promise<LlamaPeer | undefined> {
  const entry = findLlama();
  if (entry === undefined) return undefined;
  const { getLlama } = (await import(entry)) as {
    getLlama(options: object): Promise<{ loadModel(options: object): Promise<LlamaModel> }>;
  };
  const llama = await getLlama({
    ...{ gpu: false, build: "never", skipDownload: true, logLevel: "error", progressLogs: false },
    maxThreads: 1,
  });
  const model = await llama.loadModel({ modelPath: path });
  const context = await model.createContext({ contextSize: contextLen, threads: 1 });
  const sequence = context.getSequence();
  return {
    encode: (text) => model.tokenize(text),
    decode: (ids) => model.detokenize(ids, true),
    async greedy(prompt, tokens) {
      await sequence.clearHistory();
      const ids: number[] = [];
      for await (const id of sequence.evaluate(prompt, { temperature: 0, yieldEogToken: true })) {
        ids.push(id);
        if (ids.length === tokens) break;
      }
      return ids;
    },
    async logits(ids) {
      await sequence.clearHistory();
      const asked = [ids.at(-1) as number, { generateNext: { logits: true } }] as const;
      const results = await sequence.controlledEvaluate([...ids.slice(0, -1), asked]);
      return results.at(-1)?.next.logits ?? new Map();
    },
    async [Symbol.asyncDispose]() {
      await context.dispose();
      await model.dispose();
    },
  };
}
