/**
 * How well held-out text is foretold, for each domain of a prepared folder: bits per byte, which
 * models with other vocabularies share, and perplexity per token, which they do not. The error bar
 * is over rows, since tokens of one row are not independent.
 */
import { NutshellError } from "../../error.ts";
import { type ValidationBatch, validationBatches } from "../data/sampling/validation.ts";
import { openPrepared } from "../data/shards/prepared-folder.node.ts";
import type { TokenSource } from "../data/shards/token-documents.ts";
import { tokenByteCounts } from "../tokenizer/tokenizer.ts";
import { bootstrap } from "./intervals.ts";
import type { MeasureContext, Measured, MeasuredRow } from "./measure.ts";
import { perplexity } from "./measure-continuation.ts";

/** Rows read at a time. */
const ROWS = 16;

interface RowTotals {
  readonly nats: number;
  readonly tokens: number;
  readonly bytes: number;
}

export async function measureText(context: MeasureContext): Promise<Measured> {
  const folder = context.asked.text;
  if (folder === undefined)
    return {
      skipped: [{ name: "bits per byte", reason: "no prepared folder; name one with --text" }],
    };
  using prepared = openPrepared(folder);
  requireSameTokenizer(folder, prepared.tokenizerJson, context);
  const held = prepared.sources.filter(({ validation }) => validation.tokens.length > 1);
  const rows: MeasuredRow[] = [];
  for (const [i, source] of held.entries()) {
    context.tell(i, held.length);
    rows.push(...sourceRows(source.name, await rowTotals(source, context), context.asked.seed));
  }
  return { rows };
}

/** Ids of one vocabulary mean nothing in another. */
function requireSameTokenizer(
  folder: string,
  tokenizerJson: string,
  { subject }: MeasureContext,
): void {
  if (canonical(tokenizerJson) === canonical(subject.tokenizerJson)) return;
  throw new NutshellError(
    "DATA",
    `${folder}: must be prepared with the model's own tokenizer, got another one. ` +
      "Name the folder that the model was trained on.",
  );
}

/** Without what only a writer of JSON chooses. */
function canonical(json: string): string {
  return JSON.stringify(JSON.parse(json));
}

/** At most `maxRows` rows, spread evenly over the held-out side. */
async function rowTotals(
  { validation, bos }: TokenSource,
  { subject, asked, signal }: MeasureContext,
): Promise<RowTotals[]> {
  const scorer = subject.scorer();
  const tokenBytes = tokenByteCounts(subject.tokenizer);
  const shape = { batchSize: ROWS, sequenceLen: subject.contextLen };
  const maxBatches = Math.ceil(asked.maxRows / ROWS);
  const options = { documents: validation, bos, tokenBytes, ...shape, maxBatches };
  const totals: RowTotals[] = [];
  for (const batch of validationBatches(options)) {
    signal.throwIfAborted();
    const logprobs = await scorer.logprobs(toRows(batch, subject.contextLen));
    for (const [b, row] of logprobs.entries()) totals.push(totalsOf(row, batch, b, tokenBytes));
  }
  return totals.filter(({ tokens }) => tokens > 0);
}

/** Inputs of a row and the last target; where that does not count, any token stands for it. */
function toRows({ inputs, targets }: ValidationBatch, T: number): Int32Array[] {
  return Array.from({ length: inputs.length / T }, (_, b) => {
    const row = new Int32Array(T + 1);
    row.set(inputs.subarray(b * T, (b + 1) * T));
    row[T] = Math.max(0, targets[(b + 1) * T - 1] as number);
    return row;
  });
}

function totalsOf(
  logprobs: Float32Array,
  { targets }: ValidationBatch,
  b: number,
  tokenBytes: Int32Array,
): RowTotals {
  const totals = { nats: 0, tokens: 0, bytes: 0 };
  for (const [t, logprob] of logprobs.entries()) {
    const target = targets[b * logprobs.length + t] as number;
    if (target < 0) continue;
    totals.nats -= logprob;
    totals.tokens++;
    totals.bytes += tokenBytes[target] as number;
  }
  return totals;
}

function sourceRows(name: string, rows: readonly RowTotals[], seed: number): MeasuredRow[] {
  if (rows.length === 0) return [];
  const perByte = rows.map(({ nats, bytes }) => ({ sum: nats / Math.LN2, count: bytes }));
  const perToken = rows.map(({ nats, tokens }) => ({ sum: nats, count: tokens }));
  const bits = bootstrap(perByte, seed);
  return [
    { name: `bits per byte: ${name}`, ...bits, unit: "bits/byte", examples: [] },
    perplexity(`perplexity: ${name}`, bootstrap(perToken, seed)),
  ];
}
