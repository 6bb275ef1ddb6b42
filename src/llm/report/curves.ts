/**
 * Curves of every stage from the rows of its metrics: a table says which numbers belong to which
 * panel. A number that a run did not measure has no line, a panel without lines is left out.
 */
import {
  BLUE,
  type Line,
  measuredLine,
  namedLines,
  noisyLines,
  type Panel,
  type Point,
  renderChart,
} from "../run/chart.ts";
import { isNumber } from "./figures.ts";
import { type GrowRecord, type StageName, type StageRecord, stageTitles } from "./record.ts";

export interface Curve {
  readonly stage: StageName;
  readonly title: string;
  readonly svg: string;
}

/** Measured now and then, not at every step. */
const FEW = 60;

type PanelTable = Readonly<Record<string, Readonly<Record<string, string>>>>;

/** Panel → name of a line → where its number stands in a row of the metrics. */
const panels: Readonly<Record<StageName, PanelTable>> = {
  pretrain: {
    "loss, nats per token": { training: "loss", "held out": "valLoss" },
    "held-out bits per byte": { all: "bpb" },
  },
  sft: {
    "loss, nats per trained token": { training: "loss", "held out": "valLoss" },
    "held-out text, bits per byte": { all: "bpb" },
  },
  reward: {
    "loss, nats per prompt": { training: "loss", "held out": "held.loss" },
    "pairs ranked right": { training: "accuracy", "held out": "held.accuracy" },
  },
  rl: {
    "reward, mean of a step's replies": { reward: "reward" },
    "pass@1": { training: "grade", "held out": "pass.value" },
    "KL from the start model, nats a reply": { KL: "kl" },
    "entropy, nats a sampled token": { entropy: "entropy" },
    "length, sampled tokens a reply": { length: "length" },
  },
};

export function curvesOf({ stages }: GrowRecord): Curve[] {
  return stages.flatMap((stage) => {
    const drawn = Object.entries(panels[stage.name]).flatMap(([name, lines]) =>
      drawPanel(name, lines, stage),
    );
    const title = stageTitles[stage.name];
    return drawn.length === 0 ? [] : [{ stage: stage.name, title, svg: renderChart(title, drawn) }];
  });
}

/** One line needs no legend; it shows its numbers, and their mean where they are many. */
function drawPanel(
  name: string,
  lines: Readonly<Record<string, string>>,
  { metrics }: StageRecord,
): Panel[] {
  const series = Object.entries(lines)
    .map(([line, path]) => ({ name: line, points: pointsOf(metrics, path) }))
    .filter(({ points }) => points.length > 0);
  const [first, ...more] = series;
  if (first === undefined) return [];
  return [{ name, lines: more.length > 0 ? namedLines(series) : loneLines(first.points) }];
}

function loneLines(points: readonly Point[]): Line[] {
  return points.length < FEW ? [measuredLine(points, BLUE)] : noisyLines(points);
}

function pointsOf(metrics: StageRecord["metrics"], path: string): Point[] {
  return metrics.flatMap((row) => {
    const [x, y] = [row.step, numberAt(row, path)];
    return isNumber(x) && isNumber(y) ? [{ x, y }] : [];
  });
}

function numberAt(row: Readonly<Record<string, unknown>>, path: string): unknown {
  let value: unknown = row;
  for (const key of path.split(".")) value = (value as Record<string, unknown> | undefined)?.[key];
  return value;
}
