/**
 * DPO without rollouts: pairs from a file of rankings, as rows with the reference's judgement of
 * each text. Prompts on the held-out side are left alone, and rows that are too long are counted.
 */

import { NutshellError } from "../../error.ts";
import type { Message } from "../chat/conversation.ts";
import { renderConversation } from "../chat/template.ts";
import { createPermutation } from "../data/sampling/permutation.ts";
import type { LogprobScorer } from "../inference/logprobs.ts";
import { comparisonsOf, type RankedPrompt } from "../tasks/ranking.ts";
import { readRankings } from "../tasks/read-rankings.node.ts";
import { countDropped, createRowCounts, type RowCounts } from "../tasks/row-counts.ts";
import { splitOfMessages } from "../tasks/split.ts";
import type { Tokenizer } from "../tokenizer/tokenizer.ts";
import type { Bundle } from "./learn-rows.ts";
import { type PairText, pairRow } from "./sample-rows.ts";

type Text = Omit<PairText, "referenceLogprobs">;

export interface RankedPairs {
  readonly bundles: readonly Bundle[];
  readonly counts: RowCounts;
}

/** @param longest tokens of a row  @throws DATA when no pair is left */
export async function readRankedPairs(
  path: string,
  tokenizer: Tokenizer,
  reference: LogprobScorer,
  longest: number,
): Promise<RankedPairs> {
  const counts = createRowCounts();
  const pairs: (readonly [Text, Text])[] = [];
  for await (const ranked of readRankings(path, counts)) {
    const found = pairsOf(ranked, tokenizer, longest);
    if (typeof found !== "string") pairs.push(...found);
    else {
      counts.kept--;
      countDropped(counts, found);
    }
  }
  if (pairs.length === 0)
    throw new NutshellError(
      "DATA",
      `${path}: must hold a pair to learn from, got none of at most ${longest} tokens. ` +
        "Raise --sequence-len or name another --data.",
    );
  const judged = await reference.logprobs(pairs.flat().map(({ ids }) => ids));
  const bundles = pairs.map((pair, p) =>
    pair.map((text, side) =>
      pairRow({ ...text, referenceLogprobs: judged[2 * p + side] as Float32Array }),
    ),
  );
  return { bundles, counts };
}

/** @returns why there are none, in a few words */
function pairsOf(
  ranked: RankedPrompt,
  tokenizer: Tokenizer,
  longest: number,
): (readonly [Text, Text])[] | string {
  if (splitOfMessages(ranked.prompt) === "test") return "held out";
  const texts = ranked.responses.map((response) => toText(ranked.prompt, response, tokenizer));
  const fits = ({ chosen, rejected }: { chosen: number; rejected: number }): boolean =>
    [chosen, rejected].every((index) => (texts[index] as Text).ids.length <= longest);
  const pairs = comparisonsOf(ranked).filter(fits);
  if (pairs.length === 0) return "too long";
  return pairs.map(({ chosen, rejected }) => [texts[chosen] as Text, texts[rejected] as Text]);
}

function toText(prompt: readonly Message[], content: string, tokenizer: Tokenizer): Text {
  const messages = [...prompt, { role: "assistant", content } as const];
  const { ids, mask } = renderConversation({ messages }, tokenizer);
  // Of a longer conversation only the answer that was ranked is learned.
  const start = renderConversation({ messages: prompt }, tokenizer).ids.length;
  return { ids, mask: mask.map((learned, i) => (i < start ? 0 : learned)).subarray(1) };
}

/** The step's pairs: each once an epoch, in an order that follows from (seed, epoch). */
export function drawPairs(
  bundles: readonly Bundle[],
  count: number,
  seed: number,
  step: number,
): Bundle[] {
  return Array.from({ length: count }, (_, i) => {
    const index = step * count + i;
    const epoch = Math.floor(index / bundles.length);
    const at = createPermutation(bundles.length, seed, PAIRS, epoch);
    return bundles[at(index % bundles.length)] as Bundle;
  });
}

/** Keeps this order apart from that of minibatches. */
const PAIRS = 0x70616972;
