/**
 * Arithmetic by ways of thinking, over the length of the numbers: at once (system 1), step by step
 * (system 2), through the tool. Drawn from rows named "solved: WAY, N digits".
 */
import { namedLines, type Point, renderChart } from "../run/chart.ts";
import type { Block } from "./document.ts";
import { finalModel } from "./measures.ts";
import { type GrowRecord, modelTitles } from "./record.ts";

const NAME = /^solved: (.+), (\d+) digits?$/;

/** @returns the figure of the last model, or nothing without such rows */
export function digitsChart(record: GrowRecord): Extract<Block, { kind: "figure" }>[] {
  const [model, report] = finalModel(record) ?? [];
  const ways = new Map<string, Point[]>();
  for (const { name, value } of report?.rows ?? []) {
    const [, way, digits] = NAME.exec(name) ?? [];
    if (way === undefined) continue;
    ways.set(way, [...(ways.get(way) ?? []), { x: Number(digits), y: value }]);
  }
  if (model === undefined || ways.size === 0) return [];
  const series = [...ways].map(([name, points]) => ({ name, points }));
  const title = `Arithmetic of the ${modelTitles[model]} model, by way of thinking`;
  const panel = { name: "share solved", lines: namedLines(series) };
  const svg = renderChart(title, [panel], "digits of each number");
  return [{ kind: "figure", file: "report-digits.svg", title, svg }];
}
