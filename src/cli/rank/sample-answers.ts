/**
 * K answers to each prompt, drawn by the model that is to learn from the rankings. Tools run while
 * it writes; what people compare is what it says in the end. A prompt's answers depend on the model,
 * the seed and the prompt alone, so that a run that was stopped shows the same ones again.
 */
import type { Backend } from "../../compute/backend.ts";
import { philox } from "../../compute/philox.ts";
import { parseReply, renderPrompt } from "../../llm/chat/template.ts";
import { createToolLoop } from "../../llm/chat/tool-loop.ts";
import { type BatchRequest, createBatchGenerator } from "../../llm/inference/batch-generator.ts";
import type { OpenModel } from "../../llm/run/open-model.node.ts";
import type { Talk } from "../../llm/run/talk.ts";
import { plainContext } from "../../llm/tasks/define-task.ts";
import type { Tokenizer } from "../../llm/tokenizer/tokenizer.ts";
import type { Prompt } from "./prompts.ts";
import { idWords, promptId, type RankItem } from "./session.ts";

export interface SampleOptions {
  readonly k: number;
  readonly temperature: number;
  readonly maxTokens: number;
  readonly seed: number;
}

export interface SampledAnswers {
  readonly items: readonly RankItem[];
  /** Prompts without room for an answer in the model's context. */
  readonly tooLong: number;
  /** Prompts to which all answers were the same, or empty. */
  readonly alike: number;
}

/** Texts at once. */
const SLOTS = 16;
/** Long-context models would otherwise get a cache of gigabytes. */
const MOST_CONTEXT = 2048;

/** Equal answers are shown once, so a prompt may have fewer than K. */
export async function sampleAnswers(
  { checkpoint, tokenizer }: OpenModel,
  backend: Backend,
  prompts: readonly Prompt[],
  options: SampleOptions,
  talk: Talk,
  signal: AbortSignal,
): Promise<SampledAnswers> {
  const { config } = checkpoint;
  const contextLen = Math.min(config.sequenceLen, MOST_CONTEXT);
  const rendered = prompts.map((prompt) => ({ prompt, ids: renderPrompt(prompt, tokenizer) }));
  const fitting = rendered.filter(({ ids }) => ids.length < contextLen);
  const requests = fitting.flatMap((one) => requestsOf(one.prompt, one.ids, tokenizer, options));
  const store = backend.createStore();
  await checkpoint.loadParameters(store);
  const precision = backend.description.includes("bf16") ? "bf16" : "f32";
  const { vocabSize } = tokenizer;
  const sizes = { slots: SLOTS, contextLen, vocabSize };
  const generator = createBatchGenerator(backend, store, config, { precision, ...sizes });
  const texts = new Array<string>(requests.length).fill("");
  let done = 0;
  try {
    for await (const { index, trajectory } of generator.generate(requests, { signal })) {
      const { ids, promptLength } = trajectory;
      texts[index] = finalText(parseReply([...ids.subarray(promptLength)], tokenizer).messages);
      talk.status(`sampling answers: ${++done} of ${requests.length}`);
    }
  } finally {
    await generator.dispose();
    store.dispose();
  }
  const items = fitting.map(({ prompt }, i) => {
    const own = texts.slice(i * options.k, (i + 1) * options.k);
    const responses = [...new Set(own.filter((text) => text !== ""))];
    return { id: promptId(prompt), prompt, responses };
  });
  const ranked = items.filter(({ responses }) => responses.length > 1);
  const tooLong = prompts.length - fitting.length;
  return { items: ranked, tooLong, alike: fitting.length - ranked.length };
}

function requestsOf(
  prompt: Prompt,
  ids: readonly number[],
  tokenizer: Tokenizer,
  { k, temperature, maxTokens, seed }: SampleOptions,
): BatchRequest[] {
  const [high, low] = idWords(promptId(prompt));
  return Array.from({ length: k }, (_, i) => {
    const [word = 0] = philox([i, high, low, 0], [seed >>> 0, 0]);
    const follow = createToolLoop(tokenizer, plainContext);
    return { prompt: ids, seed: word, maxTokens, temperature, follow };
  });
}

/** What the assistant said last; the calls that led there are not part of it. */
function finalText(messages: ReturnType<typeof parseReply>["messages"]): string {
  return messages.findLast(({ role }) => role === "assistant")?.content.trim() ?? "";
}
