/** What a run may learn from beside its task: a reward model, rankings in a file. */
import { stat } from "node:fs/promises";
import { join } from "node:path";
import type { Backend } from "../../compute/backend.ts";
import { tryReadText } from "../../durable-file.node.ts";
import { NutshellError } from "../../error.ts";
import type { LogprobScorer } from "../inference/logprobs.ts";
import { openRewardModel } from "../inference/open-reward-model.node.ts";
import type { RewardScorer } from "../inference/score.ts";
import type { OpenModel } from "../run/open-model.node.ts";
import type { Talk } from "../run/talk.ts";
import { describeCounts } from "../tasks/row-counts.ts";
import type { RunConfig } from "./complete-config.ts";
import type { Bundle } from "./learn-rows.ts";
import { readRankedPairs } from "./ranked-pairs.node.ts";

/** @throws DATA when --data is not there or holds no pair, CONFIG when the algorithm learns from its own samples only */
export async function openRankings(
  { data, algorithm, sequenceLen }: RunConfig,
  { tokenizer }: OpenModel,
  reference: LogprobScorer,
  talk: Talk,
): Promise<readonly Bundle[] | undefined> {
  if (data === undefined || !(await isFile(data))) return undefined;
  if (algorithm !== "dpo")
    throw new NutshellError(
      "CONFIG",
      `rl: a rankings file must go with dpo, got ${algorithm}. Drop --data or use dpo.`,
    );
  const { bundles, counts } = await readRankedPairs(data, tokenizer, reference, sequenceLen);
  talk.say(`${bundles.length} pairs from ${data}: ${describeCounts(counts)}`);
  return bundles;
}

async function isFile(path: string): Promise<boolean> {
  try {
    return (await stat(path)).isFile();
  } catch (cause) {
    throw new NutshellError(
      "DATA",
      `${path}: --data must name a rankings file or a folder that is there, got neither. ` +
        "Check the path.",
      { cause },
    );
  }
}

/** @throws CONFIG when the reward model reads other tokens than the policy writes */
export async function openJudge(
  { reward, rewardModel: path }: RunConfig,
  { tokenizerJson }: OpenModel,
  backend: Backend,
): Promise<RewardScorer | undefined> {
  if (reward === "program" || path === undefined) return undefined;
  const judge = await openRewardModel(path, backend);
  if ((await tryReadText(join(judge.folder, "tokenizer.json"))) === tokenizerJson) return judge;
  await judge.dispose();
  throw new NutshellError(
    "CONFIG",
    `rl: reward model and policy must share a tokenizer, got two (${path}). ` +
      "Train the reward model from the same run.",
  );
}
