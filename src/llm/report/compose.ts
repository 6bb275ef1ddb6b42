/** A report card as blocks, all of it computed from the record. */

import { composeReplies, composeSamples } from "./compose-replies.ts";
import { composeStages, composeSummary } from "./compose-tables.ts";
import { curvesOf } from "./curves.ts";
import { type Block, cell, type Document } from "./document.ts";
import { formatCount, formatSeconds } from "./figures.ts";
import { type GrowRecord, stageTitles } from "./record.ts";
import { weaknesses } from "./weaknesses.ts";

export function composeReport(record: GrowRecord): Document {
  const blocks = [
    ...section("Summary", composeSummary(record)),
    ...section("Where it is weak", composeWeaknesses(record)),
    ...section("Stages", composeStages(record)),
    ...section("The talk's questions", composeReplies(record)),
    ...section("Curves", composeCurves(record)),
    ...section("Samples", composeSamples(record)),
    ...section("Data", composeData(record)),
    ...section("Configuration", composeConfiguration(record)),
    ...section("Machine", composeMachine(record)),
  ];
  return { title: `Report card: ${nameOf(record)}`, lead: composeLead(record), blocks };
}

function section(title: string, blocks: readonly Block[]): Block[] {
  return blocks.length === 0 ? [] : [{ kind: "section", title }, ...blocks];
}

function nameOf({ out }: GrowRecord): string {
  return out.split("/").filter(Boolean).at(-1) ?? out;
}

function composeLead({ stages, preset, seconds, machine, commit }: GrowRecord): string[] {
  const first = stages.find(({ name }) => name === "pretrain") ?? stages[0];
  const names = stages.map(({ name }) => stageTitles[name].slice(2)).join(", ");
  const size = first === undefined ? "" : ` of ${formatCount(first.parameters)} parameters`;
  const last = stages.at(-1)?.checkpoint;
  return [
    `A language model${size}, grown from random weights in ${formatSeconds(seconds)} on ` +
      `${machine.cores} cores: ${names || "no stage"}. Preset ${preset}, commit ` +
      `${commit ?? "unknown"}.${last === undefined ? "" : ` Last checkpoint: ${last}.`}`,
    "Every number and sentence on this page was computed by the run.",
  ];
}

function composeWeaknesses(record: GrowRecord): Block[] {
  const found = weaknesses(record);
  const none = "None of the rules of this section found anything.";
  if (found.length === 0) return [{ kind: "paragraph", text: none }];
  return found.flatMap(({ rule, findings }): Block[] => [
    { kind: "heading", title: rule },
    { kind: "list", items: findings },
  ]);
}

function composeCurves(record: GrowRecord): Block[] {
  return curvesOf(record).map(({ stage, title, svg }) => {
    return { kind: "figure", file: `report-${stage}.svg`, title, svg };
  });
}

function composeData({ stages }: GrowRecord): Block[] {
  const rows = stages.flatMap(({ name, data }) =>
    data.map((source) => [
      cell(stageTitles[name]),
      cell(source.name),
      cell(source.licence),
      cell(source.card),
      cell(`${(100 * source.share).toFixed(1)} %`),
    ]),
  );
  const head = ["stage", "source", "licence", "what it is", "share"];
  return rows.length === 0 ? [] : [{ kind: "table", head, rows, words: 4 }];
}

function composeConfiguration({ stages }: GrowRecord): Block[] {
  return stages.map(({ name, configuration }) => {
    const text = JSON.stringify(configuration, null, 2);
    const blocks: Block[] = [{ kind: "verbatim", text }];
    return { kind: "folded", summary: stageTitles[name], blocks };
  });
}

function composeMachine({ machine, commit, startedAt, seconds, stages }: GrowRecord): Block[] {
  const facts: Readonly<Record<string, string>> = {
    processor: `${machine.cpu}, ${machine.cores} cores, ${machine.memoryGb} GiB`,
    system: `${machine.system}, Node ${machine.node}`,
    backend: machine.backend,
    "peak of its matrix products": `${machine.peakGflops.toFixed(1)} GFLOP/s`,
    commit: commit ?? "unknown",
    started: startedAt,
    "total time": formatSeconds(seconds),
    stages: stages.map((one) => `${one.name} ${formatSeconds(one.seconds)}`).join(", "),
  };
  const rows = Object.entries(facts).map(([name, text]) => [cell(name), cell(text)]);
  return [{ kind: "table", head: ["fact", "value"], rows, words: 2 }];
}
