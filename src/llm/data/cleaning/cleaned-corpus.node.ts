/**
 * A cleaned corpus on disk, opened for reading: its summary and its kept documents.
 */
import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import type { DuckDBListValue } from "@duckdb/node-api";
import { NutshellError } from "../../../error.ts";
import type { CleanedCorpus, CleaningSummary, KeptDocument } from "./cleaning.ts";
import {
  CORPUS_FILE,
  REPORT_FILES,
  type SourceLayout,
  type StoredCorpus,
} from "./corpus-layout.ts";
import { readCorpusRows, type Store } from "./corpus-store.node.ts";
import { openDatabase, quote } from "./database.node.ts";
import { cutRanges, type Range } from "./decontaminate-judge.ts";
import { VERDICTS_FILE } from "./judge-corpus.node.ts";

const MEMORY_BYTES = 300e6;

/** What is known of a source's documents without their texts. */
interface KeptFacts {
  readonly hashes: BigUint64Array;
  /** Numbers of dropped documents. */
  readonly dropped: ReadonlySet<number>;
  readonly cuts: ReadonlyMap<number, readonly Range[]>;
}

/**
 * @param parts what the run that made it has to say; absent when it is only looked at
 * @throws DATA when the folder holds no cleaned corpus
 */
export async function openCleanedCorpus(
  folder: string,
  threads: number,
  parts: CleaningSummary["parts"] = { cleaned: 0, cached: 0 },
): Promise<CleanedCorpus> {
  const { layout } = JSON.parse(await readPiece(folder, CORPUS_FILE)) as StoredCorpus;
  const report = JSON.parse(await readPiece(folder, REPORT_FILES.json));
  const spillFolder = join(folder, "spill");
  const database = await openDatabase({ threads, memoryBytes: MEMORY_BYTES, spillFolder });
  const store = { database, folder };
  const facts = await readFacts(store, layout.sources.length);
  const find = (name: string): { source: SourceLayout; facts: KeptFacts } => {
    const index = layout.sources.findIndex((source) => source.name === name);
    return { source: layout.sources[index] as SourceLayout, facts: facts[index] as KeptFacts };
  };
  return {
    summary: { ...report, parts },
    keptDocuments: (name) => readKept(store, find(name)),
    keptHashes: (name) => find(name).facts.hashes,
    keysOf: (name) => keysOf(find(name)),
    async [Symbol.asyncDispose]() {
      database[Symbol.dispose]();
    },
  };
}

async function readPiece(folder: string, name: string): Promise<string> {
  const path = join(folder, name);
  try {
    return await readFile(path, "utf8");
  } catch (cause) {
    throw new NutshellError(
      "DATA",
      `${folder}: a folder of cleaned data must hold ${name}, got none. ` +
        "Run nutshell data prepare with this folder as --out first.",
      { cause },
    );
  }
}

async function readFacts({ database, folder }: Store, sources: number): Promise<KeptFacts[]> {
  const hashes = Array.from({ length: sources }, () => [] as bigint[]);
  const dropped = Array.from({ length: sources }, () => new Set<number>());
  const cuts = Array.from({ length: sources }, () => new Map<number, readonly Range[]>());
  const result = await database.connection.stream(
    `SELECT document, source, content_hash, verdict, cuts
     FROM read_parquet(${quote(join(folder, VERDICTS_FILE))}) ORDER BY document`,
  );
  for await (const rows of result.yieldRows()) {
    for (const [document, source, hash, verdict, ranges] of rows) {
      if (verdict === "dropped") dropped[source as number]?.add(document as number);
      else hashes[source as number]?.push(hash as bigint);
      if (verdict !== "cut") continue;
      const flat = (ranges as DuckDBListValue).items as number[];
      cuts[source as number]?.set(document as number, toRanges(flat));
    }
  }
  return hashes.map((list, i) => ({
    hashes: BigUint64Array.from(list),
    dropped: dropped[i] as Set<number>,
    cuts: cuts[i] as Map<number, readonly Range[]>,
  }));
}

function toRanges(flat: readonly number[]): Range[] {
  return Array.from({ length: flat.length / 2 }, (_, i) => [
    flat[2 * i] as number,
    flat[2 * i + 1] as number,
  ]);
}

async function* readKept(
  store: Store,
  { source, facts }: { source: SourceLayout; facts: KeptFacts },
): AsyncGenerator<KeptDocument> {
  const files = source.parts.flatMap((part) => part.files);
  for await (const [number, id, text, hash] of readCorpusRows(
    store,
    files,
    "id, text, content_hash",
  )) {
    const document = number as number;
    if (facts.dropped.has(document)) continue;
    const ranges = facts.cuts.get(document);
    const kept = ranges === undefined ? (text as string) : cutRanges(text as string, ranges);
    yield { id: id as string, text: kept, contentHash: hash as bigint };
  }
}

function keysOf({ source, facts }: { source: SourceLayout; facts: KeptFacts }): string[] {
  const keys = source.parts.map(({ key }) => key);
  if (facts.cuts.size === 0) return keys;
  // Cuts follow from the whole corpus; numbers of documents do not belong to the text.
  const cuts = JSON.stringify([...facts.cuts.values()]);
  return [...keys, createHash("sha256").update(cuts).digest("hex")];
}
