/**
 * The known preference sets of a data folder: a table of what each is and under which
 * licence. Sets that are not there are left out; one is kept for evaluation alone.
 */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { readRankings } from "./read-rankings.node.ts";
import type { RankingSource } from "./source.ts";

type KnownRankings = Omit<RankingSource, "read"> & {
  /** Below the data folder. */
  readonly path: string;
};

const knownSets: readonly KnownRankings[] = [
  {
    name: "hh-rlhf-harmless",
    path: "preferences/hh_rlhf_harmless/harmless_base_test.jsonl.gz",
    licence: "MIT",
    card: "HH-RLHF, harmless: which of two answers people found less harmful; offensive in parts.",
    use: "train",
  },
  {
    name: "oasst-ranked",
    path: "preferences/oasst_ranked/oasst_100.jsonl.gz",
    licence: "Apache-2.0",
    card: "OpenAssistant: two to nine answers to a prompt, ranked by people.",
    use: "train",
  },
  {
    name: "liveqa-med-graded",
    path: "preferences/liveqa_med_graded/graded_answers.jsonl.gz",
    licence: "CC BY 4.0",
    card: "LiveQA medical questions of TREC 2017: answers with grades from 1 to 4 by experts.",
    use: "train",
  },
  {
    name: "autoj-pairwise",
    path: "preferences/autoj_pairwise/autoj_pairwise.jsonl.gz",
    licence: "Apache-2.0",
    card: "The test set of Auto-J: pairs judged by people in 58 scenarios, with ties.",
    use: "train",
  },
  {
    name: "hhh-alignment",
    path: "preferences/hhh_alignment/hhh.jsonl.gz",
    licence: "Apache-2.0",
    card: "BIG-bench HHH: helpful, honest, harmless and other pairs, for evaluation.",
    use: "test",
  },
  {
    name: "rasbt-preference",
    path: "preferences/rasbt/instruction_preference.jsonl.gz",
    licence: "Apache-2.0",
    card: "Polite against rude answers to 1,100 simple instructions, made by a model.",
    use: "train",
  },
  {
    name: "llamafactory-dpo",
    path: "preferences/llamafactory_dpo_demo/dpo_en.jsonl.gz",
    licence: "Apache-2.0",
    card: "300 pairs of long answers, labelled by models.",
    use: "train",
  },
];

/** @param dataFolder holds the sets in the folders of the table  @returns those that are there */
export function findRankingSources(dataFolder: string): RankingSource[] {
  return knownSets
    .filter(({ path }) => existsSync(join(dataFolder, path)))
    .map(({ path, ...source }) => ({
      ...source,
      read: (counts) => readRankings(join(dataFolder, path), counts),
    }));
}
