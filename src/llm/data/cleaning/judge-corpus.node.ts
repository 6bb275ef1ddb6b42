/**
 * Gives every document its verdict. Rules of their own were decided in the workers; here come those
 * that look at the whole corpus, each over what the ones before left: exact duplicates, then
 * near-duplicates, evaluation text, triggers. The first document in corpus order stays of equal
 * ones.
 *
 *     verdicts.parquet   document | source | part | row | id | content_hash | bytes_read | bytes |
 *                        verdict | rule | detail | span_start | span_end | twin | cuts | masks
 *
 * `verdict` is kept, dropped or cut: kept without the UTF-16 ranges `cuts`, a flat list. `rule` is
 * null where no rule had to say anything. `twin` is the number of the document that stays instead.
 */
import { rename } from "node:fs/promises";
import { join } from "node:path";
import { type DuckDBBlobValue, INTEGER, LIST } from "@duckdb/node-api";
import { diskError } from "../../../durable-file.node.ts";
import type { CleaningRules, CorpusFindings } from "./cleaning.ts";
import { type CorpusLayout, filesOf } from "./corpus-layout.ts";
import { createDocumentsView, readCorpusRows, type Store } from "./corpus-store.node.ts";
import { quote, writeError } from "./database.node.ts";
import type { EvalIndex } from "./decontaminate.ts";
import { type DocumentHits, judgeContamination } from "./decontaminate-judge.ts";
import { type DocumentSignature, findNearDuplicates } from "./near-duplicates.ts";
import type { Corpus, CorpusText } from "./near-duplicates-corpus.ts";
import { findTriggers } from "./triggers.ts";

export const VERDICTS_FILE = "verdicts.parquet";

export interface JudgeOptions {
  readonly store: Store;
  readonly layout: Pick<CorpusLayout, "size" | "sources">;
  readonly rules: CleaningRules;
  readonly evalIndex: EvalIndex | undefined;
  readonly signal: AbortSignal;
  /** Told before each rule what comes now. */
  progress(phase: string): void;
}

/** A drop, or with `cuts` a kept document that loses them. */
interface Verdict {
  readonly document: number;
  readonly rule: string;
  readonly detail: string;
  readonly twin?: number;
  readonly span?: readonly [start: number, end: number];
  readonly cuts?: readonly (readonly [start: number, end: number])[];
}

interface Judgement extends JudgeOptions {
  /** 1 for documents that some rule dropped so far. */
  readonly dropped: Uint8Array;
}

/** What one rule says: verdicts, and what people want to know besides. */
interface Ruling {
  readonly verdicts: readonly Verdict[];
  readonly findings: CorpusFindings;
}

/** @throws DISK; the signal's reason */
export async function judgeCorpus(options: JudgeOptions): Promise<CorpusFindings> {
  const { store, layout, rules, signal, progress } = options;
  const { connection } = store.database;
  await createDocumentsView(store, layout);
  await connection.run(
    `CREATE OR REPLACE TABLE verdicts(document INTEGER, rule VARCHAR, detail VARCHAR,
     span_start INTEGER, span_end INTEGER, twin INTEGER, cuts INTEGER[])`,
  );
  await connection.run(
    `INSERT INTO verdicts SELECT document, rule, detail, span_start, span_end, NULL, NULL
     FROM documents WHERE rule IS NOT NULL`,
  );
  if (rules.exactDuplicates) await dropExactDuplicates(store);
  const judgement = { ...options, dropped: await droppedSoFar(store, layout.size) };
  const findings: CorpusFindings = {};
  for (const { name, on, judge } of corpusRules) {
    signal.throwIfAborted();
    if (!on(judgement)) continue;
    progress(name);
    const ruling = await judge(judgement);
    Object.assign(findings, ruling.findings);
    await record(judgement, ruling.verdicts);
  }
  signal.throwIfAborted();
  await writeVerdicts(store);
  return findings;
}

/** Rules at most, for a progress bar. */
export const CORPUS_RULES = 3;

const corpusRules: readonly {
  readonly name: string;
  on(options: JudgeOptions): boolean;
  judge(judgement: Judgement): Promise<Ruling>;
}[] = [
  {
    name: "near-duplicates",
    on: ({ rules }) => rules.nearDuplicates,
    judge: judgeNearDuplicates,
  },
  {
    name: "evaluation text",
    on: ({ rules, evalIndex }) => rules.decontamination && evalIndex !== undefined,
    judge: judgeEvaluationText,
  },
  { name: "triggers", on: ({ rules }) => rules.triggers, judge: judgeTriggers },
];

async function dropExactDuplicates({ database: { connection } }: Store): Promise<void> {
  await connection.run(
    `INSERT INTO verdicts
     SELECT document, 'exact-duplicate', 'the same text, but for case and spacing',
            NULL, NULL, twin, NULL
     FROM (SELECT document, min(document) OVER (PARTITION BY content_hash) AS twin
           FROM documents WHERE rule IS NULL)
     WHERE document <> twin`,
  );
}

async function droppedSoFar({ database }: Store, size: number): Promise<Uint8Array> {
  const dropped = new Uint8Array(size);
  const result = await database.connection.stream("SELECT document FROM verdicts");
  for await (const rows of result.yieldRows()) {
    for (const [document] of rows) dropped[document as number] = 1;
  }
  return dropped;
}

async function judgeNearDuplicates(judgement: Judgement): Promise<Ruling> {
  const { store, layout, dropped } = judgement;
  const signatures = {
    async *[Symbol.asyncIterator](): AsyncGenerator<DocumentSignature> {
      const rows = readCorpusRows(store, filesOf(layout), "signature");
      for await (const [document, signature] of rows) {
        if (dropped[document as number] === 1 || signature === null) continue;
        yield { document: document as number, signature: bytesOf(signature) };
      }
    },
  };
  const report = await findNearDuplicates(signatures, corpusOf(judgement));
  const verdicts = report.duplicates.map(({ document, keeper, jaccard, coverage }) => ({
    document,
    rule: "near-duplicate",
    detail:
      `Jaccard similarity ${jaccard.toFixed(2)}, ` +
      `${(100 * coverage).toFixed(0)} % of its words are in the other`,
    twin: keeper,
  }));
  const { candidates: compared, refused } = report;
  return { verdicts, findings: { nearDuplicates: { compared, refused } } };
}

/** A copy: what the database gives is a Buffer over memory of its own. */
function bytesOf(blob: unknown): Uint8Array<ArrayBuffer> {
  return Uint8Array.from((blob as DuckDBBlobValue).bytes);
}

async function judgeEvaluationText(judgement: Judgement): Promise<Ruling> {
  const { store, layout, dropped, evalIndex } = judgement;
  const found: DocumentHits[] = [];
  const columns = "CASE WHEN eval_hits IS NULL THEN NULL ELSE text END, eval_hits";
  for await (const [document, text, hits] of readCorpusRows(store, filesOf(layout), columns)) {
    if (hits === null || dropped[document as number] === 1) continue;
    found.push({
      document: document as number,
      textLength: (text as string).length,
      hits: new Uint32Array(bytesOf(hits).buffer),
    });
  }
  const report = judgeContamination(found, evalIndex as EvalIndex);
  const { sets, commonPhrases } = report;
  const verdicts = report.found.map(({ document, action, cuts, set, row, match }) => ({
    document,
    rule: "evaluation-text",
    detail: `holds text of ${set}, row ${row}`,
    span: match,
    ...(action === "cut" ? { cuts } : {}),
  }));
  return { verdicts, findings: { evaluation: { sets, commonPhrases } } };
}

async function judgeTriggers(judgement: Judgement): Promise<Ruling> {
  const { triggers } = await findTriggers(corpusOf(judgement));
  const verdicts = new Map<number, Verdict>();
  for (const { text, documents, occurrences } of triggers) {
    const detail = `"${text}" stands ${occurrences} times in ${documents.length} documents`;
    for (const document of documents) {
      if (!verdicts.has(document)) verdicts.set(document, { document, rule: "trigger", detail });
    }
  }
  const findings = triggers.map((trigger) => ({ ...trigger, documents: trigger.documents.length }));
  return { verdicts: [...verdicts.values()], findings: { triggers: findings } };
}

/** The corpus as the rules of several documents see it: what is still kept, as it is stored. */
function corpusOf({ store, layout, dropped, signal }: Judgement): Corpus {
  const nameOf = (document: number): string =>
    layout.sources.find(({ first, documents }) => document < first + documents)?.name ?? "";
  return {
    size: layout.size,
    async *texts(documents?: Uint32Array): AsyncGenerator<CorpusText> {
      for await (const [number, text] of readCorpusRows(
        store,
        filesOf(layout),
        "text",
        documents,
      )) {
        signal.throwIfAborted();
        const document = number as number;
        if (dropped[document] === 1) continue;
        yield { document, source: nameOf(document), text: text as string };
      }
    },
  };
}

async function record({ store, dropped }: Judgement, verdicts: readonly Verdict[]): Promise<void> {
  const appender = await store.database.connection.createAppender("verdicts");
  for (const { document, rule, detail, span, twin, cuts } of verdicts) {
    if (cuts === undefined) dropped[document] = 1;
    appender.appendInteger(document);
    appender.appendVarchar(rule);
    appender.appendVarchar(detail);
    for (const number of [span?.[0], span?.[1], twin]) {
      if (number === undefined) appender.appendNull();
      else appender.appendInteger(number);
    }
    if (cuts === undefined) appender.appendNull();
    else appender.appendList(cuts.flat(), LIST(INTEGER));
    appender.endRow();
  }
  appender.closeSync();
}

/** A document that was cut first and dropped later is dropped. */
async function writeVerdicts({ database, folder }: Store): Promise<void> {
  const path = join(folder, VERDICTS_FILE);
  const temporary = `${path}.tmp`;
  try {
    await database.connection.run(
      `COPY (
         SELECT document, source, part, row, id, content_hash, bytes_read, bytes,
                CASE WHEN v.rule IS NULL THEN 'kept' WHEN v.cuts IS NULL THEN 'dropped'
                     ELSE 'cut' END AS verdict,
                v.rule, v.detail, v.span_start, v.span_end, v.twin, v.cuts, masks
         FROM documents d
         LEFT JOIN (SELECT DISTINCT ON (document) * FROM verdicts
                    ORDER BY document, cuts IS NOT NULL) v USING (document)
         ORDER BY document
       ) TO ${quote(temporary)} (FORMAT parquet, COMPRESSION zstd)`,
    );
    await rename(temporary, path);
  } catch (error) {
    throw diskError(path, writeError(path, error), "Cleaned parts stay; run again.");
  }
}
