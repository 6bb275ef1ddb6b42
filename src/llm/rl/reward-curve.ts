/** `reward.svg` of stage 4: reward and pass@1, KL, entropy and length over the steps. */
import { measuredLine, noisyLines, type Panel, type Point, renderChart } from "../run/chart.ts";
import type { EvalRecord, StepRecord } from "./metric-records.node.ts";

/** @param title one line above the panels */
export function renderRewardCurve(
  title: string,
  steps: readonly StepRecord[],
  evals: readonly EvalRecord[],
): string {
  const panel = (name: string, read: (record: StepRecord) => number): Panel => ({
    name,
    lines: noisyLines(steps.map((record) => ({ x: record.step, y: read(record) }))),
  });
  const pass = evals.map(({ step, pass: { value } }): Point => ({ x: step, y: value }));
  return renderChart(title, [
    panel("mean reward of the rollouts", ({ reward }) => reward),
    { name: "held-out pass@1", lines: [measuredLine(pass)] },
    panel("KL to the start model, nats a reply", ({ kl }) => kl),
    panel("entropy, nats a token", ({ entropy }) => entropy),
    panel("length, sampled tokens a reply", ({ length }) => length),
  ]);
}
