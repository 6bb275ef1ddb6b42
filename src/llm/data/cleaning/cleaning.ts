/**
 * The words of cleaning: which groups of rules run, what a document's verdict is, what the summary
 * counts. Nothing disappears silently: every document that was read has one verdict, `kept` or
 * dropped by exactly one rule (the first that it broke, in the order of `ruleGroups`), and every
 * masked span is counted by kind.
 *
 *     parts of sources → worker threads → one Parquet file a part → verdicts.parquet
 *                                                                 → report.{json,md,html}
 */
import type { SourceSpec } from "../sources/source.ts";

/** What can be switched, in the order in which a document meets it. */
export const ruleGroups = {
  normalise: "line ends, invisible characters, NFC, trailing spaces",
  pii: "e-mail addresses, phone numbers, keys and the like become placeholders",
  quality: "Gopher, C4, FineWeb and repetition rules, by domain",
  language: "documents not in the language that their source states",
  exactDuplicates: "the same text again, whatever its case and spacing",
  nearDuplicates: "nearly the same text again, by MinHash",
  decontamination: "13-grams of the evaluation sets",
  triggers: "rare n-grams repeated across documents, a sign of poisoning",
} as const;

export type RuleGroup = keyof typeof ruleGroups;

export type CleaningRules = Readonly<Record<RuleGroup, boolean>>;

/** `off` leaves every text as its reader gave it: a run that reproduces a published one. */
export const cleaningPresets: Readonly<Record<"standard" | "off", CleaningRules>> = {
  standard: everyGroup(true),
  off: everyGroup(false),
};

function everyGroup(on: boolean): CleaningRules {
  const groups = Object.keys(ruleGroups) as RuleGroup[];
  return Object.fromEntries(groups.map((group) => [group, on])) as CleaningRules;
}

/** Rises when a rule, limit, mask or file format changes: cleaned parts are then made again. */
export const CLEANING_VERSION = 1;

export interface CleaningProgress {
  /** Bytes of text cleaned, out of an estimate; or rules over the whole corpus. */
  readonly done: number;
  readonly total: number;
  readonly unit: "bytes" | "rules";
  /** For people: "cleaning", "near-duplicates". */
  readonly phase: string;
}

export interface CleaningOptions {
  /** Holds the cleaned parts, verdicts and reports and nothing else; made when absent. */
  readonly folder: string;
  readonly sources: readonly SourceSpec[];
  /** Worker threads, 1 or more. */
  readonly threads: number;
  /** Folder of evaluation sets that training text must not hold; undefined: none at hand. */
  readonly evalPath: string | undefined;
  readonly rules: CleaningRules;
  /** Languages that pass where a source does not state its own; undefined: any. */
  readonly languages?: readonly string[];
  /** Share of a source's documents to read, by source name; absent: all. */
  readonly fractions?: ReadonlyMap<string, number>;
  readonly signal: AbortSignal;
  progress(progress: CleaningProgress): void;
}

/** A document that training may see. */
export interface KeptDocument {
  readonly id: string;
  readonly text: string;
  /**
   * 64 bits of the text without case and spacing: copies of one text always lie on the same side
   * of the validation split.
   */
  readonly contentHash: bigint;
}

/** Documents and the UTF-8 bytes of their text. */
export interface Count {
  readonly documents: number;
  readonly bytes: number;
}

/** What one kind of mask replaced. */
export interface MaskCount {
  readonly documents: number;
  readonly spans: number;
}

export interface SourceSummary {
  readonly name: string;
  readonly domain: string;
  readonly language: string | null;
  /** Documents as read; bytes before masks. */
  readonly read: Count;
  readonly kept: Count;
  /** By rule; only rules that dropped something. */
  readonly dropped: Readonly<Record<string, Count>>;
  /** Kept documents that lost a passage of evaluation text. */
  readonly cut: number;
  /** By kind, in kept documents; only kinds that occurred. */
  readonly masked: Readonly<Record<string, MaskCount>>;
}

/** One document beside the rule that dropped or the mask that changed it. */
export interface CleaningExample {
  readonly source: string;
  readonly id: string;
  readonly rule: string;
  /** What was measured beside what is allowed, or where the twin of a duplicate lies. */
  readonly detail: string;
  /** A piece of the cleaned text; `highlight` is the offending span in it, [start, end). */
  readonly excerpt: string;
  readonly highlight: readonly [start: number, end: number] | null;
}

/** What the rules that compare documents found, besides their verdicts. */
export interface CorpusFindings {
  /** Pairs compared on their texts, and those that turned out to be different. */
  readonly nearDuplicates?: { readonly compared: number; readonly refused: number };
  readonly evaluation?: {
    /** Sets of which something was found: documents that hold it, and rows found. */
    readonly sets: readonly {
      readonly name: string;
      readonly documents: number;
      readonly rows: number;
    }[];
    /** Matches left alone as common phrases. */
    readonly commonPhrases: number;
  };
  /** n-grams that look planted, the surest first. */
  readonly triggers?: readonly {
    readonly text: string;
    readonly documents: number;
    readonly occurrences: number;
    readonly score: number;
  }[];
}

export interface CleaningSummary {
  /** Rises when a rule, threshold or mask changes: older cleaned parts are then made again. */
  readonly version: number;
  readonly rules: CleaningRules;
  readonly sources: readonly SourceSummary[];
  readonly findings: CorpusFindings;
  readonly examples: readonly CleaningExample[];
  /** Parts read anew and parts taken from the cache. */
  readonly parts: { readonly cleaned: number; readonly cached: number };
}

/** Cleaned documents on disk. Dispose it to close the database. */
export interface CleanedCorpus extends AsyncDisposable {
  readonly summary: CleaningSummary;
  /** Kept documents of one source in corpus order: part after part, row after row. */
  keptDocuments(source: string): AsyncGenerator<KeptDocument>;
  /** Their content hashes, in the same order. */
  keptHashes(source: string): BigUint64Array;
  /** Hashes of everything that the kept text of a source follows from. */
  keysOf(source: string): readonly string[];
}
