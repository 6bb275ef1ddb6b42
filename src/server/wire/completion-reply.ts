/**
 * Completions' two kinds of reply. `echo` puts the prompt before the text and its tokens before the
 * text's; `best_of` keeps the texts whose tokens are likeliest on average.
 * @see https://platform.openai.com/docs/api-reference/completions/object
 */
import type { Engine, Input, TokenLogprob } from "../../llm/inference/engine.ts";
import { renderEvent } from "../event-stream.ts";
import type { GenerationEvent } from "../generate.ts";
import type { ReplyHead } from "./chat-reply.ts";
import type { CompletionRequest } from "./completion-request.ts";
import { finishReasons, type WireFinishReason } from "./finish-reason.ts";
import { type CompletionLogprobs, toCompletionLogprobs } from "./logprob.ts";
import { countTokens, noTokens, toWireUsage } from "./usage.ts";

interface Choice {
  text: string;
  readonly tokens: TokenLogprob[];
  finishReason: WireFinishReason | null;
}

interface WireChoice {
  readonly index: number;
  readonly text: string;
  readonly logprobs: CompletionLogprobs | null;
  readonly finish_reason: WireFinishReason | null;
}

/** The prompt as text, for its echo. */
export function promptText(input: Input, { codec }: Engine): string {
  if (input.kind === "tokens") return codec?.decode(input.ids) ?? "";
  return input.kind === "text" ? input.text : "";
}

/** @returns the body of a reply that is not streamed */
export async function completionReply(
  events: AsyncIterable<GenerationEvent>,
  request: CompletionRequest,
  head: ReplyHead,
  engine: Engine,
): Promise<object> {
  const { prompts, n, kept } = request;
  const counts = noTokens();
  const choices = prompts.flatMap((input) =>
    Array.from({ length: n }, () => startChoice(request, input, engine)),
  );
  for await (const event of events) {
    countTokens(counts, event);
    addEvent(choices, event, n);
  }
  const best = prompts.flatMap((_, i) => keepLikeliest(choices.slice(i * n, (i + 1) * n), kept));
  return {
    ...head,
    object: "text_completion",
    choices: best.map((choice, index) => renderChoice(choice, index, request.logprobs)),
    usage: toWireUsage(counts),
  };
}

function startChoice({ echo }: CompletionRequest, input: Input, engine: Engine): Choice {
  return { text: echo ? promptText(input, engine) : "", tokens: [], finishReason: null };
}

function addEvent(choices: readonly Choice[], event: GenerationEvent, n: number): void {
  if (event.type === "prompt") {
    const own = choices.slice(event.prompt * n, (event.prompt + 1) * n);
    for (const { tokens } of own) tokens.push(...(event.tokens ?? []));
    return;
  }
  const choice = choices[event.choice] as Choice;
  if (event.type === "ended") choice.finishReason = finishReasons[event.ended.finishReason];
  else if (event.delta.type === "text-delta") {
    choice.text += event.delta.text;
    choice.tokens.push(...(event.delta.tokens ?? []));
  }
}

function keepLikeliest(choices: readonly Choice[], kept: number): readonly Choice[] {
  if (choices.length === kept) return choices;
  return choices.toSorted((a, b) => meanLogprob(b) - meanLogprob(a)).slice(0, kept);
}

function meanLogprob({ tokens }: Choice): number {
  const known = tokens.map(({ logprob }) => logprob).filter((logprob) => !Number.isNaN(logprob));
  return known.length === 0 ? -Infinity : known.reduce((sum, x) => sum + x, 0) / known.length;
}

function renderChoice(choice: Choice, index: number, logprobs: boolean): WireChoice {
  const { text, tokens, finishReason } = choice;
  return {
    index,
    text,
    logprobs: logprobs ? toCompletionLogprobs(tokens, 0) : null,
    finish_reason: finishReason,
  };
}

/** @yields server-sent events, the last of them `[DONE]` */
export async function* completionChunks(
  events: AsyncIterable<GenerationEvent>,
  request: CompletionRequest,
  head: ReplyHead,
  engine: Engine,
): AsyncGenerator<string, void> {
  const counts = noTokens();
  const chunk = (choices: readonly WireChoice[], usage: object | null): string => {
    const about = request.includeUsage ? { usage } : {};
    return renderEvent({ ...head, object: "text_completion", choices, ...about });
  };
  const offsets = new Map<number, number>();
  for await (const event of events) {
    countTokens(counts, event);
    for (const choice of toChunkChoices(event, request, engine, offsets))
      yield chunk([choice], null);
  }
  if (request.includeUsage) yield chunk([], toWireUsage(counts));
  yield renderEvent("[DONE]");
}

function toChunkChoices(
  event: GenerationEvent,
  request: CompletionRequest,
  engine: Engine,
  offsets: Map<number, number>,
): WireChoice[] {
  const blank = { text: "", logprobs: null, finish_reason: null };
  if (event.type === "prompt") return echoChoices(event, request, engine, offsets);
  const index = event.choice;
  if (event.type === "ended")
    return [{ ...blank, index, finish_reason: finishReasons[event.ended.finishReason] }];
  const { delta } = event;
  if (delta.type !== "text-delta") return [];
  return [{ ...blank, index, ...textOf(delta.text, delta.tokens, index, offsets) }];
}

function echoChoices(
  { prompt, tokens }: Extract<GenerationEvent, { type: "prompt" }>,
  { echo, prompts, n }: CompletionRequest,
  engine: Engine,
  offsets: Map<number, number>,
): WireChoice[] {
  if (!echo) return [];
  const text = promptText(prompts[prompt] as Input, engine);
  return Array.from({ length: n }, (_, i) => {
    const index = prompt * n + i;
    return { index, ...textOf(text, tokens, index, offsets), finish_reason: null };
  });
}

function textOf(
  text: string,
  tokens: readonly TokenLogprob[] | undefined,
  index: number,
  offsets: Map<number, number>,
): Pick<WireChoice, "text" | "logprobs"> {
  const offset = offsets.get(index) ?? 0;
  offsets.set(index, offset + Array.from(text).length);
  return { text, logprobs: tokens === undefined ? null : toCompletionLogprobs(tokens, offset) };
}
