/**
 * `nutshell rank` from its values on: answers are sampled, a person ranks them on a page or at the
 * terminal, and the file that comes out is what `nutshell reward --data` learns from.
 */
import { createInterface } from "node:readline";
import { chooseBackend } from "../../compute/backends/choose.node.ts";
import { requireChatTokens } from "../../llm/chat/template.ts";
import { openModel } from "../../llm/run/open-model.node.ts";
import { createTalk, type Talk } from "../../llm/run/talk.ts";
import type { CommandIo } from "../command.ts";
import type { RankValues } from "./options.ts";
import { readPrompts } from "./prompts.ts";
import { openRankingFile, type RankingFile } from "./ranking-file.ts";
import { type SampledAnswers, sampleAnswers } from "./sample-answers.ts";
import { serveRanking } from "./server.ts";
import { createRankSession, promptId, type RankSession } from "./session.ts";
import { rankAtTerminal } from "./terminal.ts";

export interface RankResult {
  readonly out: string;
  /** Rankings in the file, "cannot say" included. */
  readonly done: number;
  readonly total: number;
  readonly cannot_say: number;
}

/** @param input lines that a person types, for `terminal` */
export async function rank(
  values: RankValues & { readonly model: string },
  io: CommandIo,
  input: NodeJS.ReadableStream = process.stdin,
): Promise<RankResult> {
  const talk = createTalk(io);
  const file = openRankingFile(values.out);
  try {
    const { items, tooLong, alike } = await drawAnswers(values, file, talk, io.signal);
    if (tooLong > 0) talk.say(`${tooLong} prompts left out: no room for an answer in the context`);
    if (alike > 0) talk.say(`${alike} prompts left out: all answers to them are the same`);
    const session = createRankSession(items, file);
    if (values.terminal) await atTerminal(session, io, input);
    else await onPage(session, values.port, talk, io.signal);
    const cannotSay = file.rows.filter(({ verdict }) => verdict === "cannot-say").length;
    const { done, total } = session.progress();
    return { out: values.out, done, total, cannot_say: cannotSay };
  } finally {
    file.close();
  }
}

/** To prompts that are not in the file yet. */
async function drawAnswers(
  values: RankValues & { readonly model: string },
  file: RankingFile,
  talk: Talk,
  signal: AbortSignal,
): Promise<SampledAnswers> {
  const done = new Set(file.rows.map(({ id }) => id));
  const prompts = await readPrompts(values.prompts, values.count, values.seed);
  const open = prompts.filter((prompt) => !done.has(promptId(prompt)));
  if (open.length === 0) return { items: [], tooLong: 0, alike: 0 };
  const model = await openModel(values.model);
  requireChatTokens(model.tokenizer, `${model.checkpoint.folder}/tokenizer.json`);
  const backend = await chooseBackend(values.backend, values, (line) => talk.say(line));
  try {
    return await sampleAnswers(model, backend, open, values, talk, signal);
  } finally {
    backend.dispose();
  }
}

async function atTerminal(
  session: RankSession,
  io: CommandIo,
  input: NodeJS.ReadableStream,
): Promise<void> {
  const lines = createInterface({ input });
  const close = (): void => lines.close();
  io.signal.addEventListener("abort", close, { once: true });
  try {
    await rankAtTerminal(session, lines, (text) => io.stderr(`${text}\n`));
  } finally {
    io.signal.removeEventListener("abort", close);
    lines.close();
  }
}

/** Serves the page until somebody finishes there or presses Ctrl-C. */
async function onPage(
  session: RankSession,
  port: number,
  talk: Talk,
  signal: AbortSignal,
): Promise<void> {
  if (session.current() === undefined || signal.aborted) return;
  const { promise, resolve } = Promise.withResolvers<void>();
  signal.addEventListener("abort", () => resolve(), { once: true });
  const server = await serveRanking(session, port, {
    onFinish: resolve,
    onChange() {
      const { done, total } = session.progress();
      talk.status(`${done} of ${total} ranked`);
    },
  });
  talk.say(`rank the answers here (Ctrl-C ends, every ranking is kept): ${server.url}`);
  await promise;
  await server.close();
}
