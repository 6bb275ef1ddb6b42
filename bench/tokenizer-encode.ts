/**
 * The encoding part of bench:tokenizer. Ids of every contender are compared with ours first, which
 * is the warm-up as well; then they take turns, every round beginning with another one.
 */
import type { CommandIo } from "../src/cli/command.ts";
import { median, significant } from "./report.ts";
import { type Contender, openContest } from "./tokenizer-peers.ts";
import { mixedText } from "./tokenizer-text.ts";

/** The flags of bench:tokenizer. */
export interface BenchValues {
  readonly rounds: number;
  readonly megabytes: number;
  readonly trainMegabytes: number;
  readonly threads: number;
}

/** A peer that is not half as fast as the fastest is timed on one document in this many. */
const SLOW_STEP = 8;

/** Documents of one origin. */
interface Group {
  readonly origin: string;
  readonly documents: readonly string[];
  readonly megabytes: number;
}

interface Timed {
  readonly contender: Contender;
  readonly groups: readonly Group[];
  /** Of every round, of every group. */
  readonly seconds: number[][];
}

export async function encodePart(
  { rounds, megabytes }: BenchValues,
  io: CommandIo,
): Promise<object> {
  const { documents, bytes, origins, counts } = await mixedText(megabytes * 1e6);
  let next = 0;
  const groups = Object.keys(origins).map((origin, i): Group => {
    const own = documents.slice(next, next + (counts[i] as number));
    next += own.length;
    return { origin, documents: own, megabytes: megabytesOf(own) };
  });
  const encode: Record<string, object> = {};
  const worst: Record<string, number> = {};
  for (const index of [0, 1]) {
    const { vocabulary, ours, peers } = openContest(index);
    const contenders = prepare(ours, peers, groups, io);
    await takeTurns(contenders, rounds, io);
    encode[vocabulary] = ratesOf(contenders);
    for (const [at, name] of ["all", ...Object.keys(origins)].entries()) {
      const ratio = ratioOf(contenders, at === 0 ? undefined : at - 1);
      worst[name] = Math.min(worst[name] ?? Number.POSITIVE_INFINITY, ratio);
    }
  }
  const { all: ratio, ...ratio_by_origin } = worst;
  const text = { mb: significant(bytes / 1e6), documents: documents.length, origins };
  return { encode_mb_per_s: encode, ratio, ratio_by_origin, text };
}

/** MB/s of each contender on all text, and ours over the fastest of the others. */
function ratesOf(contenders: readonly Timed[]): Record<string, number> {
  const rates = contenders.map((timed) => [timed.contender.name, significant(rateOf(timed))]);
  return { ...Object.fromEntries(rates), ratio: ratioOf(contenders) };
}

function ratioOf([ours, ...peers]: readonly Timed[], group?: number): number {
  const fastest = Math.max(...peers.map((peer) => rateOf(peer, group)));
  return significant(rateOf(ours as Timed, group) / fastest, 3);
}

/** MB/s by the median round. @param group of one group; absent: of all, in their proportions */
function rateOf({ groups, seconds }: Timed, group?: number): number {
  if (group !== undefined) {
    return (groups[group] as Group).megabytes / median(seconds.map((row) => row[group] as number));
  }
  const totals = seconds.map((row) => row.reduce((sum, one) => sum + one, 0));
  return groups.reduce((sum, { megabytes }) => sum + megabytes, 0) / median(totals);
}

function thinned(groups: readonly Group[]): Group[] {
  return groups.map(({ origin, documents }) => {
    const own = documents.filter((_, i) => i % SLOW_STEP === 0);
    return { origin, documents: own, megabytes: megabytesOf(own) };
  });
}

/** Compares all ids with ours. @throws when some differ: then there is nothing to time */
function prepare(
  ours: Contender,
  peers: readonly Contender[],
  groups: readonly Group[],
  io: CommandIo,
): Timed[] {
  const few = thinned(groups);
  const tried = peers.map((contender): Timed => {
    return { contender, groups: few, seconds: [secondsFor(contender, few)] };
  });
  const fastest = Math.max(...tried.map((timed) => rateOf(timed)));
  const all = tried.map((timed): Timed => {
    const own = rateOf(timed) >= fastest / 2 ? groups : few;
    const documents = own.flatMap((group) => group.documents);
    compareIds(timed.contender, documents, (i) => ours.encode(documents[i] as string));
    io.stderr(`${timed.contender.name}: the same ids in ${documents.length} documents\n`);
    return { contender: timed.contender, groups: own, seconds: [] };
  });
  return [{ contender: ours, groups, seconds: [] }, ...all];
}

export function compareIds(
  { name, encode }: Contender,
  documents: readonly string[],
  idsOf: (document: number) => ArrayLike<number>,
): void {
  for (const [i, text] of documents.entries()) {
    const theirs = encode(text);
    const ours = idsOf(i);
    if (theirs.length === ours.length && theirs.every((id, at) => id === ours[at])) continue;
    throw new Error(`${name} encodes ${JSON.stringify(text.slice(0, 80))} in another way`);
  }
}

async function takeTurns(timed: readonly Timed[], rounds: number, io: CommandIo): Promise<void> {
  for (let round = 0; round < rounds; round++) {
    for (let turn = 0; turn < timed.length; turn++) {
      io.signal.throwIfAborted();
      const { contender, groups, seconds } = timed[(round + turn) % timed.length] as Timed;
      seconds.push(secondsFor(contender, groups));
    }
    const last = timed.map(({ contender, groups, seconds }) => {
      const rate = rateOf({ contender, groups, seconds: seconds.slice(-1) });
      return `${contender.name} ${significant(rate, 3)}`;
    });
    io.stderr(`${round + 1}/${rounds}: MB/s ${last.join(", ")}\n`);
  }
}

function secondsFor({ encode }: Contender, groups: readonly Group[]): number[] {
  return groups.map(({ documents }) => {
    const start = performance.now();
    for (const text of documents) encode(text);
    return (performance.now() - start) / 1000;
  });
}

export const megabytesOf = (documents: readonly string[]): number =>
  documents.reduce((sum, text) => sum + Buffer.byteLength(text), 0) / 1e6;
