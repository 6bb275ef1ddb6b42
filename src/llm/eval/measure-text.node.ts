/**
 * How well held-out text is foretold, for each domain of a prepared folder: bits per byte, which
 * models with other vocabularies share, and perplexity per token, which they do not. The error bar
 * is over rows, since tokens of one row are not independent.
 */
import { type ValidationBatch, validationBatches } from "../data/sampling/validation.ts";
import { openPrepared } from "../data/shards/prepared-folder.node.ts";
import type { TokenSource } from "../data/shards/token-documents.ts";
import { requireSameTokenizer } from "../run/same-tokenizer.ts";
import { tokenByteCounts } from "../tokenizer/tokenizer.ts";
import { bootstrap } from "./intervals.ts";
import type { MeasureContext, Measured, MeasuredRow } from "./measure.ts";
import { perplexity } from "./measure-continuation.ts";

/** Rows scored in one call. */
const AT_ONCE = 64;

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
  requireSameTokenizer(folder, prepared.tokenizerJson, context.subject.tokenizerJson);
  const held = prepared.sources.filter(({ validation }) => validation.tokens.length > 1);
  const rows: MeasuredRow[] = [];
  for (const [i, source] of held.entries()) {
    context.tell(i, held.length);
    rows.push(...sourceRows(source.name, await rowTotals(source, context), context.asked.seed));
  }
  return { rows };
}

/** At most `maxRows` rows, spread evenly over the held-out side. */
async function rowTotals(
  { validation, bos }: TokenSource,
  { subject, asked, signal }: MeasureContext,
): Promise<RowTotals[]> {
  const tokenBytes = tokenByteCounts(subject.tokenizer);
  const shape = { batchSize: 1, sequenceLen: subject.contextLen, maxBatches: asked.maxRows };
  const rows = validationBatches({ documents: validation, bos, tokenBytes, ...shape });
  const totals: RowTotals[] = [];
  let some: ValidationBatch[] = [];
  const score = async (): Promise<void> => {
    const logprobs = await subject.scorer().logprobs(some.map(toRow));
    for (const [i, row] of some.entries())
      totals.push(totalsOf(logprobs[i] as Float32Array, row, tokenBytes));
    some = [];
  };
  for (const row of rows) {
    signal.throwIfAborted();
    if (some.push(row) === AT_ONCE) await score();
  }
  await score();
  return totals.filter(({ tokens }) => tokens > 0);
}

/** Inputs of a row and the last target; where that does not count, any token stands for it. */
function toRow({ inputs, targets }: ValidationBatch): Int32Array {
  return Int32Array.from([...inputs, Math.max(0, targets.at(-1) as number)]);
}

function totalsOf(
  logprobs: Float32Array,
  { targets }: ValidationBatch,
  tokenBytes: Int32Array,
): RowTotals {
  const totals = { nats: 0, tokens: 0, bytes: 0 };
  for (const [t, logprob] of logprobs.entries()) {
    const target = targets[t] as number;
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
