/**
 * A checkpoint's folder as an engine: its weights, its tokenizer, its template where the vocabulary
 * has the marks, and a smaller model that guesses where one is named. The engine owns all of it,
 * backend included, and frees it last.
 */
import { stat } from "node:fs/promises";
import { basename, resolve } from "node:path";
import type { Backend } from "../../compute/backend.ts";
import { type BackendChoice, chooseBackend } from "../../compute/backends/choose.node.ts";
import { NutshellError } from "../../error.ts";
import { createTokenEngine } from "../inference/checkpoint-engine.ts";
import type { Draft } from "../inference/draft.ts";
import type { Engine } from "../inference/engine.ts";
import type { TokenEngine } from "../inference/token-engine.ts";
import type { ModelConfig } from "../model/config.ts";
import type { Precision } from "../model/transformer.ts";
import { type OpenModel, openModel } from "../run/open-model.node.ts";
import { specialTokens } from "../tokenizer/special-tokens.ts";
import type { Tokenizer } from "../tokenizer/tokenizer.ts";
import type { ChatFormat } from "./chat-format.ts";
import { given } from "./extend-timeline.ts";
import { readForeignText } from "./foreign-checkpoint.node.ts";
import { createLocalEngine } from "./local-engine.ts";
import { nutshellFormat } from "./nutshell-format.ts";

export interface CheckpointOptions {
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
  /**
   * Who guesses for a text that is served alone: "lookup" in what it holds, or the folder of a
   * smaller model of the same vocabulary; absent: nobody. Texts are distributed as without.
   */
  readonly draft?: string | undefined;
  /** Same bits in any company, at some cost for a text that is alone; default false. */
  readonly steady?: boolean | undefined;
  readonly backend?: BackendChoice | undefined;
  /** Of the C backend; absent: one per core. */
  readonly threads?: number | undefined;
  /** Hears what is worth saying, a line each. */
  readonly say?: ((line: string) => void) | undefined;
}

const MAX_BATCH = 16;
const MOST_KV_BYTES = 2 ** 30;

/**
 * @param name a checkpoint or model folder, or a run's folder for its newest checkpoint
 * @throws CHECKPOINT when there is no model; CONFIG when an option breaks its rule or a draft has
 *   another vocabulary; TOOLCHAIN
 */
export async function openCheckpoint(name: string, options: CheckpointOptions): Promise<Engine> {
  const model = await openModel(name);
  const { checkpoint } = model;
  const text = await readText(model);
  const drafter = await openDrafter(model, options);
  const { mtimeMs } = await stat(checkpoint.folder);
  const { backend: choice = "auto", threads, say = () => undefined } = options;
  const backend = await chooseBackend(choice, { threads }, say);
  const tokens = await openAll(model, drafter, backend, options);
  const id = options.id ?? basename(resolve(name));
  const info = { id, provider: "nutshell", created: Math.floor(mtimeMs / 1000) };
  return createLocalEngine(tokens, { model: info, ...given(text) });
}

/** @returns the model that guesses, where one is named */
async function openDrafter(
  { tokenizer, checkpoint }: OpenModel,
  { draft }: CheckpointOptions,
): Promise<OpenModel | undefined> {
  if (draft === undefined || draft === "lookup") return undefined;
  const drafter = await openModel(draft);
  if (sameVocabulary(drafter.tokenizer, tokenizer)) return drafter;
  throw new NutshellError(
    "CONFIG",
    `engine: draft must have the vocabulary of ${checkpoint.folder}, got ${draft} with another. ` +
      'Train both with one tokenizer, or draft by "lookup".',
  );
}

function sameVocabulary(a: Tokenizer, b: Tokenizer): boolean {
  if (a.vocabSize !== b.vocabSize || a.specialTokens.size !== b.specialTokens.size) return false;
  for (const [name, id] of a.specialTokens) if (b.specialTokens.get(name) !== id) return false;
  for (let id = 0; id < a.vocabSize; id++) {
    const bytes = b.tokenBytes(id);
    const own = a.tokenBytes(id);
    if (own.length !== bytes.length || own.some((byte, i) => byte !== bytes[i])) return false;
  }
  return true;
}

/** The engine and whoever guesses for it, freed together and the backend last. */
async function openAll(
  model: OpenModel,
  drafter: OpenModel | undefined,
  backend: Backend,
  options: CheckpointOptions,
): Promise<TokenEngine> {
  await using opened = new AsyncDisposableStack();
  opened.defer(() => backend.dispose());
  const draft = await openDraft(model, drafter, backend, options);
  if (draft?.kind === "model") opened.use(draft.engine);
  const tokens = opened.use(await openTokens(model, backend, options, draft));
  const owned = opened.move();
  return { ...tokens, [Symbol.asyncDispose]: () => owned.disposeAsync() };
}

async function openDraft(
  { checkpoint: { config } }: OpenModel,
  drafter: OpenModel | undefined,
  backend: Backend,
  options: CheckpointOptions,
): Promise<Draft | undefined> {
  if (drafter === undefined) return options.draft === undefined ? undefined : { kind: "lookup" };
  const { contextLen = config.sequenceLen, weights, maxBatch } = options;
  const own = Math.min(contextLen, drafter.checkpoint.config.sequenceLen);
  const engine = await openTokens(drafter, backend, { weights, maxBatch, contextLen: own });
  return { kind: "model", engine };
}

/** With a store of its own, which is freed with it. */
async function openTokens(
  { checkpoint, tokenizer }: OpenModel,
  backend: Backend,
  options: CheckpointOptions,
  draft?: Draft,
): Promise<TokenEngine> {
  const { config } = checkpoint;
  const { weights, contextLen = config.sequenceLen, maxBatch = MAX_BATCH, steady } = options;
  const precision = weights === "f32" ? "f32" : "bf16";
  const store = backend.createStore();
  try {
    await checkpoint.loadParameters(store);
    const kvBytes = options.kvBytes ?? fittingKv(config, precision, contextLen, maxBatch);
    const { vocabSize } = tokenizer;
    const sizes = { contextLen, maxBatch, kvBytes, vocabSize };
    const tokens = await createTokenEngine(backend, store, config, {
      ...{ precision, ...sizes },
      ...given({ weights, draft, steady }),
    });
    const dispose = async (): Promise<void> => {
      await tokens[Symbol.asyncDispose]();
      store.dispose();
    };
    return { ...tokens, [Symbol.asyncDispose]: dispose };
  } catch (error) {
    store.dispose();
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

/** Ours where the vocabulary begins texts as ours do, else what the folder says. */
async function readText(
  model: OpenModel,
): Promise<{ tokenizer: Tokenizer; ends?: ReadonlySet<number>; format: ChatFormat | undefined }> {
  const { tokenizer } = model;
  const hasMarks = specialTokens.every((mark) => tokenizer.specialTokens.has(mark));
  if (hasMarks) return { tokenizer, format: nutshellFormat(tokenizer) };
  return tokenizer.bos === undefined ? readForeignText(model) : { tokenizer, format: undefined };
}
