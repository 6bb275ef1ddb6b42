/**
 * The first parts: a small policy that tells stories, its replies ordered by gold, and a proxy that
 * learns from the order alone.
 */
import { fillNormal } from "../../src/compute/philox.ts";
import { replaceFile } from "../../src/durable-file.node.ts";
import { createStories } from "../../src/llm/data/builtin/stories.ts";
import { pretrain } from "../../src/llm/pretrain/pretrain.node.ts";
import type { RewardResult } from "../../src/llm/reward/result.ts";
import { trainReward } from "../../src/llm/reward/reward.node.ts";
import { sft } from "../../src/llm/sft/sft.node.ts";
import { deviation, type Estimate, estimate, meanOf } from "./estimate.ts";
import { problemsOf, RANKED, STREAMS } from "./plan.ts";
import { answerAll } from "./progress.ts";
import { openDesk } from "./replies.ts";
import type { Part } from "./run-parts.ts";
import { tryLesson } from "./story-task.ts";

const lines = (rows: readonly object[]): string =>
  rows.map((row) => `${JSON.stringify(row)}\n`).join("");

/** Its own small model, of built-in stories alone; nothing to do where one was given. */
export const pretrainPart: Part<object> = async (plan, talk, signal) => {
  const { values, files, sizes } = plan;
  if (values.model !== undefined) return { model: values.model };
  await replaceFile(files.stories, lines(createStories(sizes.stories)));
  const result = await pretrain(plan.pretrain, talk, signal);
  return signal.aborted ? undefined : { ...result };
};

export const sftPart: Part<object> = async (plan, talk, signal) => {
  const found = Array.from({ length: plan.sizes.lessons }, (_, i) => tryLesson(i));
  const rows = found
    .filter((lesson) => lesson !== undefined)
    .map(({ question, answer }) => ({
      messages: [
        { role: "user", content: question },
        { role: "assistant", content: answer },
      ],
    }));
  await replaceFile(plan.files.lessons, lines(rows));
  const result = await sft(plan.sft, talk, signal);
  return signal.aborted ? undefined : { ...result };
};

export interface RankingsResult {
  readonly prompts: number;
  /** To each of them. */
  readonly answers: number;
  /** Of the start model's replies, over all that were ranked. */
  readonly gold: Estimate;
  readonly goldStd: number;
}

/** The start model's replies, ordered by gold: the only thing that the proxy ever learns of it. */
export const rankingsPart: Part<RankingsResult> = async (plan, talk, signal) => {
  const { sizes, sft: start, values } = plan;
  const problems = [
    ...problemsOf(plan, "train", sizes.rankings),
    ...problemsOf(plan, "test", sizes.heldRankings),
  ];
  await using desk = await openDesk({ policy: start.out, start: start.out }, values);
  const portion = { problems, count: RANKED, at: 64, stream: STREAMS.ranking };
  const replies = await answerAll("ranked", desk, portion, talk, signal);
  if (replies === undefined) return undefined;
  const golds = replies.flat().map(({ gold }) => gold);
  const std = deviation(golds);
  const noise = new Float32Array(golds.length);
  fillNormal(noise, values.noise * std, values.seed, STREAMS.ranking);
  const rows = replies.map((group, i) => ({
    prompt: problems[i]?.prompt[0]?.content,
    responses: group.map(({ text }) => text),
    ranking: rankBy(group.map(({ gold }, k) => gold + (noise[i * RANKED + k] as number))),
  }));
  await replaceFile(plan.files.rankings, lines(rows));
  const means = replies.map((group) => meanOf(group.map(({ gold }) => gold)));
  return { prompts: rows.length, answers: RANKED, gold: estimate(means), goldStd: std };
};

/** @returns indices in groups of equal values, best group first */
export function rankBy(values: readonly number[]): number[][] {
  const levels = [...new Set(values)].sort((a, b) => b - a);
  return levels.map((level) => values.flatMap((value, i) => (value === level ? [i] : [])));
}

export const rewardPart: Part<RewardResult> = async (plan, talk, signal) => {
  const result = await trainReward(plan.reward, talk, signal);
  return signal.aborted ? undefined : result;
};
