/**
 * The report card's numbers: one model, any suites, a row at a time. The model is loaded once; what
 * cannot be measured is said with its reason and is not an error. Rows depend on model, data, seed
 * and options alone.
 */
import { stat } from "node:fs/promises";
import { dirname } from "node:path";
import { diskError, replaceFile } from "../../durable-file.node.ts";
import { NutshellError } from "../../error.ts";
import { suggestName } from "../../nearest-name.ts";
import { requireChatTokens } from "../chat/template.ts";
import { countParameters } from "../model/size.ts";
import type { Talk } from "../run/talk.ts";
import type { EvalConfig } from "./config.ts";
import { meanCentred } from "./core-mean.ts";
import type { MeasureContext, Measured } from "./measure.ts";
import { renderRow } from "./render.ts";
import type { EvalReply, EvalReport, EvalRow, EvalSkip } from "./report.ts";
import { openJudge } from "./reward-judge.node.ts";
import { openSubject, type Subject } from "./subject.node.ts";
import { type NamedMeasure, suites } from "./suites.ts";

/** Beside a checkout. */
const SHARED_DATA = "../shared/data";

interface Found {
  readonly rows: EvalRow[];
  readonly replies: EvalReply[];
  readonly skipped: EvalSkip[];
}

/**
 * @throws CONFIG for a suite that is not there, or several samples without a temperature;
 *   CHECKPOINT and TOKENIZER for a model that cannot be asked; the signal's reason when aborted
 */
export async function evaluate(
  asked: EvalConfig,
  talk: Talk,
  signal: AbortSignal,
): Promise<EvalReport> {
  const started = performance.now();
  const names = parseSuites(asked);
  const data = asked.data ?? (await tryFolder(SHARED_DATA));
  await using subject = await openSubject(asked, talk);
  if (subject.form === "chat") requireChatTokens(subject.tokenizer, subject.folder);
  await using cleanup = new AsyncDisposableStack();
  const judge =
    asked.reward === undefined ? undefined : await openJudge(asked.reward, subject.backend);
  if (judge !== undefined) cleanup.defer(() => judge.dispose());
  const found: Found = { rows: [], replies: [], skipped: [] };
  for (const suite of names) {
    for (const one of suites[suite] ?? []) {
      signal.throwIfAborted();
      const tell = teller(talk, `${suite}: ${one.name}`);
      const context = { asked, subject, judge, data, signal, tell };
      await measureInto(found, suite, one, context, talk);
    }
    if (suite === "core") addMean(found, suite, talk);
  }
  const report = toReport(asked, names, subject, judge?.folder, found, started);
  if (asked.out !== undefined) await write(asked.out, report);
  return report;
}

function parseSuites({ suite, samples, temperature }: EvalConfig): string[] {
  const names = [...new Set(suite.split(",").map((name) => name.trim()))].filter(Boolean);
  const stranger = names.find((name) => !Object.hasOwn(suites, name));
  if (stranger !== undefined || names.length === 0)
    throw new NutshellError(
      "CONFIG",
      `eval: suite must name some of ${Object.keys(suites).join(", ")}, got "${stranger ?? ""}". ` +
        suggestName(stranger ?? "", Object.keys(suites)),
    );
  if (samples === 1 || temperature > 0) return names;
  throw new NutshellError(
    "CONFIG",
    `eval: ${samples} samples need a temperature above 0, got ${temperature}: they would all be ` +
      "the same. Add --temperature 1.",
  );
}

async function tryFolder(path: string): Promise<string | undefined> {
  const found = await stat(path).catch(() => undefined);
  return found?.isDirectory() ? path : undefined;
}

async function measureInto(
  found: Found,
  suite: string,
  { name, measure, isChat = false }: NamedMeasure,
  context: MeasureContext,
  talk: Talk,
): Promise<void> {
  const start = performance.now();
  const {
    rows = [],
    replies = [],
    skipped = [],
  }: Measured = isChat && !context.subject.canChat
    ? { skipped: [{ name, reason: "the vocabulary has no marks of a conversation" }] }
    : await measure(context);
  const seconds = (performance.now() - start) / 1000;
  for (const row of rows) {
    found.rows.push({ suite, ...row, seconds });
    talk.say(renderRow({ suite, ...row, seconds }));
  }
  for (const reply of replies) found.replies.push({ suite, ...reply });
  for (const skip of skipped) {
    found.skipped.push({ suite, ...skip });
    talk.say(`${suite} | ${skip.name} | skipped: ${skip.reason}`);
  }
}

/** The suite's one number, over its rows. */
function addMean({ rows }: Found, suite: string, talk: Talk): void {
  const mean = meanCentred(rows.filter((row) => row.suite === suite));
  if (mean === undefined) return;
  rows.push({ suite, ...mean, seconds: 0 });
  talk.say(renderRow({ suite, ...mean, seconds: 0 }));
}

/** Shows how far a measure is and when it will be done. */
function teller(talk: Talk, label: string): MeasureContext["tell"] {
  const start = performance.now();
  return (done, total) => {
    const seconds = (performance.now() - start) / 1000;
    const left = done === 0 ? "" : ` | ${Math.ceil((seconds * (total - done)) / done)} s left`;
    talk.status(`${label} | ${done}/${total}${left}`);
  };
}

function toReport(
  asked: EvalConfig,
  names: readonly string[],
  { folder, config, form, backend, precision }: Subject,
  reward: string | undefined,
  found: Found,
  started: number,
): EvalReport {
  const { seed, temperature, samples, maxRows } = asked;
  return {
    ...{ model: folder, parameters: countParameters(config).total },
    ...{ sequenceLen: config.sequenceLen, form },
    ...(reward === undefined ? {} : { reward }),
    ...{ suites: names, seed, temperature, samples, maxRows },
    ...{ backend: backend.description, precision },
    seconds: (performance.now() - started) / 1000,
    ...found,
  };
}

async function write(path: string, report: EvalReport): Promise<void> {
  try {
    await replaceFile(path, `${JSON.stringify(report, null, 2)}\n`);
  } catch (error) {
    throw diskError(dirname(path), error, "The evaluation is lost; run it again.");
  }
}
