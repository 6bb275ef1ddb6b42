/**
 * Looks into a cleaned corpus: documents by verdict, rule, source or id, in an order that a seed
 * draws, each with the piece of text that decided.
 */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import type { DuckDBMapValue } from "@duckdb/node-api";
import { NutshellError } from "../../../error.ts";
import { suggestName } from "../../../nearest-name.ts";
import { CORPUS_FILE, type CorpusLayout, filesOf, type StoredCorpus } from "./corpus-layout.ts";
import { readCorpusRows, type Store } from "./corpus-store.node.ts";
import { openDatabase, quote } from "./database.node.ts";
import { excerptAround, placeOfQuoted } from "./excerpt.ts";
import type { InspectedDocument, InspectQuery } from "./inspected.ts";
import { VERDICTS_FILE } from "./judge-corpus.node.ts";
import { maskKinds } from "./pii.ts";

const MEMORY_BYTES = 300e6;

/** Characters of an excerpt on either side of its place. */
const ROOM = 160;

/**
 * @param folder of a cleaned corpus
 * @throws DATA when it holds none; USAGE for a source that is not in it
 */
export async function inspectCorpus(
  folder: string,
  query: InspectQuery,
): Promise<InspectedDocument[]> {
  const layout = await readLayout(folder);
  checkSource(layout, query.source);
  using database = await openDatabase({
    threads: 1,
    memoryBytes: MEMORY_BYTES,
    spillFolder: join(folder, "spill"),
  });
  const store = { database, folder };
  const rows = await selectRows(store, layout, query);
  // Awaited here: the database closes when this function returns.
  return await withTexts(store, layout, rows, query);
}

async function readLayout(folder: string): Promise<CorpusLayout> {
  try {
    const stored = JSON.parse(await readFile(join(folder, CORPUS_FILE), "utf8")) as StoredCorpus;
    return stored.layout;
  } catch (cause) {
    throw new NutshellError(
      "DATA",
      `${folder}: a folder of cleaned data must hold ${CORPUS_FILE}, got none that can be read. ` +
        "Run nutshell data prepare again.",
      { cause },
    );
  }
}

function checkSource({ sources }: CorpusLayout, name: string | undefined): void {
  const names = sources.map((source) => source.name);
  if (name === undefined || names.includes(name)) return;
  throw new NutshellError(
    "USAGE",
    `inspect: a source must be in the corpus, got "${name}". ${suggestName(name, names)}`,
  );
}

type Cells = readonly unknown[];

function conditions({ sources }: CorpusLayout, query: InspectQuery): string {
  const { source, rule, id, verdict } = query;
  const index = sources.findIndex(({ name }) => name === source);
  const all = [
    source === undefined ? "" : `v.source = ${index}`,
    rule === undefined ? "" : `(v.rule = ${quote(rule)} OR v.masks[${quote(rule)}] IS NOT NULL)`,
    id === undefined ? "" : `v.id = ${quote(id)}`,
    verdict === undefined ? "" : verdictCondition(verdict),
  ].filter((condition) => condition !== "");
  return all.length === 0 ? "true" : all.join(" AND ");
}

function verdictCondition(verdict: NonNullable<InspectQuery["verdict"]>): string {
  if (verdict === "masked") return "v.masks IS NOT NULL AND v.verdict <> 'dropped'";
  return `v.verdict = ${quote(verdict)}`;
}

async function selectRows(
  { database, folder }: Store,
  layout: CorpusLayout,
  query: InspectQuery,
): Promise<Cells[]> {
  const verdicts = `read_parquet(${quote(join(folder, VERDICTS_FILE))})`;
  const result = await database.connection.runAndReadAll(
    `SELECT v.document, v.source, v.part, v.row, v.id, v.verdict, v.rule, v.detail, v.span_start,
            v.span_end, v.masks, v.bytes::DOUBLE, t.source, t.id
     FROM ${verdicts} v LEFT JOIN ${verdicts} t ON t.document = v.twin
     WHERE ${conditions(layout, query)}
     ORDER BY hash(v.document + ${Math.trunc(query.seed)} * 1000003), v.document
     LIMIT ${Math.trunc(query.sample)} OFFSET ${Math.trunc(query.offset)}`,
  );
  return result.getRows();
}

async function withTexts(
  store: Store,
  layout: CorpusLayout,
  rows: readonly Cells[],
  query: InspectQuery,
): Promise<InspectedDocument[]> {
  const wanted = Uint32Array.from(rows, ([document]) => document as number).sort();
  const texts = new Map<number, string>();
  for await (const [document, text] of readCorpusRows(store, filesOf(layout), "text", wanted)) {
    texts.set(document as number, text as string);
  }
  return rows.map((row) => {
    const [document, source, part, rowNumber, id, verdict, rule, detail] = row;
    const [start, end, masks, bytes, twinSource, twinId] = row.slice(8);
    const text = texts.get(document as number) ?? "";
    const counts = masksOf(masks as DuckDBMapValue | null);
    const quoted = placeOfQuoted(text, detail as string | null);
    const place = quoted ?? placeOf(text, start, end, counts, query.rule);
    const room = query.whole === true ? text.length : ROOM;
    return {
      source: layout.sources[source as number]?.name ?? "",
      part: layout.sources[source as number]?.parts[part as number]?.name ?? "",
      row: rowNumber as number,
      id: id as string,
      verdict: verdict as InspectedDocument["verdict"],
      rule: rule as string | null,
      detail: detail as string | null,
      twin:
        twinId === null
          ? null
          : { source: layout.sources[twinSource as number]?.name ?? "", id: twinId as string },
      masks: counts,
      bytes: bytes as number,
      ...excerptAround(text, place, room),
    };
  });
}

function masksOf(masks: DuckDBMapValue | null): Record<string, number> {
  const entries = masks?.entries ?? [];
  return Object.fromEntries(entries.map(({ key, value }) => [String(key), Number(value)]));
}

/** What a rule pointed at, else the first placeholder of the mask asked for, else of any. */
function placeOf(
  text: string,
  start: unknown,
  end: unknown,
  masks: Readonly<Record<string, number>>,
  rule: string | undefined,
): readonly [number, number] | undefined {
  if (start !== null && end !== null) return [start as number, end as number];
  const names = rule !== undefined && Object.hasOwn(masks, rule) ? [rule] : Object.keys(masks);
  for (const { name, placeholder } of maskKinds) {
    const at = names.includes(name) ? text.indexOf(placeholder) : -1;
    if (at >= 0) return [at, at + placeholder.length];
  }
  return undefined;
}
