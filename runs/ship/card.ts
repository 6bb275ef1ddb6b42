/** The two texts beside a model that ships: its card, and whose data it learned from. */
import type { EvalReport, EvalRow } from "../../src/llm/eval/report.ts";
import type { ModelConfig } from "../../src/llm/model/config.ts";
import { type GrowRecord, modelNames, stageTitles } from "../../src/llm/report/record.ts";

export interface ShippedModel {
  readonly name: string;
  readonly config: ModelConfig;
  readonly parameters: number;
  /** Of `model.safetensors`. */
  readonly bytes: number;
  readonly sha256: string;
  /** Lines for a shell, in order. */
  readonly commands: readonly string[];
  readonly record: GrowRecord;
  /** Measured on what ships, after its weights were rounded to 8 bits. */
  readonly shipped: EvalReport;
}

export function renderCard(model: ShippedModel): string {
  const { name, config, parameters, bytes, sha256, commands, record } = model;
  const { nLayer, nEmbd, nHead, sequenceLen, vocabSize } = config;
  return `# ${name}

The model that \`npm start\` boots: small, grown by this program from raw text on two cores in
${Math.round(record.seconds / 60)} minutes. It calls its calculator and its clock well, keeps to the form of a conversation, and
knows next to nothing. Do not rely on what it says.

- ${millions(parameters)} M parameters: ${nLayer} layers, ${nEmbd} channels, ${nHead} heads, context ${sequenceLen}, vocabulary ${vocabSize}
- \`model.safetensors\`: ${millions(bytes)} MB, 8 bits a weight (q8_0 blocks), SHA-256 ${sha256}
- Licence: Apache-2.0 for the weights; the sources' own licences are in ATTRIBUTION.md

## From what

${dataTable(record)}

## How

${commands.map((line) => `    ${line}`).join("\n")}

${stageTable(record)}

Commit ${record.commit ?? "unknown"}, ${record.machine.cpu}, ${record.machine.cores} cores, ${record.machine.backend}, Node ${record.machine.node}. All curves, samples and
numbers: report.html.

## How good

Held-out problems, with intervals of 95 %. The last column is the file that ships, in 8 bits.

${evalTable(model)}

## What it is not

No source of facts, no counsellor, no programmer. It refuses some harmful requests because it was
shown how, and nothing holds it to that. Long sums without the calculator come out wrong. It has
seen English only. Rewards came from programs and from rankings that say little about people's
taste (see the reward model's rows in the report).
`;
}

const millions = (n: number): string => (n / 1e6).toFixed(1);

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string => `| ${cells.join(" | ")} |`;
  return [line(head), line(head.map(() => "---")), ...rows.map(line)].join("\n");
}

function dataTable({ stages }: GrowRecord): string {
  const rows = stages.flatMap(({ name, data }) =>
    data.map((source) => [
      stageTitles[name],
      source.name,
      `${(100 * source.share).toFixed(1)} %`,
      source.licence,
    ]),
  );
  return table(["stage", "source", "share", "licence"], rows);
}

function stageTable({ stages }: GrowRecord): string {
  const rows = stages.map(({ name, steps, tokens, flops, trainSeconds }) => [
    stageTitles[name],
    `${steps}`,
    `${millions(tokens)} M`,
    flops.toExponential(1),
    (trainSeconds / 60).toFixed(1),
  ]);
  return table(["stage", "steps", "tokens", "FLOPs", "minutes of training"], rows);
}

function evalTable({ record, shipped }: ShippedModel): string {
  const reports = [...modelNames.map((name) => record.evals[name]), shipped];
  const rows = shipped.rows.map(({ suite, name }) => [
    `${suite}: ${name}`,
    ...reports.map((report) => cell(report?.rows.find((row) => isSame(row, suite, name)))),
  ]);
  return table(["", "base", "SFT", "RL", "as shipped"], rows);
}

const isSame = (row: EvalRow, suite: string, name: string): boolean =>
  row.suite === suite && row.name === name;

function cell(row: EvalRow | undefined): string {
  if (row === undefined) return "";
  const digits = row.unit === "perplexity" ? 0 : 2;
  const [value, low, high] = [row.value, row.low, row.high].map((x) => x.toFixed(digits));
  return `${value} [${low}, ${high}]`;
}

export function renderAttribution({ record }: ShippedModel): string {
  const rows = record.stages.flatMap(({ name, data }) =>
    data.map((source) => [stageTitles[name], source.name, source.licence, oneLine(source.card)]),
  );
  return `# Whose data this model learned from

The data itself is not part of this repository. Works under CC BY and CC BY-SA are named with their
licence; texts under CC BY-SA stay under it when they are passed on.

${table(["stage", "source", "licence", "what it is"], rows)}
`;
}

const oneLine = (text: string): string => text.replaceAll(/\s+/g, " ").replaceAll("|", "/").trim();
