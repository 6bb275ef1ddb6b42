/** A chat with its model loaded: asks, shows, and says what a person should know of a reply. */
import { NutshellError } from "../../error.ts";
import type { AssistantMessage } from "../../llm/chat/conversation.ts";
import type { Chat, Reply } from "../../llm/chat/converse.ts";
import type { CommandIo } from "../command.ts";
import type { ChatValues } from "./options.ts";
import { dim, showReply } from "./show-reply.ts";

export interface Session {
  /** Asks, streams the reply, and writes it as JSON when that is wanted. */
  ask(question: string, signal: AbortSignal): Promise<void>;
  reset(): void;
}

export function createSession(chat: Chat, values: ChatValues, io: CommandIo): Session {
  const { maxTokens, temperature, topK, topP } = values;
  let replies = 0;
  let saidForgotten = false;

  function comment({ forgotten, finishReason, tokens, wellFormed }: Reply): void {
    if (forgotten > 0 && !saidForgotten) {
      saidForgotten = true;
      io.stderr(dim("the context is full: from now on the oldest exchanges are forgotten", io));
    }
    if (finishReason === "length")
      io.stderr(dim(`cut after ${tokens} tokens: --max-tokens or the context is used up`, io));
    else if (finishReason === "stop" && !wellFormed)
      io.stderr(dim("the reply broke the chat format", io));
  }

  return {
    reset: () => chat.reset(),
    async ask(question, signal) {
      const seed = (values.seed + replies++) % 2 ** 32;
      const sampling = { maxTokens, temperature, topK, topP, seed, signal };
      const reply = await showReply(chat, question, sampling, io);
      if (io.json) io.stdout(`${JSON.stringify(describeReply(question, seed, reply))}\n`);
      comment(reply);
    },
  };
}

function describeReply(question: string, seed: number, reply: Reply): object {
  const spoken = reply.messages.filter(
    (message): message is AssistantMessage => message.role === "assistant",
  );
  return { prompt: question, text: spoken.at(-1)?.content ?? "", seed, ...reply };
}

/** @returns whether the failure concerns one question only, which a person may ask otherwise */
export function isAboutTheQuestion(error: unknown): error is NutshellError {
  return error instanceof NutshellError && error.code === "CONFIG";
}
