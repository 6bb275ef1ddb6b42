/**
 * A chat: what a person says and what the model answers, tools included, on one generator. The
 * ids of the past are kept as the model saw and made them, so that nothing is spelled anew.
 *
 * When the past and a reply no longer fit the context, the oldest exchanges are forgotten; the
 * system message stays. After a tool's results the generator reads the whole timeline again.
 */
import { NutshellError } from "../../error.ts";
import type { Follow } from "../inference/batch-generator.ts";
import type { FinishReason, GenerateOptions, TokenGenerator } from "../inference/generator.ts";
import type { Tokenizer } from "../tokenizer/tokenizer.ts";
import { type ChatEvent, createEventReader, type EventReader } from "./chat-events.ts";
import type { Message } from "./conversation.ts";
import { findMarks } from "./marks.ts";
import { parseReply, renderPrompt } from "./template.ts";
import type { ToolContext } from "./tool.ts";
import { createToolLoop } from "./tool-loop.ts";

export type ReplyOptions = Omit<GenerateOptions, "stop" | "vocabSize" | "maxTokens"> & {
  /** Tokens that the model may write in one reply, all its turns together. */
  readonly maxTokens: number;
};

export interface Reply {
  /** What the assistant added, results of its calls between its turns. */
  readonly messages: readonly Message[];
  readonly wellFormed: boolean;
  readonly promptTokens: number;
  /** Written by the model; results are not counted. */
  readonly tokens: number;
  readonly finishReason: FinishReason;
  /** Exchanges that were forgotten to make room. */
  readonly forgotten: number;
}

export interface Chat {
  /**
   * @returns the reply as it is made, then the whole
   * @throws CONFIG when the message alone leaves no room for an answer; it is then not part of
   *   the chat
   */
  say(text: string, options: ReplyOptions): AsyncGenerator<ChatEvent, Reply>;
  /** Forgets all but the system message. */
  reset(): void;
}

export interface ChatSetting {
  readonly system?: string | undefined;
  /** Asked at each reply: the clock goes on. */
  readonly world: () => ToolContext;
}

/** Of the context, kept free for an answer: one part in four. */
const FREE_SHARE = 4;

/** @throws TOKENIZER when the vocabulary lacks a mark */
export function createChat(
  generator: TokenGenerator,
  tokenizer: Tokenizer,
  { system, world }: ChatSetting,
): Chat {
  const marks = findMarks(tokenizer);
  const before: Message[] = system === undefined ? [] : [{ role: "system", content: system }];
  let past: number[][] = [];

  /** The exchange's ids without what precedes every exchange. */
  const openExchange = (text: string): { opening: number[]; asked: number[] } => {
    const ids = renderPrompt([...before, { role: "user", content: text }], tokenizer);
    const start = ids.lastIndexOf(marks.frames.user[0]);
    return { opening: ids.slice(0, start), asked: ids.slice(start) };
  };

  function forget(fixed: number, maxTokens: number): number {
    const free = Math.min(maxTokens, Math.floor(generator.contextLen / FREE_SHARE));
    const room = generator.contextLen - fixed - free;
    if (room < 0) throw tooLong(fixed, generator.contextLen - free);
    let forgotten = 0;
    while (past.reduce((sum, ids) => sum + ids.length, 0) > room) {
      past = past.slice(1);
      forgotten++;
    }
    return forgotten;
  }

  return {
    reset() {
      past = [];
    },
    async *say(text, options) {
      const { opening, asked } = openExchange(text);
      const forgotten = forget(opening.length + asked.length, options.maxTokens);
      const prompt = [...opening, ...past.flat(), ...asked];
      const draft: Draft = {
        ids: [],
        follow: createToolLoop(tokenizer, world()),
        events: createEventReader(tokenizer),
        tokens: 0,
      };
      const sampling = { ...options, vocabSize: tokenizer.vocabSize };
      const finishReason = yield* answer(draft, prompt, generator, sampling);
      const rest = draft.events.end();
      if (rest !== undefined) yield rest;
      const { ids, tokens } = draft;
      past = [...past, [...asked, ...closeReply(ids, finishReason, marks.assistantEnd)]];
      const promptTokens = prompt.length;
      return { ...parseReply(ids, tokenizer), promptTokens, tokens, finishReason, forgotten };
    },
  };
}

/** What stays of a reply that ended without its mark, or at a mark that stopped it. */
function closeReply(
  ids: readonly number[],
  finishReason: FinishReason,
  assistantEnd: number,
): number[] {
  if (ids.at(-1) === assistantEnd) return [...ids];
  return [...(finishReason === "stop" ? ids.slice(0, -1) : ids), assistantEnd];
}

/** A reply in the making. */
interface Draft {
  readonly ids: number[];
  readonly follow: (id: number) => Follow;
  readonly events: EventReader;
  /** Of `ids`, those that the model chose. */
  tokens: number;
}

/** Samples turn by turn until the tool loop says stop, or room or patience end. */
async function* answer(
  draft: Draft,
  prompt: readonly number[],
  generator: TokenGenerator,
  options: GenerateOptions & { readonly maxTokens: number },
): AsyncGenerator<ChatEvent, FinishReason> {
  for (;;) {
    const timeline = [...prompt, ...draft.ids];
    const maxTokens = options.maxTokens - draft.tokens;
    if (maxTokens === 0 || timeline.length >= generator.contextLen) return "length";
    const ended = yield* sampleTurn(draft, generator.generate(timeline, { ...options, maxTokens }));
    if (typeof ended === "string") return ended;
    for (const id of ended) yield* push(draft, id);
  }
}

/** @returns the ids that must follow, or why there is nothing to follow */
async function* sampleTurn(
  draft: Draft,
  sampled: AsyncGenerator<number, FinishReason>,
): AsyncGenerator<ChatEvent, FinishReason | readonly number[]> {
  try {
    for (;;) {
      const next = await sampled.next();
      if (next.done) return next.value;
      draft.tokens++;
      yield* push(draft, next.value);
      const follow = draft.follow(next.value);
      if (follow !== "go") return follow;
    }
  } finally {
    await sampled.return("aborted"); // Frees the generator for the next turn.
  }
}

function* push({ ids, events }: Draft, id: number): Generator<ChatEvent> {
  ids.push(id);
  const event = events.push(id);
  if (event !== undefined) yield event;
}

function tooLong(tokens: number, most: number): NutshellError {
  return new NutshellError(
    "CONFIG",
    `chat: system message and question must leave room for an answer, in ${most} tokens, ` +
      `got ${tokens}. Ask in fewer words.`,
  );
}
