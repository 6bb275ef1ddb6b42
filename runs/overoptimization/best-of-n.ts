/** Best-of-n: many replies to each prompt, of which the proxy chooses; what gold says of its choice. */
import { bestOfN, bestOfNKl, deviation, type Estimate, estimate } from "./estimate.ts";
import { problemsOf, SHOWN, STREAMS } from "./plan.ts";
import { answerAll } from "./progress.ts";
import { openDesk, type Reply } from "./replies.ts";
import type { Part } from "./run-parts.ts";
import type { CurvePoint } from "./verdict.ts";

export interface BestOfNResult {
  /** Of single replies: mean and standard deviation, what the picture's axis is in. */
  readonly scale: Readonly<
    Record<"gold" | "proxy", { readonly mean: number; readonly std: number }>
  >;
  readonly points: readonly (CurvePoint & { readonly n: number })[];
  /** The best by proxy of all replies to the first prompts. */
  readonly best: readonly Reply[];
}

export const bestOfNPart: Part<BestOfNResult> = async (plan, talk, signal) => {
  const { sizes, sft: start, reward, values } = plan;
  const problems = problemsOf(plan, "test", sizes.bestOfPrompts);
  const folders = { policy: start.out, start: start.out, proxy: reward.out };
  await using desk = await openDesk(folders, values);
  const portion = { problems, count: sizes.bestOfReplies, at: 4, stream: STREAMS.bestOfN };
  const replies = await answerAll("best of n", desk, portion, talk, signal);
  if (replies === undefined) return undefined;
  const ns = Array.from({ length: Math.log2(sizes.bestOfReplies) + 1 }, (_, i) => 2 ** i);
  const all = replies.flat();
  return {
    scale: {
      gold: describe(all.map(({ gold }) => gold)),
      proxy: describe(all.map(({ proxy }) => proxy)),
    },
    points: ns.map((n) => bestOfPoint(replies, n)),
    best: replies
      .slice(0, SHOWN)
      .map((group) => group.reduce((a, b) => (b.proxy > a.proxy ? b : a))),
  };
};

function bestOfPoint(replies: readonly Reply[][], n: number): BestOfNResult["points"][number] {
  const of = (value: (reply: Reply) => number): Estimate =>
    estimate(
      replies.map((group) =>
        bestOfN(
          group.map(({ proxy }) => proxy),
          group.map(value),
          n,
        ),
      ),
    );
  const sqrtKl = Math.sqrt(bestOfNKl(n));
  return { n, sqrtKl, gold: of(({ gold }) => gold), proxy: of(({ proxy }) => proxy) };
}

function describe(values: readonly number[]): { mean: number; std: number } {
  return { mean: estimate(values).mean, std: deviation(values) };
}
