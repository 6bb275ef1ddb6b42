/**
 * How often a reward model agrees with people, on each set of rankings and on the built-in ones.
 * Of a set that is also trained on, only the held-out side counts.
 */
import { createPermutation } from "../data/sampling/permutation.ts";
import { findRankingSources } from "../tasks/find-rankings.node.ts";
import { preference } from "../tasks/preferences.ts";
import type { RankedPrompt } from "../tasks/ranking.ts";
import { createRowCounts } from "../tasks/row-counts.ts";
import type { RankingSource } from "../tasks/source.ts";
import { splitOfMessages } from "../tasks/split.ts";
import { meanRate } from "./intervals.ts";
import { dropped, type MeasureContext, type Measured, shareRow } from "./measure.ts";
import { renderMessages } from "./measure-tasks.ts";
import { rankedRight } from "./preferences.ts";
import type { EvalExample } from "./report.ts";
import type { RewardJudge } from "./reward-judge.node.ts";

const CHANCE = 0.5;
/** Streams of permutations: which rankings. */
const RANKINGS = 0x72616e6b;
/** Prompts judged in one call. */
const AT_ONCE = 32;

export async function measurePreferences(context: MeasureContext): Promise<Measured> {
  const { judge, data, asked, tell } = context;
  if (judge === undefined)
    return {
      skipped: [{ name: "preferences", reason: "no reward model; name one with --reward" }],
    };
  const sources = data === undefined ? [] : findRankingSources(data);
  const all: Measured[] = [
    await measureRankings("built-in", builtIn(asked.maxRows, asked.seed), judge, context),
  ];
  for (const [i, source] of sources.entries()) {
    tell(i + 1, sources.length + 1);
    const rankings = await readHeldOut(source, asked.maxRows, asked.seed);
    all.push(await measureRankings(source.name, rankings, judge, context));
  }
  return {
    rows: all.flatMap(({ rows = [] }) => rows),
    skipped: all.flatMap(({ skipped = [] }) => skipped),
  };
}

function builtIn(maxRows: number, seed: number): RankedPrompt[] {
  return Array.from({ length: maxRows }, (_, i) => preference(i, "test", seed));
}

async function readHeldOut(
  source: RankingSource,
  maxRows: number,
  seed: number,
): Promise<RankedPrompt[]> {
  const rankings: RankedPrompt[] = [];
  for await (const ranked of source.read(createRowCounts()))
    if (source.use === "test" || splitOfMessages(ranked.prompt) === "test") rankings.push(ranked);
  const order = createPermutation(rankings.length, seed, RANKINGS, 0);
  const count = Math.min(maxRows, rankings.length);
  return Array.from({ length: count }, (_, i) => rankings[order(i)] as RankedPrompt);
}

interface Judged {
  readonly ranked: RankedPrompt;
  readonly rewards: Float32Array;
  readonly right: number;
}

async function measureRankings(
  name: string,
  rankings: readonly RankedPrompt[],
  judge: RewardJudge,
  { asked: { seed, examples }, signal }: MeasureContext,
): Promise<Measured> {
  const judged: Judged[] = [];
  for (let first = 0; first < rankings.length; first += AT_ONCE) {
    signal.throwIfAborted();
    const some = rankings.slice(first, first + AT_ONCE);
    const rewards = await judge.judge(some.map(toAnswers));
    for (const [i, own] of rewards.entries()) {
      const ranked = some[i] as RankedPrompt;
      if (own !== undefined) judged.push({ ranked, rewards: own, right: rankedRight(ranked, own) });
    }
  }
  if (judged.length === 0)
    return { skipped: [{ name, reason: "no ranking fits the reward model's context" }] };
  const estimate = meanRate(
    judged.map(({ right }) => right),
    seed,
  );
  const left = dropped(rankings.length - judged.length);
  const shown = judged.slice(0, examples).map(toExample);
  return { rows: [shareRow(name, estimate, shown, { chance: CHANCE, ...left })] };
}

function toAnswers({ prompt, responses }: RankedPrompt): Parameters<RewardJudge["judge"]>[0][0] {
  const answers = responses.map((content) => [{ role: "assistant", content } as const]);
  return { prompt, answers };
}

/** The answer with the highest reward, beside one that people liked best. */
function toExample({ ranked, rewards, right }: Judged): EvalExample {
  const best = rewards.indexOf(Math.max(...rewards));
  return {
    prompt: renderMessages(ranked.prompt),
    reply: ranked.responses[best] ?? "",
    expected: ranked.responses[ranked.ranking[0]?.[0] ?? 0] ?? "",
    grade: right,
  };
}
