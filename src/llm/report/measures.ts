/**
 * Rows of the models' evaluations beside each other. A row is recognised by suite and name, so one
 * that an evaluation adds appears by itself.
 */
import type { EvalReport, EvalRow } from "../eval/report.ts";
import { type GrowRecord, type ModelName, modelNames } from "./record.ts";

/** One measure of all models that have it. */
export interface Measured {
  readonly suite: string;
  readonly name: string;
  readonly unit: EvalRow["unit"];
  readonly chance: number | undefined;
  readonly rows: Readonly<Partial<Record<ModelName, EvalRow>>>;
  /** Present when its interval lies apart from the interval of every other model. */
  readonly best: ModelName | undefined;
}

const lowerIsBetter: ReadonlySet<EvalRow["unit"]> = new Set(["bits/byte", "perplexity"]);

/** The models that were measured, in order. */
export function measuredModels({ evals }: GrowRecord): [ModelName, EvalReport][] {
  return modelNames.flatMap((name): [ModelName, EvalReport][] => {
    const report = evals[name];
    return report === undefined ? [] : [[name, report]];
  });
}

/** Of the last stage that was measured: what the run was for. */
export function finalModel(record: GrowRecord): [ModelName, EvalReport] | undefined {
  return measuredModels(record).at(-1);
}

/** In the order in which the models' rows come. */
export function measuresOf(record: GrowRecord): Measured[] {
  const found = new Map<string, Partial<Record<ModelName, EvalRow>>>();
  for (const [model, { rows }] of measuredModels(record))
    for (const row of rows) {
      const key = keyOf(row);
      found.set(key, { ...found.get(key), [model]: row });
    }
  return [...found.values()].map(toMeasured);
}

/** Unique in an evaluation. */
export function keyOf({ suite, name }: { suite: string; name: string }): string {
  return `${suite}\n${name}`;
}

function toMeasured(rows: Partial<Record<ModelName, EvalRow>>): Measured {
  const { suite, name, unit } = Object.values(rows)[0] as EvalRow;
  const chance = Object.values(rows).find((row) => row.chance !== undefined)?.chance;
  return { suite, name, unit, chance, rows, best: bestOf(rows) };
}

function bestOf(rows: Partial<Record<ModelName, EvalRow>>): ModelName | undefined {
  const present = Object.entries(rows) as [ModelName, EvalRow][];
  if (present.length < 2) return undefined;
  return present.find(([model, row]) =>
    present.every(([other, against]) => other === model || isBetter(row, against)),
  )?.[0];
}

/** Whether `row` is better than `against` by more than both intervals allow for. */
export function isBetter(row: EvalRow, against: EvalRow): boolean {
  return lowerIsBetter.has(row.unit) ? row.high < against.low : row.low > against.high;
}
