/**
 * `nutshell chat` from a model's folder on: loads it, then one question, or a chat on a terminal,
 * or a question per line of whatever stdin is.
 */
import { createInterface } from "node:readline";
import type { Backend } from "../../compute/backend.ts";
import { chooseBackend } from "../../compute/backends/choose.node.ts";
import { type Chat, createChat } from "../../llm/chat/converse.ts";
import { requireChatTokens } from "../../llm/chat/template.ts";
import { createGenerator, type TokenGenerator } from "../../llm/inference/generator.ts";
import { type OpenModel, openModel } from "../../llm/run/open-model.node.ts";
import { resolveOptions } from "../../options.ts";
import type { CommandIo } from "../command.ts";
import { type ChatValues, chatOptions } from "./options.ts";
import { createSession, type Session } from "./session.ts";
import { chatAtTerminal } from "./terminal-chat.ts";
import { readWorldFiles } from "./world-files.ts";

/** Where questions come from. */
export type ChatInput = NodeJS.ReadableStream & { readonly isTTY?: boolean };

/** Long-context models would otherwise get a cache of gigabytes for a short chat. */
const MOST_CONTEXT = 4096;

/**
 * @param asked what differs from the defaults of `chatOptions`
 * @throws CHECKPOINT when there is no model; TOKENIZER when it has no marks for conversations
 */
export async function openChat(
  asked: Partial<ChatValues> & { readonly model: string },
  io: CommandIo,
  input: ChatInput = process.stdin,
): Promise<void> {
  const values = resolveOptions(chatOptions, { from: "chat", values: asked });
  const files = readWorldFiles(values.file);
  const model = await openModel(asked.model);
  requireChatTokens(model.tokenizer, `${model.checkpoint.folder}/tokenizer.json`);
  const backend = await chooseBackend(values.backend, values, (line) => io.stderr(`${line}\n`));
  try {
    await withGenerator(model, backend, values, async (generator) => {
      const world = () => ({ now: new Date(), files });
      const chat = createChat(generator, model.tokenizer, { system: values.system, world });
      io.stderr(`${model.checkpoint.folder} | context ${generator.contextLen} tokens\n`);
      await converse(chat, values, io, input);
    });
  } finally {
    backend.dispose();
  }
}

/** The generator lives as long as `work`. */
async function withGenerator(
  { checkpoint }: OpenModel,
  backend: Backend,
  { precision, context }: ChatValues,
  work: (generator: TokenGenerator) => Promise<void>,
): Promise<void> {
  const { config } = checkpoint;
  const store = backend.createStore();
  try {
    await checkpoint.loadParameters(store);
    const contextLen = context ?? Math.min(config.sequenceLen, MOST_CONTEXT);
    const generator = createGenerator(backend, store, config, { precision, contextLen });
    await work(generator).finally(() => generator.dispose());
  } finally {
    store.dispose();
  }
}

async function converse(
  chat: Chat,
  values: ChatValues,
  io: CommandIo,
  input: ChatInput,
): Promise<void> {
  const session = createSession(chat, values, io);
  if (values.prompt !== undefined) await session.ask(values.prompt, io.signal);
  else if (input.isTTY === true && io.isTTY && !io.json) await chatAtTerminal(session, input, io);
  else await answerLines(session, input, io);
}

async function answerLines(session: Session, input: ChatInput, io: CommandIo): Promise<void> {
  const lines = createInterface({ input, terminal: false, signal: io.signal });
  for await (const line of lines) {
    if (io.signal.aborted) return;
    if (line.trim() !== "") await session.ask(line, io.signal);
  }
}
