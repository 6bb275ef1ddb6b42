/**
 * Where a run is weak, by rules over its own numbers; no sentence of it is written for a run. Each
 * rule has a name that says what it looks for and the findings it made.
 */
import type { EvalReport, EvalRow } from "../eval/report.ts";
import { formatInterval, formatValue, isNumber } from "./figures.ts";
import { finalModel, isBetter, measuredModels, measuresOf } from "./measures.ts";
import { keepPromises, type Rate, rateOf, stagePromises } from "./promises.ts";
import { type GrowRecord, type ModelName, modelTitles, type StageRecord } from "./record.ts";
import { type Json, toJsonObject } from "./snake-case.ts";

export interface Weakness {
  readonly rule: string;
  readonly findings: readonly string[];
}

type Row = Readonly<Record<string, unknown>>;

/** Rows below this share may be among the lowest. */
const HIGH = 0.9;
const LOWEST = 6;
const COIN = 0.5;
/** Counters of what a stage could not use, by their names. */
const lost = /^cut_|^lost_|trunc|dropped|masked|skipped|malformed|zero_?variance|too_?long/i;

const rules: Readonly<Record<string, (record: GrowRecord) => string[]>> = {
  [`The lowest shares of the last model, below ${HIGH}`]: lowest,
  "Not above guessing: chance lies in the interval or over it": atChance,
  "Worse than the model before, with intervals apart": worse,
  "Pass@1 on the task of RL not raised with intervals apart": notRaised,
  "Warnings while training": warnings,
  "Left out, cut or skipped": losses,
};

/** Rules that found something. */
export function weaknesses(record: GrowRecord): Weakness[] {
  return Object.entries(rules)
    .map(([rule, find]) => ({ rule, findings: find(record) }))
    .filter(({ findings }) => findings.length > 0);
}

function lowest(record: GrowRecord): string[] {
  const [model, report] = finalModel(record) ?? [];
  if (model === undefined || report === undefined) return [];
  const shares = report.rows.filter(({ unit, value }) => unit === "share" && value < HIGH);
  const sorted = shares.toSorted((a, b) => a.value - b.value);
  const found = sorted.slice(0, LOWEST).map((row) => describe(model, row));
  const more = sorted.length - found.length;
  return more > 0 ? [...found, `and ${more} more`] : found;
}

/** Of each measure, the last model that has it. */
function atChance(record: GrowRecord): string[] {
  const models = measuredModels(record).map(([name]) => name);
  const rows = measuresOf(record).flatMap((measured) => {
    const model = models.findLast((name) => measured.rows[name] !== undefined) as ModelName;
    const row = measured.rows[model] as EvalRow;
    if (row.chance === undefined || row.low > row.chance) return [];
    return [`${describe(model, row)}, chance ${formatValue(row.chance, row.unit)}`];
  });
  return [...rows, ...record.stages.flatMap(rewardAtChance)];
}

/** A reward model that ranks a pair by a coin is right half of the time. */
function rewardAtChance({ name, result }: StageRecord): string[] {
  if (name !== "reward") return [];
  const found = toJsonObject(result);
  const { accuracy, low, high } = keepPromises(stagePromises.reward, found);
  const parts: Readonly<Record<string, Json | undefined>> = {
    "where the shorter answer is the better one": found.shorter_better_accuracy,
    "where the longer answer is the better one": found.longer_better_accuracy,
  };
  const weak = Object.entries(parts).flatMap(([where, value]) =>
    isNumber(value) && value <= COIN
      ? [`${name}: ${value.toFixed(3)} of pairs right ${where}`]
      : [],
  );
  if (!isNumber(accuracy) || !isNumber(low) || !isNumber(high) || low > COIN) return weak;
  return [`${name}: ${accuracy.toFixed(3)} ${formatInterval(low, high)} of pairs right`, ...weak];
}

function notRaised({ stages }: GrowRecord): string[] {
  return stages.flatMap(({ name, result }) => {
    if (name !== "rl") return [];
    const { pass1_before, pass1_after } = keepPromises(stagePromises.rl, toJsonObject(result));
    const [before, after] = [rateOf(pass1_before), rateOf(pass1_after)];
    if (before === undefined || after === undefined || after.low > before.high) return [];
    const show = ({ value, low, high }: Rate): string =>
      `${formatValue(value, "share")} ${formatInterval(low, high)}`;
    return [`${show(before)} before, ${show(after)} after`];
  });
}

function worse(record: GrowRecord): string[] {
  const models = measuredModels(record).map(([name]) => name);
  return measuresOf(record).flatMap(({ rows }) =>
    models.slice(1).flatMap((model, i) => {
      const [now, then] = [rows[model], rows[models[i] as ModelName]];
      if (now === undefined || then === undefined || !isBetter(then, now)) return [];
      const before = `${modelTitles[models[i] as ModelName]} ${formatValue(then.value, then.unit)}`;
      return [`${describe(model, now)}; ${before}`];
    }),
  );
}

function describe(model: ModelName, { suite, name, value, low, high, unit }: EvalRow): string {
  const interval = formatInterval(low, high, unit);
  return `${modelTitles[model]}, ${suite} / ${name}: ${formatValue(value, unit)} ${interval}`;
}

function warnings({ stages }: GrowRecord): string[] {
  return stages.flatMap(({ name, metrics, result }) => {
    const found = [...metrics, result].flatMap((row) =>
      warningsOf(row).map((text) => ({ text, step: row.step })),
    );
    // Warnings that differ in numbers only count as one.
    const kinds = Map.groupBy(found, ({ text }) => text.replace(/\d[\d.,e+-]*/g, "0"));
    return [...kinds.values()].map(([first, ...more]) => {
      const times = more.length > 0 ? `${1 + more.length} times, first ` : "";
      const when = isNumber(first?.step) ? ` (${times}at step ${first.step})` : "";
      return `${name}: ${first?.text}${when}`;
    });
  });
}

/** A text, or several: plain, or with a name beside. */
function warningsOf({ warning, warnings: several }: Row): string[] {
  return [warning, ...(Array.isArray(several) ? several : [several])].flatMap((found) => {
    const text =
      typeof found === "object" && found !== null && "text" in found ? found.text : found;
    return typeof text === "string" && text !== "" ? [text] : [];
  });
}

/** What several models have in common is said once. */
function losses(record: GrowRecord): string[] {
  const found = new Map<string, string[]>();
  for (const [model, report] of measuredModels(record))
    for (const text of lostInEval(report))
      found.set(text, [...(found.get(text) ?? []), modelTitles[model]]);
  const evaluated = [...found].map(([text, models]) => `${models.join(", ")}: ${text}`);
  return [...record.stages.flatMap(lostInStage), ...evaluated];
}

function lostInEval({ rows, skipped }: EvalReport): string[] {
  const left = rows.flatMap(({ suite, name, dropped = 0, n }) =>
    dropped > 0 ? [`${suite} / ${name}, ${dropped} of ${dropped + n} left out`] : [],
  );
  const missing = skipped.map(({ suite, name, reason }) => {
    return `${suite} / ${name}, not measured: ${reason}`;
  });
  return [...left, ...missing];
}

function lostInStage({ name, result, metrics }: StageRecord): string[] {
  const counted = counters(result, "").map(([path, value]) => `${name}: ${path} ${value}`);
  const names = new Set(metrics.flatMap((row) => Object.keys(row)).filter((key) => lost.test(key)));
  const overSteps = [...names].flatMap((key) => {
    const values = metrics.map((row) => (row[key] === true ? 1 : row[key])).filter(isNumber);
    const touched = values.filter((value) => value > 0);
    if (touched.length === 0) return [];
    const most = Number(Math.max(...touched).toPrecision(3));
    return [`${name}: ${key} at ${touched.length} steps, ${most} at most`];
  });
  return [...counted, ...overSteps];
}

/** Numbers above 0 whose own name tells of a loss, at any depth. */
function counters(value: Row, path: string): [path: string, value: number][] {
  return Object.entries(value).flatMap(([key, part]): [string, number][] => {
    const at = path === "" ? key : `${path}.${key}`;
    if (isNumber(part)) return lost.test(key) && part > 0 ? [[at, part]] : [];
    const isObject = typeof part === "object" && part !== null;
    return isObject ? counters(part as Row, at) : [];
  });
}
