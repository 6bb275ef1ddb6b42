/**
 * The rankings of a run as rows of tokens: what to train on, what to measure with, and what was cut
 * or left out on the way. The two sides share no question, whatever the seed.
 */
import { NutshellError } from "../../error.ts";
import { hashArrays } from "../run/metrics.node.ts";
import type { Talk } from "../run/talk.ts";
import { preference } from "../tasks/preferences.ts";
import type { RankedPrompt } from "../tasks/ranking.ts";
import { createRowCounts, describeCounts, type RowCounts } from "../tasks/row-counts.ts";
import type { RankingSource } from "../tasks/source.ts";
import { splitOfMessages } from "../tasks/split.ts";
import type { Split } from "../tasks/task.ts";
import type { Tokenizer } from "../tokenizer/tokenizer.ts";
import {
  leaveOut,
  type RankedRows,
  type RowLimits,
  type RowTally,
  toRankedRows,
} from "./ranked-rows.ts";

export interface RankingOrigin {
  readonly name: string;
  readonly licence: string;
  readonly card: string;
  readonly train: number;
  readonly held: number;
  /** Of its rows: kept = train + held. */
  readonly counts: RowCounts;
}

type Card = Pick<RankingOrigin, "name" | "licence" | "card">;

export interface LoadedRankings {
  readonly train: readonly RankedRows[];
  readonly held: readonly RankedRows[];
  readonly origins: readonly RankingOrigin[];
  readonly cutPrompts: number;
  readonly lostResponses: number;
  /** Of every row and pair and of the side it is on; equal over runs exactly when the data is. */
  readonly hash: string;
}

export interface LoadOptions extends RowLimits {
  /** Built-in rankings to train on; 0 = without them. */
  readonly builtin: number;
  /** Rankings of a source to measure with, at most. */
  readonly heldOut: number;
  readonly seed: number;
}

/** A ranking, and the side of the split that it is on. */
type Sided = readonly [RankedPrompt, Split];

/** @throws DATA when no ranking is left to train on or to measure with */
export async function loadRankings(
  sources: readonly RankingSource[],
  tokenizer: Tokenizer,
  options: LoadOptions,
  talk: Talk,
): Promise<LoadedRankings> {
  const sides: Record<Split, RankedRows[]> = { train: [], test: [] };
  const lost = { cutPrompts: 0, lostResponses: 0 };
  const origins: RankingOrigin[] = [];
  const take = async (
    origin: Card & Pick<RankingOrigin, "counts">,
    rankings: AsyncIterable<Sided> | Iterable<Sided>,
  ): Promise<void> => {
    talk.status(`reading ${origin.name}`);
    const tally: RowTally = { counts: origin.counts, cutPrompts: 0, lostResponses: 0 };
    const own: Record<Split, RankedRows[]> = { train: [], test: [] };
    for await (const [ranked, side] of rankings) {
      if (side === "test" && own.test.length >= options.heldOut) {
        leaveOut(origin.counts, "held out and not needed");
        continue;
      }
      const rows = toRankedRows(ranked, origin.name, tokenizer, options, tally);
      if (rows !== undefined) own[side].push(rows);
    }
    for (const side of ["train", "test"] as const) sides[side].push(...own[side]);
    lost.cutPrompts += tally.cutPrompts;
    lost.lostResponses += tally.lostResponses;
    origins.push({ ...origin, train: own.train.length, held: own.test.length });
  };
  if (options.builtin > 0) {
    const counts = createRowCounts();
    await take({ ...builtin, counts }, builtinRankings(options, counts));
  }
  for (const source of sources) {
    const counts = createRowCounts();
    await take({ ...pickCard(source), counts }, sided(source, counts));
  }
  for (const [side, rankings] of Object.entries(sides)) requireSome(side as Split, rankings);
  const [train, held] = [sides.train, sides.test];
  return { train, held, origins, ...lost, hash: hashRankings(train, held) };
}

const builtin: Card = {
  name: "builtin",
  licence: "of this project",
  card: "Answers of known quality to prompts of the built-in tasks, made by a program.",
};

function* builtinRankings(
  { builtin, heldOut, seed }: LoadOptions,
  counts: RowCounts,
): Generator<Sided> {
  for (const [side, most] of [
    ["train", builtin],
    ["test", heldOut],
  ] as const) {
    for (let index = 0; index < most; index++) {
      counts.rows++;
      counts.kept++;
      yield [preference(index, side, seed), side];
    }
  }
}

/** A source for tests is measured with and never trained on. */
async function* sided(source: RankingSource, counts: RowCounts): AsyncGenerator<Sided> {
  for await (const ranked of source.read(counts))
    yield [ranked, source.use === "test" ? "test" : splitOfMessages(ranked.prompt)];
}

function pickCard({ name, licence, card }: RankingSource): Card {
  return { name, licence, card };
}

function requireSome(side: Split, rankings: readonly RankedRows[]): void {
  if (rankings.length > 0) return;
  const purpose = side === "train" ? "to train on" : "to measure with";
  throw new NutshellError(
    "DATA",
    `reward: a ranking is needed ${purpose}, got none. One question in eight is kept to measure ` +
      "with: add rankings, or --data builtin.",
  );
}

/** Counts and lengths come before what they count, so that no two data sets read alike. */
function hashRankings(train: readonly RankedRows[], held: readonly RankedRows[]): string {
  const arrays = [...train, ...held].flatMap(({ rows, pairs }) => {
    const numbers = pairs.flatMap(({ chosen, rejected, margin }) => [chosen, rejected, margin]);
    const sizes = [rows.length, ...rows.map(({ length }) => length), pairs.length];
    return [Int32Array.from(sizes), ...rows, Float32Array.from(numbers)];
  });
  return hashArrays([Int32Array.of(train.length, held.length), ...arrays]);
}

/** One line a source, and one for what was cut. */
export function describeRankings(loaded: LoadedRankings): string {
  const lines = loaded.origins.map(({ name, train, held, counts }) => {
    return `${name}: ${train} rankings to train on, ${held} held out | ${describeCounts(counts)}`;
  });
  const { cutPrompts, lostResponses } = loaded;
  if (cutPrompts > 0) lines.push(`${cutPrompts} prompts were too long and lost their beginning`);
  if (lostResponses > 0)
    lines.push(`${lostResponses} answers were left out: too long, or too many for one prompt`);
  return lines.join("\n");
}
