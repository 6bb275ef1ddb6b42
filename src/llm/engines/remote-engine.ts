/**
 * Another machine's model as an engine, through the AI SDK: OpenAI and whatever speaks like it
 * (Ollama, llama.cpp, vLLM, this project's own server), Anthropic, Google. It holds no weights and no
 * tokenizer: conversations only. The key is given, never looked for, and shows nowhere.
 */
import { embedMany } from "ai";
import { NutshellError } from "../../error.ts";
import type { Abilities, Engine, ModelInfo, Session, Snapshot } from "../inference/engine.ts";
import { toFailure } from "./remote-failure.ts";
import { type ProviderName, providers, type RemoteAddress } from "./remote-provider.ts";
import type { Patience } from "./remote-reply.ts";
import {
  type RemoteScene,
  RemoteSession,
  type RemoteState,
  snapshotModel,
} from "./remote-session.ts";

export interface RemoteSetting extends RemoteAddress {
  readonly provider: ProviderName;
  /** As the provider names it. */
  readonly name: string;
  /** As people and the wire name it; absent: the provider's name. */
  readonly id?: string | undefined;
  /** Tokens; told to whoever asks. The provider itself refuses what does not fit. */
  readonly contextLen?: number | undefined;
  readonly patience?: Partial<Patience> | undefined;
}

/** What most of today's models take at least. */
const USUAL_CONTEXT = 131_072;
const usualPatience: Patience = { maxRetries: 2, firstPieceMs: 120_000, pieceMs: 60_000 };

export function createRemoteEngine(setting: RemoteSetting): Engine {
  const { provider, name, apiKey: secret } = setting;
  const model: ModelInfo = {
    ...{ id: setting.id ?? name, provider },
    contextLen: setting.contextLen ?? USUAL_CONTEXT,
    created: Math.floor(Date.now() / 1000),
  };
  const patience = { ...usualPatience, ...setting.patience };
  const sessions = new Set<Session>();
  const total = { running: 0, promptTokens: 0, completionTokens: 0 };
  const engine: Engine = {
    model,
    can: abilities(provider),
    open: () => new RemoteSession(scene),
    restore: async (snapshot) => new RemoteSession(scene, readState(snapshot, scene)),
    embed: (texts, { signal } = {}) => embed(setting, patience, texts, signal),
    stats: () => ({
      ...total,
      sessions: sessions.size,
      ...{ waiting: 0, pagesUsed: 0, pagesTotal: 0 },
      ...{ cachedTokens: 0, draftedTokens: 0, acceptedTokens: 0 },
    }),
    [Symbol.asyncDispose]: async () => sessions.clear(),
  };
  const request = { model: providers[provider].model(name, setting), patience, secret };
  const scene: RemoteScene = { engine, provider, request, sessions, total };
  return engine;
}

function abilities(provider: ProviderName): Abilities {
  const { lacks, embedding } = providers[provider];
  const formats = (["text", "json", "json-schema", "grammar"] as const).filter(
    (kind) => kind === "text" || !lacks.has(kind),
  );
  const embed = embedding !== undefined;
  const resume = !lacks.has("resume");
  return { tokens: false, logprobs: false, tools: true, formats, snapshot: true, resume, embed };
}

function readState({ model, bytes }: Snapshot, scene: RemoteScene): RemoteState {
  const expected = snapshotModel(scene);
  const broken = (got: string): NutshellError =>
    new NutshellError(
      "CHECKPOINT",
      `restore: a snapshot must be whole and of ${expected}, ${got}.`,
    );
  if (model !== expected) throw broken(`got one of ${model}`);
  try {
    return JSON.parse(new TextDecoder().decode(bytes)) as RemoteState;
  } catch {
    throw broken(`got ${bytes.length} bytes that are no JSON`);
  }
}

async function embed(
  { provider, name, ...address }: RemoteSetting,
  { maxRetries }: Patience,
  texts: readonly string[],
  abortSignal: AbortSignal | undefined,
): ReturnType<Engine["embed"]> {
  const model = providers[provider].embedding?.(name, address);
  if (model === undefined)
    throw new NutshellError("UNSUPPORTED", `embed: ${provider} must have embeddings, got none.`);
  const signal = abortSignal === undefined ? {} : { abortSignal };
  try {
    const made = await embedMany({ model, values: [...texts], maxRetries, ...signal });
    return { vectors: made.embeddings.map(toUnit), promptTokens: made.usage.tokens || 0 };
  } catch (error) {
    if (abortSignal?.aborted) throw new NutshellError("ABORTED", "embed: was taken back.");
    throw toFailure(provider, error, address.apiKey);
  }
}

/** The same direction, of length 1. */
function toUnit(vector: readonly number[]): Float32Array {
  const length = Math.hypot(...vector) || 1;
  return Float32Array.from(vector, (x) => x / length);
}
