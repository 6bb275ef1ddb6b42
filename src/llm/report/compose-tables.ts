/** The two tables that a report card is read for: how good each model is, what each stage cost. */
import { digitsChart } from "./digits-chart.ts";
import { type Block, type Cell, cell } from "./document.ts";
import {
  ABSENT,
  formatCount,
  formatInterval,
  formatPercent,
  formatPower,
  formatSeconds,
  formatValue,
  isNumber,
} from "./figures.ts";
import { type Measured, measuredModels, measuresOf } from "./measures.ts";
import { keepPromises, rateOf, stagePromises } from "./promises.ts";
import {
  type GrowRecord,
  type Machine,
  type ModelName,
  modelTitles,
  type StageName,
  type StageRecord,
  stageTitles,
} from "./record.ts";
import { type Json, toJsonObject } from "./snake-case.ts";
import { known, tokensPerSecond, total, utilisation } from "./stage-figures.ts";

/** A table a suite: one row a measure, one column a model. */
export function composeSummary(record: GrowRecord): Block[] {
  const models = measuredModels(record).map(([name]) => name);
  const suites = Map.groupBy(measuresOf(record), ({ suite }) => suite);
  if (suites.size === 0) return [];
  const text =
    "In brackets the interval of 95 %. Bold: better than every other model, with intervals " +
    "apart. n: problems, pairs or texts behind a number.";
  const tables = [...suites].flatMap(([suite, measures]): Block[] => [
    { kind: "heading", title: suite },
    suiteTable(measures, models),
  ]);
  return [{ kind: "paragraph", text }, ...tables, ...digitsChart(record)];
}

function suiteTable(measures: readonly Measured[], models: readonly ModelName[]): Block {
  const rows = measures.map((measured) => [
    cell(nameWithUnit(measured)),
    ...models.map((model) => measuredCell(measured, model)),
    cell(formatValue(measured.chance, measured.unit)),
    cell(countsOf(measured)),
  ]);
  const head = ["measure", ...models.map((model) => modelTitles[model]), "chance", "n"];
  return { kind: "table", head, rows, words: 1 };
}

function nameWithUnit({ name, unit }: Measured): string {
  return unit === "share" || name.includes(unit) ? name : `${name}, ${unit}`;
}

function measuredCell({ rows, best }: Measured, model: ModelName): Cell {
  const row = rows[model];
  if (row === undefined) return cell(ABSENT);
  const detail = formatInterval(row.low, row.high, row.unit);
  return cell(formatValue(row.value, row.unit), { detail, bold: best === model });
}

function countsOf({ rows }: Measured): string {
  return [...new Set(Object.values(rows).map(({ n }) => formatCount(n)))].join(" / ");
}

type StageFact = (stage: StageRecord, machine: Machine) => Cell;

const stageFacts: Readonly<Record<string, StageFact>> = {
  "wall time": ({ seconds }) => cell(formatSeconds(seconds)),
  "of it training steps": ({ trainSeconds }) => cell(formatSeconds(known(trainSeconds))),
  steps: ({ steps }) => cell(formatCount(steps)),
  tokens: ({ tokens }) => cell(formatCount(known(tokens))),
  "tokens a second": (stage) => cell(formatCount(tokensPerSecond(stage))),
  FLOPs: ({ flops }) => cell(formatPower(known(flops))),
  MFU: (stage, machine) => cell(formatPercent(utilisation(stage, machine))),
  parameters: ({ parameters }) => cell(formatCount(parameters)),
  result: (stage) => headline(stage),
  checkpoint: ({ checkpoint, folder }) => cell(shortened(checkpoint, folder)),
};

/** One row a fact, one column a stage. */
export function composeStages({ stages, machine }: GrowRecord): Block[] {
  if (stages.length === 0) return [];
  const rows = Object.entries(stageFacts).map(([name, fact]) => [
    cell(name),
    ...stages.map((stage) => fact(stage, machine)),
  ]);
  const seconds = formatSeconds(total(stages, (stage) => stage.seconds));
  const flops = formatPower(total(stages, (stage) => stage.flops));
  const text =
    `All stages together: ${seconds}, ${flops} FLOPs. MFU is FLOPs over the training steps' time ` +
    `times ${machine.peakGflops.toFixed(1)} GFLOP/s, which the kernels reach on a square product.`;
  const head = ["", ...stages.map(({ name }) => stageTitles[name])];
  return [
    { kind: "table", head, rows, words: 1 },
    { kind: "paragraph", text },
  ];
}

/** A checkpoint inside the stage's folder is named from there. */
function shortened(checkpoint: string, folder: string): string {
  const parent = folder.replace(/[^/]*\/?$/, "");
  return checkpoint.startsWith(parent) ? checkpoint.slice(parent.length) : checkpoint;
}

type Kept = Readonly<Record<string, Json>>;

/** What a stage is judged by, of what `promises.ts` keeps. */
const headlines: Readonly<Record<StageName, (kept: Kept) => Cell>> = {
  pretrain: ({ val_bpb }) => named(val_bpb, "bits/byte held out"),
  sft: ({ val_loss }) => named(val_loss, "nats/token held out"),
  reward: ({ accuracy, low, high }) =>
    isNumber(accuracy)
      ? cell(`${formatValue(accuracy, "share")} of pairs right`, {
          detail: formatInterval(low as number, high as number),
        })
      : cell(ABSENT),
  rl: ({ pass1_before, pass1_after }) => {
    const [before, after] = [rateOf(pass1_before), rateOf(pass1_after)];
    if (before === undefined && after === undefined) return cell(ABSENT);
    const [from, to] = [before, after].map((rate) => formatValue(rate?.value, "share"));
    const interval = after === undefined ? {} : { detail: formatInterval(after.low, after.high) };
    return cell(`pass@1 ${from} → ${to}`, interval);
  },
};

function headline({ name, result }: StageRecord): Cell {
  return headlines[name](keepPromises(stagePromises[name], toJsonObject(result)));
}

function named(value: Json | undefined, unit: string): Cell {
  return isNumber(value) ? cell(`${value.toFixed(3)} ${unit}`) : cell(ABSENT);
}
