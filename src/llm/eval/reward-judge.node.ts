/**
 * A reward model as a judge of answers. It reads a conversation with its own tokenizer, as it was
 * trained: the prompt, the answer, the end of the turn. A prompt that is too long loses its
 * beginning, by as much for all of its answers; answers that are too long themselves are not judged.
 */
import type { Backend } from "../../compute/backend.ts";
import { NutshellError } from "../../error.ts";
import type { Message } from "../chat/conversation.ts";
import { renderConversation, renderPrompt, requireChatTokens } from "../chat/template.ts";
import { openRewardModel } from "../inference/open-reward-model.node.ts";
import type { Tokenizer } from "../tokenizer/tokenizer.ts";

/** A prompt and answers to it, each the messages that an assistant adds. */
export interface Answers {
  readonly prompt: readonly Message[];
  readonly answers: readonly (readonly Message[])[];
}

export interface RewardJudge {
  readonly folder: string;
  /** @returns the rewards of each one's answers; undefined where they are too long */
  judge(all: readonly Answers[]): Promise<(Float32Array | undefined)[]>;
  dispose(): Promise<void>;
}

/** Tokens of a prompt that must stay: less would be an answer to nothing. */
const LEAST_PROMPT = 9;

/** @throws CHECKPOINT when there is no reward model; TOKENIZER when it cannot read a chat */
export async function openJudge(path: string, backend: Backend): Promise<RewardJudge> {
  const model = await openRewardModel(path, backend);
  requireChatTokens(model.tokenizer, model.folder);
  return {
    folder: model.folder,
    async judge(all) {
      const rows = all.map((one) => toRows(one, model.tokenizer, model.longest));
      const rewards = await model.score(rows.flatMap((own) => own ?? []));
      requireFinite(rewards, model.folder);
      let at = 0;
      return rows.map((own) => {
        const start = at;
        at += own?.length ?? 0;
        return own && rewards.slice(start, at);
      });
    },
    dispose: () => model.dispose(),
  };
}

function requireFinite(rewards: Float32Array, folder: string): void {
  const stranger = rewards.find((reward) => !Number.isFinite(reward));
  if (stranger === undefined) return;
  throw new NutshellError(
    "DIVERGED",
    `${folder}: every reward must be finite, got ${stranger}. Use an earlier checkpoint.`,
  );
}

function toRows(
  { prompt, answers }: Answers,
  tokenizer: Tokenizer,
  longest: number,
): Int32Array[] | undefined {
  const head = renderPrompt(prompt, tokenizer);
  const tails = answers.map((answer) => {
    const messages = [...prompt, ...answer];
    return renderConversation({ messages }, tokenizer).ids.subarray(head.length);
  });
  const room = longest - Math.max(...tails.map(({ length }) => length));
  if (room < Math.min(head.length, LEAST_PROMPT)) return undefined;
  const cut =
    head.length <= room ? head : [...head.slice(0, 1), ...head.slice(head.length - room + 1)];
  return tails.map((tail) => Int32Array.from([...cut, ...tail]));
}
