/**
 * Many questions to one model at once: as a chat, with its tools running, or as plain text up to
 * the end of the line. Replies come back in the order of the questions; a question that leaves no
 * room for a reply is not asked.
 */
import type { Message } from "../chat/conversation.ts";
import { parseReply, renderPrompt } from "../chat/template.ts";
import type { ToolContext } from "../chat/tool.ts";
import { createToolLoop } from "../chat/tool-loop.ts";
import type { BatchRequest, Trajectory } from "../inference/batch-generator.ts";
import type { Tokenizer } from "../tokenizer/tokenizer.ts";
import type { Subject } from "./subject.node.ts";

/** A chat up to the user's last word, or a text to be gone on with. */
export type Question =
  | { readonly messages: readonly Message[]; readonly context: ToolContext }
  | { readonly text: string };

export interface Reply {
  /** What the assistant added, tool results included. */
  readonly messages: readonly Message[];
  /** Whether it kept to the chat's form, to the end of its turn; plain text always does. */
  readonly wellFormed: boolean;
  /** The last thing it said. */
  readonly text: string;
}

export interface AskOptions {
  readonly samples: number;
  readonly seed: number;
  readonly temperature: number;
  /** Of a reply, sampled ones. */
  readonly maxTokens: number;
  readonly signal: AbortSignal;
  /** @param done replies of @param total */
  tell(done: number, total: number): void;
}

/**
 * @returns for each question its replies, or undefined when it leaves no room for one
 * @throws the signal's reason when aborted
 */
export async function askAll(
  subject: Subject,
  questions: readonly Question[],
  options: AskOptions,
): Promise<(readonly Reply[] | undefined)[]> {
  const { samples, signal } = options;
  const prompts = questions.map((question) => toPrompt(question, subject.tokenizer));
  const asked = [...questions.keys()].filter((i) => (prompts[i]?.length ?? 0) < subject.contextLen);
  const requests = asked.flatMap((i) =>
    Array.from({ length: samples }, (_, sample) =>
      toRequest(
        questions[i] as Question,
        prompts[i] as number[],
        i * samples + sample,
        subject,
        options,
      ),
    ),
  );
  const replies = Array.from(questions, (): Reply[] => []);
  let done = 0;
  for await (const { index, trajectory } of subject.generator().generate(requests, { signal })) {
    signal.throwIfAborted();
    const i = asked[Math.floor(index / samples)] as number;
    const reply = toReply(questions[i] as Question, trajectory, subject.tokenizer);
    (replies[i] as Reply[])[index % samples] = reply;
    options.tell(++done, requests.length);
  }
  signal.throwIfAborted();
  return replies.map((found) => (found.length > 0 ? found : undefined));
}

function toPrompt(question: Question, tokenizer: Tokenizer): number[] {
  if ("messages" in question) return renderPrompt(question.messages, tokenizer);
  return [...startOf(tokenizer), ...tokenizer.encode(question.text)];
}

/** What every text begins with: nothing in a vocabulary without such a token. */
export function startOf({ bos }: Tokenizer): number[] {
  return bos === undefined ? [] : [bos];
}

function toRequest(
  question: Question,
  prompt: readonly number[],
  number: number,
  { tokenizer }: Subject,
  { seed, temperature, maxTokens }: AskOptions,
): BatchRequest {
  const sampling = { prompt, seed: (seed + number) >>> 0, temperature, maxTokens };
  const stop = startOf(tokenizer);
  if ("messages" in question)
    return { ...sampling, stop, follow: createToolLoop(tokenizer, question.context) };
  const endsLine = (id: number): boolean => tokenizer.tokenBytes(id).includes(NEWLINE);
  return { ...sampling, stop, follow: (id) => (endsLine(id) ? "stop" : "go") };
}

const NEWLINE = 10;

function toReply(question: Question, trajectory: Trajectory, tokenizer: Tokenizer): Reply {
  const ids = [...trajectory.ids.subarray(trajectory.promptLength)];
  if ("text" in question) {
    const [text = ""] = tokenizer.decode(ids).split("\n");
    return { messages: [{ role: "assistant", content: text }], wellFormed: true, text };
  }
  const { messages, wellFormed } = parseReply(ids, tokenizer);
  const last = messages.findLast(({ role }) => role === "assistant");
  return { messages, wellFormed, text: last?.content ?? "" };
}
