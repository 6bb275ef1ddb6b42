/** The two tables that a report card is read for: how good each model is, what each stage cost. */
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
import { keepPromises, stagePromises } from "./promises.ts";
import {
  type GrowRecord,
  type Machine,
  type ModelName,
  modelTitles,
  type StageName,
  type StageRecord,
  stageTitles,
} from "./record.ts";
import { type Json, type JsonObject, toJsonObject } from "./snake-case.ts";
import { tokensPerSecond, total, utilisation } from "./stage-figures.ts";

/** One row a measure, one column a model. */
export function composeSummary(record: GrowRecord): Block[] {
  const models = measuredModels(record);
  const measures = measuresOf(record);
  if (measures.length === 0) return [];
  const names = models.map(([name]) => name);
  const rows = measures.map((measured) => [
    cell(measured.suite),
    cell(nameWithUnit(measured)),
    ...names.map((name) => measuredCell(measured, name)),
    cell(formatValue(measured.chance, measured.unit)),
    cell(countsOf(measured)),
  ]);
  const head = ["suite", "measure", ...names.map((name) => modelTitles[name]), "chance", "n"];
  const text =
    "In brackets the interval of 95 %. Bold: better than every other model, with intervals " +
    "apart. n: problems, pairs or texts behind a number.";
  return [
    { kind: "table", head, rows, words: 2 },
    { kind: "paragraph", text },
  ];
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
  "of it training steps": ({ trainSeconds }) => cell(formatSeconds(trainSeconds)),
  steps: ({ steps }) => cell(formatCount(steps)),
  tokens: ({ tokens }) => cell(formatCount(tokens)),
  "tokens a second": (stage) => cell(formatCount(tokensPerSecond(stage))),
  FLOPs: ({ flops }) => cell(formatPower(flops)),
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
    if (before.value === undefined && after.value === undefined) return cell(ABSENT);
    const text = `pass@1 ${formatValue(before.value, "share")} → ${formatValue(after.value, "share")}`;
    return cell(text, after.interval === undefined ? {} : { detail: after.interval });
  },
};

function headline({ name, result }: StageRecord): Cell {
  return headlines[name](keepPromises(stagePromises[name], toJsonObject(result)));
}

function named(value: Json | undefined, unit: string): Cell {
  return isNumber(value) ? cell(`${value.toFixed(3)} ${unit}`) : cell(ABSENT);
}

/** A number, or one with its interval. */
function rateOf(rate: Json | undefined): { value?: number; interval?: string } {
  if (isNumber(rate)) return { value: rate };
  if (typeof rate !== "object" || rate === null) return {};
  const { value, low, high } = rate as JsonObject;
  if (!isNumber(value)) return {};
  if (!isNumber(low) || !isNumber(high)) return { value };
  return { value, interval: formatInterval(low, high) };
}
