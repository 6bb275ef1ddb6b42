/**
 * What is evaluated: a model in memory, and the two ways to question it. Programs are compiled when
 * first needed: a suite of texts never pays for generation.
 */
import type { Backend } from "../../compute/backend.ts";
import { chooseBackend } from "../../compute/backends/choose.node.ts";
import { type BatchGenerator, createBatchGenerator } from "../inference/batch-generator.ts";
import { createLogprobScorer, type LogprobScorer } from "../inference/logprobs.ts";
import type { ModelConfig } from "../model/config.ts";
import type { Precision } from "../model/transformer.ts";
import { openModel } from "../run/open-model.node.ts";
import type { Talk } from "../run/talk.ts";
import { specialTokens } from "../tokenizer/special-tokens.ts";
import type { Tokenizer } from "../tokenizer/tokenizer.ts";
import type { EvalConfig } from "./config.ts";

export interface Subject {
  /** The model's folder. */
  readonly folder: string;
  readonly config: ModelConfig;
  readonly tokenizer: Tokenizer;
  readonly tokenizerJson: string;
  readonly backend: Backend;
  readonly precision: Precision;
  /** Whether its vocabulary has the marks of a conversation. */
  readonly canChat: boolean;
  /** How questions of data sets are put. */
  readonly form: "chat" | "plain";
  /** Prompt and reply together, in tokens. */
  readonly contextLen: number;
  scorer(): LogprobScorer;
  generator(): BatchGenerator;
}

export interface OpenSubject extends Subject, AsyncDisposable {}

/** Long-context models would otherwise get caches of gigabytes for short questions. */
const MOST_CONTEXT = 1024;
/** Positions of one batch of given texts. */
const BATCH_TOKENS = 2048;

/** @throws CHECKPOINT when there is no model; TOOLCHAIN when "c" is asked for and cannot be had */
export async function openSubject(asked: EvalConfig, talk: Talk): Promise<OpenSubject> {
  const { checkpoint, tokenizer, tokenizerJson } = await openModel(asked.model);
  const { config, folder } = checkpoint;
  const hasTemplate = (await checkpoint.readText("tokenizer_config.json"))?.includes(
    "chat_template",
  );
  const canChat = specialTokens.every((name) => tokenizer.specialTokens.has(name));
  await using opening = new AsyncDisposableStack();
  const backend = await chooseBackend(asked.backend, asked, (line) => talk.say(line));
  opening.defer(() => backend.dispose());
  const store = backend.createStore();
  opening.defer(() => store.dispose());
  await checkpoint.loadParameters(store);
  const auto: Precision = backend.description.includes("bf16") ? "bf16" : "f32";
  const precision = asked.precision === "auto" ? auto : asked.precision;
  const contextLen = Math.min(config.sequenceLen, MOST_CONTEXT);
  const B = Math.max(1, Math.floor(BATCH_TOKENS / contextLen));
  // Programs point into the store, and all of them into the backend: the last opened goes first.
  const owned = opening.move();
  let scorer: LogprobScorer | undefined;
  let generator: BatchGenerator | undefined;
  return {
    ...{ folder, config, tokenizer, tokenizerJson, backend, precision, contextLen, canChat },
    form: asked.form === "auto" ? (canChat && hasTemplate ? "chat" : "plain") : asked.form,
    scorer() {
      scorer ??= owned.adopt(
        createLogprobScorer(backend, store, config, { B, T: contextLen, precision }),
        (opened) => opened.dispose(),
      );
      return scorer;
    },
    generator() {
      generator ??= owned.adopt(
        createBatchGenerator(backend, store, config, {
          ...{ precision, slots: asked.slots, contextLen, vocabSize: tokenizer.vocabSize },
        }),
        (opened) => opened.dispose(),
      );
      return generator;
    },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}
