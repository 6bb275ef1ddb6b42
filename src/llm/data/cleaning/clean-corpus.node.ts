/**
 * Cleans a corpus: parts in worker threads, each kept on disk under the hash of its content and of
 * the rules; then the rules that compare documents; then counts and reports. What did not change is
 * not made again, and what was finished before a failure stays.
 *
 *     FOLDER/parts/          cleaned documents, see part-file.node.ts
 *     FOLDER/verdicts.parquet, corpus.json, report.json, report.md, report.html
 */
import { createHash } from "node:crypto";
import { readdir, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { digestFile, diskError, tryReadText } from "../../../durable-file.node.ts";
import { estimateBytes, hashPart } from "../sources/hash-part.node.ts";
import type { SourcePart, SourceSpec } from "../sources/source.ts";
import type { PartTask } from "./clean-part.ts";
import { openCleanedCorpus } from "./cleaned-corpus.node.ts";
import type { CleanedCorpus, CleaningOptions, CleaningSummary, RuleGroup } from "./cleaning.ts";
import { CLEANING_VERSION } from "./cleaning.ts";
import {
  type CleanedPart,
  CORPUS_FILE,
  type CorpusLayout,
  layOut,
  REPORT_FILES,
  type StoredCorpus,
} from "./corpus-layout.ts";
import { openDatabase } from "./database.node.ts";
import { type Evaluation, findEvaluation } from "./evaluation.node.ts";
import { CORPUS_RULES, judgeCorpus, VERDICTS_FILE } from "./judge-corpus.node.ts";
import { createPartsFolder, PARTS_FOLDER, type PartFile, tryReadPart } from "./part-file.node.ts";
import { cleanParts } from "./part-team.node.ts";
import { renderReportHtml } from "./report-html.ts";
import { renderReportMarkdown } from "./report-markdown.ts";
import { summarise } from "./summarise.node.ts";

/** What the database may use before it spills; texts pass through in vectors of rows. */
const MEMORY_BYTES = 400e6;

/**
 * @throws DATA for a part or evaluation set that cannot be read; DISK; the signal's reason
 */
export async function cleanCorpus(options: CleaningOptions): Promise<CleanedCorpus> {
  const { folder, sources, rules, signal } = options;
  await createPartsFolder(folder);
  const evaluation = rules.decontamination ? findEvaluation(options.evalPath) : undefined;
  const plans = await planParts(options, evaluation?.hash);
  const { files, cleaned } = await readOrClean(options, plans, evaluation);
  const layout = layOut(sources, (source) =>
    plans
      .filter((plan) => plan.source === source)
      .map(({ part, key }): CleanedPart => ({ name: part.name, key, files: files.get(key) ?? [] })),
  );
  const key = hashOf([CLEANING_VERSION, rules, evaluation?.hash, layout]);
  const full: CorpusLayout = { version: CLEANING_VERSION, key, rules, ...layout };
  if (!(await isJudged(folder, key))) await judgeAndReport(options, full, evaluation);
  const parts = { cleaned, cached: plans.length - cleaned };
  await removeStale(folder, new Set([...files.values()].flat().map(({ name }) => name)));
  signal.throwIfAborted();
  return openCleanedCorpus(folder, options.threads, parts);
}

interface PartPlan {
  readonly source: SourceSpec;
  readonly part: SourcePart;
  readonly key: string;
  readonly task: PartTask;
}

/** Rules that a part's file depends on; the others only look at finished files. */
const partRules: readonly RuleGroup[] = [
  "normalise",
  "pii",
  "quality",
  "language",
  "nearDuplicates",
  "decontamination",
];

async function planParts(
  { sources, rules, languages, fractions, signal }: CleaningOptions,
  evalHash: string | undefined,
): Promise<PartPlan[]> {
  const plans: PartPlan[] = [];
  for (const source of sources) {
    const { domain, language, name } = source;
    const fraction = fractions?.get(name) ?? 1;
    for (const part of source.parts) {
      signal.throwIfAborted();
      const on = partRules.filter((group) => rules[group]);
      const format = "format" in part ? part.format : part.kind;
      const facts = [CLEANING_VERSION, part.name, format, domain, language, languages, fraction];
      const key = hashOf([...facts, on, evalHash, await hashPart(part)]).slice(0, 32);
      plans.push({ source, part, key, task: { key, part, domain, language, fraction } });
    }
  }
  return plans;
}

function hashOf(value: unknown): string {
  return createHash("sha256").update(JSON.stringify(value)).digest("hex");
}

/** @returns the files of every part, by key, and how many parts had to be cleaned */
async function readOrClean(
  options: CleaningOptions,
  plans: readonly PartPlan[],
  evaluation: Evaluation | undefined,
): Promise<{ files: Map<string, readonly PartFile[]>; cleaned: number }> {
  const { folder, threads, signal, rules, languages } = options;
  const files = new Map<string, readonly PartFile[]>();
  const missing: PartTask[] = [];
  for (const { key, task } of plans) {
    signal.throwIfAborted();
    if (files.has(key) || missing.some((other) => other.key === key)) continue;
    const found = await tryReadPart(folder, key);
    if (found === undefined) missing.push(task);
    else files.set(key, found);
  }
  const sizes = new Map<PartTask, number>();
  for (const task of missing) sizes.set(task, (await estimateBytes(task.part)) * task.fraction);
  const sizeOf = (task: PartTask): number => sizes.get(task) ?? 0;
  const total = missing.reduce((sum, task) => sum + sizeOf(task), 0);
  let done = 0;
  const progress = (bytes: number): void => {
    done += bytes;
    options.progress({ done, total: Math.max(total, done), unit: "bytes", phase: "cleaning" });
  };
  if (missing.length > 0) {
    const tasks = missing.sort((a, b) => sizeOf(b) - sizeOf(a));
    const facts = { folder, rules, languages, evalIndex: evaluation?.index() };
    const made = await cleanParts(tasks, { facts, threads, signal, progress });
    for (const [key, list] of made) files.set(key, list);
  }
  return { files, cleaned: missing.length };
}

/** Whether verdicts and reports of this very corpus lie there whole. */
async function isJudged(folder: string, key: string): Promise<boolean> {
  const text = await tryReadText(join(folder, CORPUS_FILE));
  if (text === undefined) return false;
  try {
    const { layout, verdicts } = JSON.parse(text) as StoredCorpus;
    if (layout.key !== key) return false;
    return (await digestFile(join(folder, VERDICTS_FILE))).sha256 === verdicts;
  } catch {
    // Torn or foreign: it is made again.
    return false;
  }
}

async function judgeAndReport(
  options: CleaningOptions,
  layout: CorpusLayout,
  evaluation: Evaluation | undefined,
): Promise<void> {
  const { folder, rules, threads, signal } = options;
  await rm(join(folder, CORPUS_FILE), { force: true });
  const spillFolder = join(folder, "spill");
  using database = await openDatabase({ threads, memoryBytes: MEMORY_BYTES, spillFolder });
  const store = { database, folder };
  let done = 0;
  const progress = (phase: string): void =>
    options.progress({ done: done++, total: CORPUS_RULES + 1, unit: "rules", phase });
  const evalIndex = evaluation?.index();
  const findings = await judgeCorpus({ store, layout, rules, evalIndex, signal, progress });
  progress("report");
  const counts = await summarise(store, layout.sources);
  const summary: Omit<CleaningSummary, "parts"> = {
    version: CLEANING_VERSION,
    rules,
    findings,
    ...counts,
  };
  await writeReports(folder, summary);
  const { sha256 } = await digestFile(join(folder, VERDICTS_FILE));
  const stored: StoredCorpus = { layout, verdicts: sha256 };
  await writeText(folder, CORPUS_FILE, `${JSON.stringify(stored)}\n`);
  await rm(spillFolder, { recursive: true, force: true });
}

async function writeReports(
  folder: string,
  summary: Omit<CleaningSummary, "parts">,
): Promise<void> {
  await writeText(folder, REPORT_FILES.json, `${JSON.stringify(summary, undefined, 1)}\n`);
  await writeText(folder, REPORT_FILES.markdown, renderReportMarkdown(summary));
  await writeText(folder, REPORT_FILES.html, renderReportHtml(summary));
}

async function writeText(folder: string, name: string, text: string): Promise<void> {
  const path = join(folder, name);
  try {
    await writeFile(`${path}.tmp`, text);
    await rename(`${path}.tmp`, path);
  } catch (error) {
    throw diskError(path, error, "Cleaned parts stay; run again.");
  }
}

/** Files of parts that the corpus no longer has, and what killed runs left. */
async function removeStale(folder: string, used: ReadonlySet<string>): Promise<void> {
  const keys = new Set([...used].map((name) => name.slice(0, name.indexOf("-"))));
  for (const name of await readdir(join(folder, PARTS_FOLDER))) {
    const isUsed = used.has(name) || (name.endsWith(".json") && keys.has(name.slice(0, -5)));
    if (!isUsed) await rm(join(folder, PARTS_FOLDER, name), { recursive: true, force: true });
  }
}
