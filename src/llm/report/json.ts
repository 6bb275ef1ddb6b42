/**
 * `report.json`: what a program wants of a report card, flat and under stable names. Rows of an
 * evaluation stand under `suite.name`; what is always there is in `promises.ts`.
 */
import type { EvalReport, EvalRow } from "../eval/report.ts";
import { finiteOrNull } from "./figures.ts";
import { evalPromises, keepPromises, stagePromises } from "./promises.ts";
import { type GrowRecord, modelNames, type StageName, type StageRecord } from "./record.ts";
import { type Case, sampleCases, talkCases } from "./replies.ts";
import { type Json, type JsonObject, snakeCase, toJson, toJsonObject } from "./snake-case.ts";
import { tokensPerSecond, utilisation } from "./stage-figures.ts";
import { weaknesses } from "./weaknesses.ts";

/** Of the names in the file; a reader may refuse what it does not know. */
const FORMAT = 1;
const stageNames: readonly StageName[] = ["pretrain", "sft", "reward", "rl"];

/** @returns text that is the same for the same record, with a newline at its end */
export function renderReportJson(record: GrowRecord): string {
  return `${JSON.stringify(reportJson(record), null, 2)}\n`;
}

export function reportJson(record: GrowRecord): JsonObject {
  const { preset, out, commit, startedAt, seconds, machine, stages, evals } = record;
  const stageOf = (name: StageName): Json => {
    const stage = stages.find((one) => one.name === name);
    return stage === undefined ? null : stageJson(stage, record);
  };
  return {
    format: FORMAT,
    preset,
    out,
    commit: commit ?? null,
    started_at: startedAt,
    seconds: finiteOrNull(seconds),
    machine: toJson(machine),
    stages: Object.fromEntries(stageNames.map((name) => [name, stageOf(name)])),
    evals: Object.fromEntries(modelNames.map((name) => [name, evalJson(evals[name])])),
    talk: talkCases(record).map(caseJson),
    samples: sampleCases(record).map(caseJson),
    weak: toJson(weaknesses(record)),
  };
}

/** The stage's own result comes first: what the run measured of it has the last word. */
function stageJson(stage: StageRecord, { machine }: GrowRecord): JsonObject {
  const { name, data, configuration, metrics: _, result, ...facts } = stage;
  const own = toJsonObject(result);
  return {
    ...own,
    ...keepPromises(stagePromises[name], own),
    ...toJsonObject(facts),
    tok_per_s: tokensPerSecond(stage),
    mfu: utilisation(stage, machine),
    data: toJson(data),
    configuration: toJson(configuration),
  };
}

function evalJson(report: EvalReport | undefined): Json {
  if (report === undefined) return null;
  const rows: Record<string, Json> = {};
  for (const row of report.rows) rows[keyIn(rows, row)] = rowJson(row);
  return { ...keepPromises(evalPromises, rows), ...rows };
}

/** Two names that differ only in signs keep them. */
function keyIn(rows: object, { suite, name }: EvalRow): string {
  const key = `${snakeCase(suite)}.${snakeCase(name)}`;
  return key in rows ? `${suite}.${name}` : key;
}

function rowJson({ suite: _, name: __, examples: ___, ...row }: EvalRow): Json {
  return toJsonObject(row);
}

/** A question and the models' answers: null where a model was not asked. */
function caseJson({ suite, name, prompt, expected, answers }: Case): Json {
  const replies = modelNames.map((model): [string, Json] => {
    const answer = answers[model];
    if (answer === undefined) return [model, null];
    return [model, { reply: answer.reply, grade: finiteOrNull(answer.grade) }];
  });
  return { suite, name, prompt, expected: expected ?? null, ...Object.fromEntries(replies) };
}
