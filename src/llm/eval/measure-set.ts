/** One evaluation set on one model: each form of question has its own way of asking and scoring. */
import type { DataSet } from "./data-sets.ts";
import type { EvalItem } from "./items.ts";
import type { Measure, MeasureContext, Measured } from "./measure.ts";
import { measureChoice } from "./measure-choice.ts";
import { measureContinuation } from "./measure-continuation.ts";
import { measureOpen } from "./measure-open.ts";
import { readItems, type Sampled } from "./read-items.node.ts";

type MeasureItems = (
  set: DataSet,
  sampled: readonly Sampled[],
  context: MeasureContext,
) => Promise<Measured>;

const byKind: Readonly<Record<EvalItem["kind"], MeasureItems>> = {
  choice: measureChoice,
  schema: measureChoice,
  continuation: measureContinuation,
  open: measureOpen,
};

export function measureSet(set: DataSet): Measure {
  return async (context) => {
    const { data, asked } = context;
    if (data === undefined) return skip(set, "no folder of evaluation sets; name one with --data");
    const options = { ...asked, shots: asked.shots ?? set.shots };
    const sampled = await readItems(data, set, options);
    if (sampled === undefined) return skip(set, `no ${set.file} in ${data}`);
    const [first] = sampled;
    if (first === undefined) return skip(set, `no held-out row in ${set.file}`);
    return byKind[first.item.kind](set, sampled, context);
  };
}

function skip({ name }: DataSet, reason: string): Measured {
  return { skipped: [{ name, reason }] };
}
