/**
 * What a source is before anything of it is read: where its text lies, under which licence, in
 * which language, and how much of the training it should be. All plain data, so that it crosses
 * into worker threads and into a manifest as it is.
 */

/** What kind of text a source holds; the presets of a mixture are filled by it. */
export const domains = [
  "web",
  "encyclopedia",
  "books",
  "code",
  "science",
  "forum",
  "news",
  "dialogue",
  "other",
] as const;

export type Domain = (typeof domains)[number];

/** How the bytes of a file (after gzip) become documents. */
export type FileFormat = "jsonl" | "text" | "parquet" | "code";

/**
 * What one reader reads in one go and what is rebuilt when it changes. `name` is unique in its
 * source and the same wherever the source lies: ids of documents without one start with it.
 */
export type SourcePart =
  /** One file; `code`: as text, but never cut. */
  | {
      readonly kind: "file";
      readonly path: string;
      readonly name: string;
      readonly format: FileFormat;
    }
  /** Small files of one folder, each a document whose id is its path below `root`. */
  | {
      readonly kind: "files";
      readonly root: string;
      readonly name: string;
      readonly format: "text" | "code";
      /** Paths below `root` with forward slashes, sorted. */
      readonly files: readonly string[];
    }
  /** Text that the program brings along. */
  | { readonly kind: "builtin"; readonly name: string };

export interface SourceSpec {
  readonly name: string;
  readonly licence: string;
  /** ISO 639-1 code; undefined: not stated. */
  readonly language: string | undefined;
  /** One or two sentences: what it is and where it comes from. */
  readonly card: string;
  readonly domain: Domain;
  /** As asked, before temperature and schedule; relative to the other sources. */
  readonly weight: number;
  /** Seen at most this often in one run; undefined: as often as its share asks. */
  readonly maxEpochs: number | undefined;
  readonly parts: readonly SourcePart[];
}

/** What a source is under when neither a table, a card nor a README of it says more. */
export const UNSTATED_LICENCE = "as its owner says";
