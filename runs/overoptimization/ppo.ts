/** PPO against the proxy alone, and how far the policy has come at places on the way. */
import { readdirSync } from "node:fs";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { reinforce } from "../../src/llm/rl/rl.node.ts";
import type { Talk } from "../../src/llm/run/talk.ts";
import { type Estimate, estimate, meanOf } from "./estimate.ts";
import { type Plan, problemsOf, SHOWN, STREAMS } from "./plan.ts";
import { answerAll } from "./progress.ts";
import { openDesk, type Reply } from "./replies.ts";
import type { Part } from "./run-parts.ts";
import { storyTask } from "./story-task.ts";
import type { CurvePoint } from "./verdict.ts";

export interface PpoPoint extends CurvePoint {
  readonly step: number;
  readonly kl: Estimate;
  /** Share of replies that came to their own end. */
  readonly ended: number;
  readonly samples: readonly Reply[];
}

export interface PpoResult {
  readonly klWeight: number;
  readonly points: readonly PpoPoint[];
}

/** PPO against the proxy alone, then its checkpoints on prompts that neither of the two has seen. */
export const ppoPart =
  (klWeight: number): Part<PpoResult> =>
  async (plan, talk, signal) => {
    const config = plan.ppo(klWeight);
    await reinforce(config, talk, signal, [storyTask]);
    if (signal.aborted) return undefined;
    const places = [
      { step: 0, policy: plan.sft.out },
      ...checkpointsOf(config.out).map((name) => {
        return { step: Number(name.slice("step-".length)), policy: join(config.out, name) };
      }),
    ];
    const points: PpoPoint[] = [];
    for (const { step, policy } of places) {
      const point = await measurePolicy(plan, step, policy, talk, signal);
      if (point === undefined) return undefined;
      points.push(point);
    }
    return { klWeight, points };
  };

function checkpointsOf(folder: string): string[] {
  return readdirSync(folder)
    .filter((name) => /^step-\d+$/.test(name))
    .sort();
}

/** Once the points are saved, only the last checkpoint is of use. */
export async function removeMeasured(folder: string): Promise<void> {
  for (const name of checkpointsOf(folder).slice(0, -1))
    await rm(join(folder, name), { recursive: true });
}

async function measurePolicy(
  plan: Plan,
  step: number,
  policy: string,
  talk: Talk,
  signal: AbortSignal,
): Promise<PpoPoint | undefined> {
  const { sizes, sft: start, reward, values } = plan;
  const problems = problemsOf(plan, "test", sizes.measurePrompts);
  const folders = { policy, start: start.out, proxy: reward.out };
  await using desk = await openDesk(folders, values);
  const portion = {
    problems,
    count: sizes.measureReplies,
    at: problems.length,
    stream: STREAMS.measure,
  };
  const replies = await answerAll(`step ${step}:`, desk, portion, talk, signal);
  return replies && ppoPoint(step, replies);
}

function ppoPoint(step: number, replies: readonly Reply[][]): PpoPoint {
  const of = (value: (reply: Reply) => number): Estimate =>
    estimate(replies.map((group) => meanOf(group.map(value))));
  const kl = of((reply) => reply.kl);
  return {
    ...{ step, kl, sqrtKl: Math.sqrt(Math.max(0, kl.mean)) },
    ...{ gold: of(({ gold }) => gold), proxy: of(({ proxy }) => proxy) },
    ended: of(({ ended }) => Number(ended)).mean,
    samples: replies.slice(0, SHOWN).map((group) => group[0] as Reply),
  };
}
