/**
 * Counts what the verdicts say, by source and rule, and picks examples: for every rule and source
 * the documents whose hash comes first, so that nobody chose them.
 */
import { join } from "node:path";
import type { CleaningExample, CleaningSummary, Count, SourceSummary } from "./cleaning.ts";
import type { SourceLayout } from "./corpus-layout.ts";
import { filesOf } from "./corpus-layout.ts";
import { readCorpusRows, type Store } from "./corpus-store.node.ts";
import { quote } from "./database.node.ts";
import { excerptAround, placeOfQuoted } from "./excerpt.ts";
import { VERDICTS_FILE } from "./judge-corpus.node.ts";
import { maskKinds } from "./pii.ts";

/** Examples of each rule or mask in each source. */
const EXAMPLES = 3;

type Sources = readonly SourceLayout[];

interface Chosen {
  readonly document: number;
  readonly source: string;
  readonly id: string;
  readonly rule: string;
  readonly detail: string;
  readonly span: readonly [start: number, end: number] | undefined;
}

/** @returns the counts and examples; the rest of the summary is known to the caller */
export async function summarise(
  store: Store,
  sources: Sources,
): Promise<Pick<CleaningSummary, "sources" | "examples">> {
  const verdicts = `read_parquet(${quote(join(store.folder, VERDICTS_FILE))})`;
  const counted = await countSources(store, sources, verdicts);
  const drops = await chooseDrops(store, sources, verdicts);
  const masks = await chooseMasks(store, sources, verdicts);
  return { sources: counted, examples: await showExamples(store, sources, [...drops, ...masks]) };
}

type Cells = readonly unknown[];

async function query({ database }: Store, sql: string): Promise<Cells[]> {
  return (await database.connection.runAndReadAll(sql)).getRows();
}

async function countSources(
  store: Store,
  sources: Sources,
  verdicts: string,
): Promise<SourceSummary[]> {
  const byRule = await query(
    store,
    `SELECT source, verdict, rule, count(*)::DOUBLE, sum(bytes_read)::DOUBLE, sum(bytes)::DOUBLE
     FROM ${verdicts} GROUP BY ALL ORDER BY ALL`,
  );
  const byMask = await query(
    store,
    `SELECT source, mask.key, count(*)::DOUBLE, sum(mask.value)::DOUBLE
     FROM (SELECT source, unnest(map_entries(masks)) AS mask FROM ${verdicts}
           WHERE verdict <> 'dropped') GROUP BY ALL ORDER BY ALL`,
  );
  return sources.map(({ name, domain, language }, index) => {
    const mine = byRule.filter(([source]) => source === index);
    const staying = mine.filter(([, verdict]) => verdict !== "dropped");
    const changed = mine.filter(([, verdict]) => verdict === "dropped");
    const cut = mine.filter(([, verdict]) => verdict === "cut");
    const masked = byMask.filter(([source]) => source === index);
    return {
      name,
      domain,
      language,
      read: countOf(mine, 4),
      kept: countOf(staying, 5),
      dropped: Object.fromEntries(changed.map((row) => [String(row[2]), countOf([row], 4)])),
      cut: countOf(cut, 5).documents,
      masked: Object.fromEntries(
        masked.map(([, kind, documents, spans]) => [
          String(kind),
          { documents: documents as number, spans: spans as number },
        ]),
      ),
    };
  });
}

function countOf(rows: readonly Cells[], bytesColumn: number): Count {
  const total = (column: number): number =>
    rows.reduce((sum, row) => sum + (row[column] as number), 0);
  return { documents: total(3), bytes: total(bytesColumn) };
}

/** Sorted by a hash of the id, which has nothing to do with what the text is like. */
const byHash = "hash(id || '|' || document)";

async function chooseDrops(store: Store, sources: Sources, verdicts: string): Promise<Chosen[]> {
  const rows = await query(
    store,
    `SELECT v.document, v.source, v.id, v.rule, v.detail, v.span_start, v.span_end, t.id, t.source
     FROM (SELECT * FROM ${verdicts} WHERE rule IS NOT NULL
           QUALIFY row_number() OVER (PARTITION BY source, rule ORDER BY ${byHash}) <= ${EXAMPLES}) v
     LEFT JOIN ${verdicts} t ON t.document = v.twin
     ORDER BY v.source, v.rule, v.document`,
  );
  return rows.map(([document, source, id, rule, detail, start, end, twin, twinSource]) => ({
    document: document as number,
    source: sources[source as number]?.name ?? "",
    id: String(id),
    rule: String(rule),
    detail: describe(String(detail), twin, sources[twinSource as number]?.name),
    span: start === null ? undefined : [start as number, end as number],
  }));
}

function describe(detail: string, twin: unknown, source: string | undefined): string {
  return twin === null ? detail : `${detail}: ${String(twin)} in ${source} stays`;
}

async function chooseMasks(store: Store, sources: Sources, verdicts: string): Promise<Chosen[]> {
  const rows = await query(
    store,
    `SELECT document, source, id, mask.key, mask.value
     FROM (SELECT document, source, id, unnest(map_entries(masks)) AS mask FROM ${verdicts}
           WHERE verdict <> 'dropped')
     QUALIFY row_number() OVER (PARTITION BY source, mask.key ORDER BY ${byHash}) <= ${EXAMPLES}
     ORDER BY source, mask.key, document`,
  );
  return rows.map(([document, source, id, kind, spans]) => ({
    document: document as number,
    source: sources[source as number]?.name ?? "",
    id: String(id),
    rule: `mask ${kind}`,
    detail: `${spans} masked`,
    span: undefined,
  }));
}

/** Masks are found by their placeholder; what stood there is nowhere any more. */
function placeOf(
  text: string,
  { rule, span, detail }: Chosen,
): readonly [number, number] | undefined {
  const place = span ?? placeOfQuoted(text, detail);
  if (place !== undefined) return place;
  const kind = maskKinds.find(({ name }) => rule === `mask ${name}`);
  const at = kind === undefined ? -1 : text.indexOf(kind.placeholder);
  return at < 0 ? undefined : [at, at + (kind?.placeholder.length ?? 0)];
}

async function showExamples(
  store: Store,
  sources: Sources,
  chosen: readonly Chosen[],
): Promise<CleaningExample[]> {
  const documents = Uint32Array.from(new Set(chosen.map(({ document }) => document))).sort();
  const texts = new Map<number, string>();
  for await (const [number, text] of readCorpusRows(
    store,
    filesOf({ sources }),
    "text",
    documents,
  )) {
    texts.set(number as number, text as string);
  }
  return chosen.map((example) => {
    const { document, source, id, rule, detail } = example;
    const text = texts.get(document) ?? "";
    return { source, id, rule, detail, ...excerptAround(text, placeOf(text, example)) };
  });
}
