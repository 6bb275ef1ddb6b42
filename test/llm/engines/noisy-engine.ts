/**
 * Engines over a real tiny model of random weights: its texts are noise, every kind of token and
 * half a character among them, and the same for the same seed. What it says is of no use; whatever
 * an engine promises about any text must hold for it.
 */
import { chooseBackend } from "../../../src/compute/backends/choose.node.ts";
import type { ChatFormat } from "../../../src/llm/engines/chat-format.ts";
import { createLocalEngine } from "../../../src/llm/engines/local-engine.ts";
import { nutshellFormat } from "../../../src/llm/engines/nutshell-format.ts";
import { createTokenEngine } from "../../../src/llm/inference/checkpoint-engine.ts";
import type { Engine } from "../../../src/llm/inference/engine.ts";
import type { TokenEngine, TokenSession } from "../../../src/llm/inference/token-engine.ts";
import type { ModelConfig } from "../../../src/llm/model/config.ts";
import { initialise } from "../../../src/llm/model/parameters.ts";
import { chatTokenizer } from "../chat/tokenizer.ts";

export const noisyConfig: ModelConfig = {
  vocabSize: chatTokenizer.vocabSize,
  sequenceLen: 640,
  nLayer: 1,
  nHead: 2,
  nKvHead: 1,
  nEmbd: 32,
  headDim: 8,
  nFfn: 32,
  ropeBase: 10000,
  normEps: 1e-5,
  qkNorm: false,
  tiedEmbeddings: false,
};

const backend = await chooseBackend("auto", { threads: 1 }, () => undefined);

/** @param scale of the weights; NaN makes a model that has lost its mind */
export async function noisyTokens(scale = 4): Promise<TokenEngine> {
  const store = backend.createStore();
  await initialise(store, noisyConfig, 3);
  for (const name of store.names())
    if (!name.includes("norm"))
      await store.write(
        name,
        Float32Array.from(await store.read(name), (x) => scale * x),
      );
  return createTokenEngine(backend, store, noisyConfig, {
    precision: "f32",
    maxBatch: 1,
    pages: 1000,
    prefixCache: false,
  });
}

/** An engine that lets a test see its timelines, forks included, the newest last. */
export interface OpenedEngine extends Engine {
  readonly timelines: TokenSession[];
}

export function openNoisy(
  tokens: TokenEngine,
  format: ChatFormat = nutshellFormat(chatTokenizer),
): OpenedEngine {
  const timelines: TokenSession[] = [];
  const track = (session: TokenSession): TokenSession => {
    const fork = session.fork.bind(session);
    timelines.push(session);
    return Object.assign(session, { fork: () => track(fork()) });
  };
  const open = (): TokenSession => track(tokens.open());
  const model = { id: "noisy", provider: "nutshell", created: 0 };
  const setting = { model, tokenizer: chatTokenizer, format };
  return Object.assign(createLocalEngine({ ...tokens, open }, setting), { timelines });
}
