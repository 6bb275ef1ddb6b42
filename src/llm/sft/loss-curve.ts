/** `loss.svg` of stage 2: training loss above, held-out loss below, then held-out text. */
import { measuredLine, noisyLines, renderChart } from "../run/chart.ts";
import type { EvalRecord, StepRecord } from "./metric-records.node.ts";

/** @param title one line above the panels */
export function renderLossCurve(
  title: string,
  steps: readonly StepRecord[],
  evals: readonly EvalRecord[],
): string {
  const loss = steps.map(({ step: x, loss: y }) => ({ x, y }));
  const held = evals.map(({ step: x, valLoss: y }) => ({ x, y }));
  const text = evals.flatMap(({ step: x, bpb: y }) => (y === undefined ? [] : [{ x, y }]));
  return renderChart(title, [
    { name: "training loss, nats per learned token", lines: noisyLines(loss) },
    { name: "held-out loss, nats per learned token", lines: [measuredLine(held)] },
    ...(text.length === 0
      ? []
      : [{ name: "held-out text, bits per byte", lines: [measuredLine(text)] }]),
  ]);
}
