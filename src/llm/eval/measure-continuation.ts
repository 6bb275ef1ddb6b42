/**
 * Language modelling as a question: right when the likeliest token is the true one, all the way
 * through the ending. A greedy run is stopped at its first wrong token, so most endings cost one.
 */
import type { BatchRequest } from "../inference/batch-generator.ts";
import type { DataSet } from "./data-sets.ts";
import { bootstrap, type Estimate, wilson } from "./intervals.ts";
import type { ContinuationItem } from "./items.ts";
import {
  dropped,
  type MeasureContext,
  type Measured,
  type MeasuredRow,
  shareRow,
} from "./measure.ts";
import type { Sampled } from "./read-items.node.ts";
import type { EvalExample } from "./report.ts";
import type { Subject } from "./subject.node.ts";
import { plainTokens, withFittingShots } from "./wording.ts";

interface Ending {
  readonly item: ContinuationItem;
  readonly row: readonly number[];
  /** Where the ending begins in the row. */
  readonly start: number;
}

export async function measureContinuation(
  set: DataSet,
  sampled: readonly Sampled[],
  context: MeasureContext,
): Promise<Measured> {
  const { subject, asked } = context;
  const endings = sampled.flatMap((one) => tryEnding(set, one, subject));
  if (endings.length === 0)
    return { skipped: [{ name: set.name, reason: "no row fits the model's context" }] };
  const said = await sayGreedily(endings, context);
  const right = said.map((ids, i) => isWhole(ids, endings[i] as Ending));
  const shown = endings
    .slice(0, asked.examples)
    .map((ending, i) => toExample(ending, said[i] ?? [], right[i] ?? false, subject));
  const left = dropped(sampled.length - endings.length);
  const accuracy = wilson(right.filter(Boolean).length, right.length);
  const rows: MeasuredRow[] = [shareRow(set.name, accuracy, shown, left)];
  if (set.perplexity) rows.push(await perplexityRow(set, endings, context));
  return { rows };
}

function tryEnding(set: DataSet, { item, shots }: Sampled, subject: Subject): Ending[] {
  const continuation = item as ContinuationItem;
  const { context, ending } = continuation;
  const row = withFittingShots(
    shots,
    subject.contextLen,
    (fewer) => ({
      whole: plainTokens(set, subject, context, fewer, ending),
      before: plainTokens(set, subject, context, fewer, ""),
    }),
    ({ whole }) => whole.length,
  );
  if (row === undefined) return [];
  const start = Math.max(1, sharedStart(row.whole, row.before));
  return start < row.whole.length ? [{ item: continuation, row: row.whole, start }] : [];
}

/** The last token before an ending may be another one with it; what differs is the ending's. */
function sharedStart(whole: readonly number[], before: readonly number[]): number {
  let shared = 0;
  while (shared < before.length && whole[shared] === before[shared]) shared++;
  return shared;
}

/** @returns what was said in place of each ending, up to the first wrong token */
async function sayGreedily(
  endings: readonly Ending[],
  { subject, signal, tell }: MeasureContext,
): Promise<number[][]> {
  const said = Array.from(endings, (): number[] => []);
  let done = 0;
  const generator = subject.generator();
  for await (const { index, trajectory } of generator.generate(endings.map(toRequest), {
    signal,
  })) {
    signal.throwIfAborted();
    said[index] = [...trajectory.ids.subarray(trajectory.promptLength)];
    tell(++done, endings.length);
  }
  signal.throwIfAborted();
  return said;
}

function toRequest({ row, start }: Ending): BatchRequest {
  let at = start;
  return {
    prompt: row.slice(0, start),
    seed: 0,
    temperature: 0,
    maxTokens: row.length - start,
    follow: (id) => (id === row[at++] && at < row.length ? "go" : "stop"),
  };
}

function isWhole(ids: readonly number[], { row, start }: Ending): boolean {
  return ids.length === row.length - start && ids.every((id, i) => id === row[start + i]);
}

function toExample(
  { item }: Ending,
  ids: readonly number[],
  right: boolean,
  { tokenizer }: Subject,
): EvalExample {
  const [prompt, reply] = [item.context, tokenizer.decode(ids)];
  return { prompt, reply, expected: item.ending, grade: right ? 1 : 0 };
}

/** Of the endings' tokens, e to the mean nats of one. */
async function perplexityRow(
  set: DataSet,
  endings: readonly Ending[],
  { subject, asked: { seed } }: MeasureContext,
): Promise<MeasuredRow> {
  const logprobs = await subject.scorer().logprobs(endings.map(({ row }) => row));
  const groups = endings.map(({ start }, i) => {
    const own = (logprobs[i] as Float32Array).subarray(start - 1);
    return { sum: -own.reduce((sum, logprob) => sum + logprob, 0), count: own.length };
  });
  return perplexity(`${set.name} perplexity`, bootstrap(groups, seed));
}

/** @param nats per token */
export function perplexity(name: string, nats: Estimate): MeasuredRow {
  const [value, low, high] = [nats.value, nats.low, nats.high].map(Math.exp) as [
    number,
    number,
    number,
  ];
  return { name, ...nats, value, low, high, unit: "perplexity", examples: [] };
}
