/** `reward.svg` of stage 3: training loss above, shares of pairs ranked right below. */
import { measuredLine, noisyLines, renderChart } from "../run/chart.ts";
import type { EvalRecord, StepRecord } from "./metric-records.node.ts";

/** @param title one line above the panels */
export function renderRewardCurve(
  title: string,
  steps: readonly StepRecord[],
  evals: readonly EvalRecord[],
): string {
  const loss = steps.map(({ step: x, loss: y }) => ({ x, y }));
  const accuracy = steps.map(({ step: x, accuracy: y }) => ({ x, y }));
  const held = evals.map(({ step: x, held: { accuracy: y } }) => ({ x, y }));
  return renderChart(title, [
    { name: "training loss, nats per prompt", lines: noisyLines(loss) },
    {
      name: "pairs ranked right: training (thin, with its mean) and held-out (dots)",
      lines: [...noisyLines(accuracy), measuredLine(held)],
    },
  ]);
}
