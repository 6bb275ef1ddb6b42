/**
 * An engine of weights in this process: text, templates, formats and calls over any `TokenEngine`.
 * It owns the token engine and frees it.
 */
import { NutshellError } from "../../error.ts";
import { createConstraintCompiler } from "../inference/constraint/compiler.ts";
import type { ConstraintCompiler } from "../inference/constraint/constraint.ts";
import type { Abilities, Engine, ModelInfo, TextCodec } from "../inference/engine.ts";
import type { TokenEngine } from "../inference/token-engine.ts";
import type { Tokenizer } from "../tokenizer/tokenizer.ts";
import type { ChatFormat } from "./chat-format.ts";
import { type LocalScene, LocalSession } from "./local-session.ts";
import { decodeTextSnapshot, encodeTextSnapshot } from "./text-snapshot.ts";
import { createRuleBook } from "./turn-rules.ts";

export interface LocalSetting {
  readonly model: Omit<ModelInfo, "contextLen" | "embeddingSize">;
  readonly tokenizer: Tokenizer;
  /** Absent: text and ids only. */
  readonly format?: ChatFormat;
  /** Ids that end a text without a template, beside bos; absent: those of the template. */
  readonly ends?: ReadonlySet<number>;
  /** Absent: our own. */
  readonly compiler?: ConstraintCompiler;
}

export function createLocalEngine(tokens: TokenEngine, setting: LocalSetting): Engine {
  const { tokenizer, format: chat, ends = chat?.ends } = setting;
  const model: ModelInfo = {
    ...setting.model,
    contextLen: tokens.contextLen,
    ...(tokens.embeddingSize === undefined ? {} : { embeddingSize: tokens.embeddingSize }),
  };
  const weights = `${model.id} ${tokens.fingerprint}`;
  const compiler = setting.compiler ?? createConstraintCompiler(tokenizer);
  const engine: Engine = {
    model,
    can: abilities(tokens, chat),
    codec: createCodec(tokenizer),
    open: () => new LocalSession(scene, tokens.open()),
    async restore(snapshot) {
      const { state, kv } = await decodeTextSnapshot(snapshot, weights);
      return new LocalSession(scene, await tokens.restore(kv), state);
    },
    embed: (texts, options = {}) => embed(tokens, tokenizer, texts, options),
    stats: () => tokens.stats(),
    [Symbol.asyncDispose]: () => tokens[Symbol.asyncDispose](),
  };
  const scene: LocalScene = {
    ...{ engine, tokenizer, chat },
    rules: createRuleBook(tokenizer, { chat, ends }, compiler),
    snapshot: (state, session) => encodeTextSnapshot(weights, state, session),
  };
  return engine;
}

function abilities(tokens: TokenEngine, chat: ChatFormat | undefined): Abilities {
  return {
    tokens: true,
    logprobs: true,
    tools: chat?.calls !== undefined,
    formats: ["text", "json", "json-schema", "grammar"],
    snapshot: true,
    resume: true,
    embed: tokens.embeddingSize !== undefined,
  };
}

function createCodec(tokenizer: Tokenizer): TextCodec {
  return {
    vocabSize: tokenizer.vocabSize,
    encode: (text) => tokenizer.encode(text),
    decode: (ids) => tokenizer.decode(ids),
    tokenBytes: (id) => tokenizer.tokenBytes(id),
  };
}

async function embed(
  tokens: TokenEngine,
  tokenizer: Tokenizer,
  texts: readonly string[],
  options: { readonly signal?: AbortSignal },
): ReturnType<Engine["embed"]> {
  if (tokens.embeddingSize === undefined)
    throw new NutshellError("UNSUPPORTED", "embed: the model must have embeddings, got none.");
  const start = tokenizer.bos === undefined ? [] : [tokenizer.bos];
  const rows = texts.map((text) => [...start, ...tokenizer.encode(text)]);
  for (const row of rows) checkRow(row, tokens.contextLen);
  const vectors = await tokens.embed(rows, options);
  return { vectors, promptTokens: rows.reduce((sum, row) => sum + row.length, 0) };
}

function checkRow(ids: readonly number[], contextLen: number): void {
  if (ids.length === 0)
    throw new NutshellError("CONFIG", "embed: a text must hold a token, got none.");
  if (ids.length <= contextLen) return;
  throw new NutshellError(
    "CONTEXT",
    `embed: a text must fit a context of ${contextLen} tokens, got ${ids.length}. Cut it.`,
  );
}
