/** `loss.svg` of stage 1: training loss above, held-out bits per byte below. */
import { measuredLine, noisyLines, renderChart } from "../run/chart.ts";
import type { EvalRecord, StepRecord } from "./metric-records.node.ts";

/** @param title one line above the panels */
export function renderLossCurve(
  title: string,
  steps: readonly StepRecord[],
  evals: readonly EvalRecord[],
): string {
  const loss = steps.map(({ step: x, loss: y }) => ({ x, y }));
  const bpb = evals.map(({ step: x, bpb: y }) => ({ x, y }));
  return renderChart(title, [
    { name: "training loss, nats per token", lines: noisyLines(loss) },
    { name: "held-out bits per byte", lines: [measuredLine(bpb)] },
  ]);
}
