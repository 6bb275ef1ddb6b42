/**
 * Conversations of all supplies → tokens with masks: what an epoch trains on, and what is held
 * out. A function of the supplies, the tokenizer and the configuration alone. Nothing is left out
 * without being counted under a reason.
 */
import { createHash } from "node:crypto";
import { setImmediate } from "node:timers/promises";
import { NutshellError } from "../../error.ts";
import type { Conversation } from "../chat/conversation.ts";
import { renderConversation } from "../chat/template.ts";
import { createPermutation } from "../data/sampling/permutation.ts";
import { countDropped, createRowCounts, type RowCounts } from "../tasks/row-counts.ts";
import type { Tokenizer } from "../tokenizer/tokenizer.ts";
import { DEFAULT_CONVERSATIONS } from "./config.ts";
import { type ConversationPool, createConversationPool } from "./conversation-pool.ts";
import { fitConversation } from "./fit.ts";
import { quotasOf } from "./quotas.ts";
import type { Supply } from "./supply.ts";

export interface GatherOptions {
  /** T + 1. */
  readonly rowTokens: number;
  /** Of an epoch; absent = all of the files, or `DEFAULT_CONVERSATIONS` where a task makes them. */
  readonly conversations: number | undefined;
  /** Held-out ones of each supply, at most. */
  readonly evalConversations: number;
  readonly seed: number;
}

export interface GatheredSource {
  readonly supply: Supply;
  readonly counts: RowCounts;
  /** Conversations whose end without an answer was cut off. */
  readonly cut: number;
  /** What trains, in the order of an epoch before packing. */
  readonly train: ConversationPool;
  readonly held: ConversationPool;
  /** Numbers of `train` that an epoch takes. */
  readonly chosen: readonly number[];
}

export interface Told {
  status(line: string): void;
}

/** Between two looks at the signal. */
const PAUSE = 256;

interface Filling {
  readonly supply: Supply;
  readonly counts: RowCounts;
  readonly train: ConversationPool;
  readonly held: ConversationPool;
  cut: number;
}

/** @throws DATA when nothing is left to learn from; the signal's reason when aborted */
export async function gatherConversations(
  supplies: readonly Supply[],
  tokenizer: Tokenizer,
  options: GatherOptions,
  talk: Told,
  signal: AbortSignal,
): Promise<GatheredSource[]> {
  const fillings = supplies.map(
    (supply): Filling => ({
      ...{ supply, counts: createRowCounts(), cut: 0 },
      ...{ train: createConversationPool(), held: createConversationPool() },
    }),
  );
  const pour = createPourer(tokenizer, options, talk, signal);
  for (const filling of fillings) await pour.readAll(filling);
  const endless = supplies.some(({ make }) => make !== undefined);
  const total = options.conversations ?? (endless ? DEFAULT_CONVERSATIONS : Infinity);
  const available = fillings.map(({ supply, train }) =>
    supply.make === undefined ? train.count : Infinity,
  );
  const weights = supplies.map(({ weight }) => weight);
  const quotas = quotasOf(weights, available, total);
  for (const [i, filling] of fillings.entries()) await pour.makeAll(filling, quotas[i] as number);
  const gathered = fillings.map((filling, i) => ({
    ...filling,
    chosen: choose(filling.train.count, quotas[i] as number, options.seed, i),
  }));
  requireAny(gathered);
  return gathered;
}

interface Pourer {
  /** Reads a file to its end; held-out ones beyond those that are asked for are passed over. */
  readAll(filling: Filling): Promise<void>;
  /** Makes `quota` conversations to train on and the held-out ones. */
  makeAll(filling: Filling, quota: number): Promise<void>;
}

function createPourer(
  tokenizer: Tokenizer,
  { rowTokens, evalConversations, seed }: GatherOptions,
  talk: Told,
  signal: AbortSignal,
): Pourer {
  let seen = 0;
  const pause = async (name: string): Promise<void> => {
    if (++seen % PAUSE !== 0) return;
    talk.status(`preparing conversations | ${seen.toLocaleString("en-US")} | ${name}`);
    await setImmediate();
    signal.throwIfAborted();
  };
  const pour = (conversation: Conversation, filling: Filling, pool: ConversationPool): void => {
    const fitted = tryRender(conversation, tokenizer, rowTokens);
    if (typeof fitted === "string") {
      countDropped(filling.counts, fitted);
      return;
    }
    filling.counts.kept++;
    if (fitted.cut) filling.cut++;
    pool.add(fitted.rendered);
  };
  return {
    async readAll(filling) {
      const { supply, counts, train, held } = filling;
      if (supply.read === undefined) return;
      const own = createRowCounts();
      for await (const { conversation, split } of supply.read(own)) {
        await pause(supply.name);
        if (split === "train") pour(conversation, filling, train);
        else if (held.count < evalConversations) pour(conversation, filling, held);
        else countDropped(counts, "held out and not needed");
      }
      counts.rows = own.rows;
      for (const [reason, count] of own.dropped)
        counts.dropped.set(reason, (counts.dropped.get(reason) ?? 0) + count);
    },
    async makeAll(filling, quota) {
      const { supply, counts, train, held } = filling;
      if (supply.make === undefined) return;
      const fill = async (pool: ConversationPool, wanted: number, split: "train" | "test") => {
        // A task whose problems do not fit ends in a few attempts, not never.
        for (let i = 0; pool.count < wanted && i < 2 * wanted + PAUSE; i++) {
          await pause(supply.name);
          counts.rows++;
          pour((supply.make as NonNullable<Supply["make"]>)(i, split, seed), filling, pool);
        }
      };
      await fill(train, quota, "train");
      await fill(held, quota === 0 ? 0 : evalConversations, "test");
    },
  };
}

/** @returns why a conversation is left out, where it is */
function tryRender(
  conversation: Conversation,
  tokenizer: Tokenizer,
  rowTokens: number,
): ReturnType<typeof fitConversation> | "messages out of order" {
  try {
    return fitConversation(renderConversation(conversation, tokenizer), rowTokens);
  } catch (error) {
    // A row of somebody's file; a task's own conversation is always sound.
    if (error instanceof NutshellError && error.code === "DATA") return "messages out of order";
    throw error;
  }
}

/** Which of `count` an epoch takes: all, or `quota` of them drawn by the seed. */
function choose(count: number, quota: number, seed: number, source: number): number[] {
  const order = createPermutation(Math.max(1, count), seed, CHOICE, source);
  return Array.from({ length: Math.min(count, quota) }, (_, i) => order(i));
}

/** Tells these draws apart from other permutations under the same seed. */
const CHOICE = 0x63686f;

function requireAny(gathered: readonly GatheredSource[]): void {
  if (gathered.some(({ chosen }) => chosen.length > 0)) return;
  const seen = gathered.map(({ supply, counts, held }) => {
    const reasons = [...counts.dropped, ["held out", held.count] as const]
      .filter(([, count]) => count > 0)
      .map(([reason, count]) => `, ${count} ${reason}`);
    return `${supply.name}: ${counts.rows} rows${reasons.join("")}`;
  });
  throw new NutshellError(
    "DATA",
    `sft: there must be a conversation to learn from, got none (${seen.join("; ") || "no source"}). ` +
      "Give others with --data, or longer rows with --sequence-len.",
  );
}

/** SHA-256 over every token that training draws, in its order. */
export function hashConversations(gathered: readonly GatheredSource[]): string {
  const hash = createHash("sha256");
  for (const { supply, train, chosen } of gathered) {
    hash.update(`${supply.name} ${chosen.length}\n`);
    for (const i of chosen) {
      const { buffer, byteOffset, byteLength } = train.coded(i);
      hash.update(new Uint8Array(buffer, byteOffset, byteLength));
    }
  }
  return hash.digest("hex");
}
