/**
 * Any GGUF file as an engine, through llama.cpp: its own tokenizer, its own chat template, and where
 * a text is more than the model's own distribution (formats, calls, penalties, log-probabilities)
 * our sampler over its logits. A file that has our marks gets our template.
 */
import { createHash } from "node:crypto";
import type { Stats } from "node:fs";
import { open } from "node:fs/promises";
import { basename } from "node:path";
import { NutshellError } from "../../error.ts";
import type { Engine, EngineStats } from "../inference/engine.ts";
import type { TokenEngine } from "../inference/token-engine.ts";
import { specialTokens } from "../tokenizer/special-tokens.ts";
import type { Tokenizer } from "../tokenizer/tokenizer.ts";
import type { ChatFormat } from "./chat-format.ts";
import { given } from "./extend-timeline.ts";
import { createSequences } from "./gguf-sequences.node.ts";
import { type GgufScene, GgufSession } from "./gguf-session.node.ts";
import { decodeGgufSnapshot } from "./gguf-snapshot.node.ts";
import { createGgufTokenizer } from "./gguf-tokenizer.ts";
import { jinjaFormat } from "./jinja-format.ts";
import { type Llama, type LlamaModel, loadLlama } from "./load-llama.node.ts";
import { createLocalEngine } from "./local-engine.ts";
import { nutshellFormat } from "./nutshell-format.ts";

export interface GgufOptions {
  readonly id?: string | undefined;
  /** Tokens of a timeline; absent: the model's own, at most 4096. */
  readonly contextLen?: number | undefined;
  /** Timelines that hold a cache at once; default 4. */
  readonly maxBatch?: number | undefined;
  readonly threads?: number | undefined;
  /** Default false. */
  readonly gpu?: boolean | undefined;
}

const USUAL_CONTEXT = 4096;
const MAX_BATCH = 4;
const VERSIONS: readonly number[] = [2, 3];

/** @throws UNSUPPORTED without node-llama-cpp; CHECKPOINT for a file that it cannot read; CONFIG */
export async function openGguf(path: string, options: GgufOptions = {}): Promise<Engine> {
  const { mtimeMs } = await checkFile(path);
  const llama = await loadLlama(options);
  try {
    const gpuLayers = options.gpu ? {} : { gpuLayers: 0 };
    const model = await llama.loadModel({ modelPath: path, ...gpuLayers }).catch((cause: Error) => {
      throw unreadable(path, cause);
    });
    const tokenizer = createGgufTokenizer(path, model);
    const tokens = await openTokens(path, llama, model, tokenizer.vocabSize, options);
    const created = Math.floor(mtimeMs / 1000);
    const id = options.id ?? basename(path, ".gguf");
    const ends = listEnds(model, tokenizer);
    const format = chatOf(path, model, tokenizer, ends);
    const info = { id, provider: "gguf", created };
    return createLocalEngine(tokens, { model: info, tokenizer, ends, ...given({ format }) });
  } catch (error) {
    await llama.dispose();
    throw error;
  }
}

/** llama.cpp's reader waits for ever for the rest of what is no GGUF file. */
async function checkFile(path: string): Promise<Stats> {
  try {
    await using file = await open(path);
    const head = new Uint8Array(8);
    await file.read(head, 0, head.length, 0);
    const isGguf = new TextDecoder().decode(head.subarray(0, 4)) === "GGUF";
    const version = new DataView(head.buffer).getUint32(4, true);
    if (isGguf && VERSIONS.includes(version)) return await file.stat();
    throw new Error(isGguf ? `version ${version}` : "another kind of file");
  } catch (cause) {
    throw unreadable(path, cause as Error);
  }
}

async function openTokens(
  path: string,
  llama: Llama,
  model: LlamaModel,
  vocabSize: number,
  { contextLen: asked, maxBatch = MAX_BATCH, threads }: GgufOptions,
): Promise<TokenEngine> {
  const { trainContextSize: trained } = model;
  if (asked !== undefined && !(Number.isInteger(asked) && asked >= 1 && asked <= trained))
    throw new NutshellError(
      "CONFIG",
      `engine: contextLen must be from 1 to the model's ${trained}, got ${asked}.`,
    );
  const contextLen = asked ?? Math.min(trained, USUAL_CONTEXT);
  // llama.cpp makes room by forgetting when it is one short of full: here it never is.
  const sizes = { contextSize: contextLen + 1, sequences: maxBatch };
  const context = await model.createContext({ ...sizes, ...given({ threads }) });
  const sequences = createSequences(context, maxBatch);
  const total = { sessions: 0, running: 0, promptTokens: 0, cachedTokens: 0, completionTokens: 0 };
  const fingerprint = await fingerprintOf(path);
  const scene: GgufScene = { sequences, contextLen, vocabSize, fingerprint, total };
  return {
    ...{ contextLen, vocabSize, fingerprint },
    open: () => new GgufSession(scene),
    restore: (bytes) => restore(bytes, scene),
    embed: () => Promise.reject(new NutshellError("UNSUPPORTED", "embed: a GGUF file has none.")),
    stats: (): EngineStats => ({
      ...{ ...total, waiting: 0, pagesUsed: sequences.used, pagesTotal: maxBatch },
      ...{ draftedTokens: 0, acceptedTokens: 0 },
    }),
    [Symbol.asyncDispose]: () => llama.dispose(),
  };
}

async function restore(bytes: Uint8Array, scene: GgufScene): Promise<GgufSession> {
  const { ids, state } = decodeGgufSnapshot(bytes, scene.fingerprint);
  if (ids.length > scene.contextLen)
    throw new NutshellError(
      "CONTEXT",
      `restore: a timeline must fit a context of ${scene.contextLen} tokens, got ${ids.length}.`,
    );
  const session = new GgufSession(scene, ids);
  try {
    await session.load(state);
    return session;
  } catch (error) {
    await session[Symbol.asyncDispose]();
    throw error;
  }
}

const SAMPLES = 32;
const SAMPLE_BYTES = 1 << 16;

/** Of a file that may have many gigabytes: its length, its head, and pieces of all of it. */
async function fingerprintOf(path: string): Promise<string> {
  await using file = await open(path);
  const { size } = await file.stat();
  const hash = createHash("sha256").update(String(size));
  const piece = new Uint8Array(SAMPLE_BYTES);
  for (let i = 0; i < SAMPLES; i++) {
    const position = Math.floor((i * Math.max(0, size - SAMPLE_BYTES)) / (SAMPLES - 1));
    const { bytesRead } = await file.read(piece, 0, SAMPLE_BYTES, position);
    hash.update(piece.subarray(0, bytesRead));
  }
  return hash.digest("hex");
}

/** Ids that end what the model says. */
function listEnds(model: LlamaModel, { specialTokens }: Tokenizer): ReadonlySet<number> {
  return new Set([...specialTokens.values()].filter((id) => model.isEogToken(id)));
}

function chatOf(
  path: string,
  model: LlamaModel,
  tokenizer: Tokenizer,
  ends: ReadonlySet<number>,
): ChatFormat | undefined {
  if (specialTokens.every((mark) => tokenizer.specialTokens.has(mark)))
    return nutshellFormat(tokenizer);
  const template = model.fileInfo.metadata.tokenizer?.chat_template;
  if (template === undefined) return undefined;
  const encode = (text: string, named: boolean, isFirst: boolean): number[] =>
    isFirst ? model.tokenize(text, named) : model.tokenize(text, named, "trimLeadingSpace");
  return jinjaFormat({ name: basename(path), template, tokenizer, ends, encode });
}

function unreadable(path: string, cause: Error): NutshellError {
  const got = cause.message.split("\n")[0];
  const message = `engine: ${path} must be a GGUF file that llama.cpp reads, got: ${got}`;
  return new NutshellError("CHECKPOINT", message, { cause });
}
