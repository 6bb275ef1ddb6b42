/**
 * Where the documents of a cleaned corpus lie: sources in their order, parts in theirs, files in
 * theirs. A document is its number in that order, which does not depend on threads or on what was
 * cleaned when.
 *
 *     corpus.json   {"layout": CorpusLayout, "verdicts": SHA-256 of verdicts.parquet}
 */
import type { SourceSpec } from "../sources/source.ts";
import type { CleaningRules } from "./cleaning.ts";

export interface FileLayout {
  /** Below `parts`. */
  readonly name: string;
  /** Number of the first document of its part: a document is `base` + `row`. */
  readonly base: number;
  /** Number of its own first document. */
  readonly first: number;
  readonly rows: number;
}

export interface PartLayout {
  readonly name: string;
  readonly key: string;
  /** Number of its first document. */
  readonly first: number;
  readonly files: readonly FileLayout[];
}

export interface SourceLayout {
  readonly name: string;
  readonly licence: string;
  readonly domain: string;
  readonly language: string | null;
  readonly first: number;
  readonly documents: number;
  readonly parts: readonly PartLayout[];
}

export interface CorpusLayout {
  readonly version: number;
  /** Hash of everything that the verdicts follow from. */
  readonly key: string;
  readonly rules: CleaningRules;
  readonly size: number;
  readonly sources: readonly SourceLayout[];
}

/** What `corpus.json` holds: written last, it makes the folder a corpus. */
export interface StoredCorpus {
  readonly layout: CorpusLayout;
  readonly verdicts: string;
}

export const CORPUS_FILE = "corpus.json";

export const REPORT_FILES = {
  json: "report.json",
  markdown: "report.md",
  html: "report.html",
} as const;

/** A part that was cleaned, before it has a place. */
export interface CleanedPart {
  readonly name: string;
  readonly key: string;
  readonly files: readonly { readonly name: string; readonly rows: number }[];
}

/** Numbers the documents of all parts. */
export function layOut(
  sources: readonly SourceSpec[],
  partsOf: (source: SourceSpec) => readonly CleanedPart[],
): Pick<CorpusLayout, "size" | "sources"> {
  let next = 0;
  const layouts = sources.map((source): SourceLayout => {
    const first = next;
    const parts = partsOf(source).map((part): PartLayout => {
      const start = next;
      const files = part.files.map(({ name, rows }) => {
        const file = { name, base: start, first: next, rows };
        next += rows;
        return file;
      });
      return { name: part.name, key: part.key, first: start, files };
    });
    const { name, licence, domain, language = null } = source;
    return { name, licence, domain, language, first, documents: next - first, parts };
  });
  return { size: next, sources: layouts };
}

/** All files in corpus order. */
export function filesOf(layout: Pick<CorpusLayout, "sources">): FileLayout[] {
  return layout.sources.flatMap(({ parts }) => parts.flatMap(({ files }) => files));
}
