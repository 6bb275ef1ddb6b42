/**
 * What the main thread and its cleaning workers say to each other: plain data.
 */
import type { Domain, SourcePart } from "../sources/source.ts";
import type { CleaningRules } from "./cleaning.ts";
import type { EvalIndex } from "./decontaminate.ts";
import type { PartFile } from "./part-file.node.ts";

/** Given once, at the start of a worker. */
export interface WorkerFacts {
  readonly folder: string;
  readonly rules: CleaningRules;
  readonly languages: readonly string[] | undefined;
  readonly evalIndex: EvalIndex | undefined;
  /** One Int32: not 0 asks the worker to stop at the next document. */
  readonly stop: SharedArrayBuffer;
}

/** One part to clean. */
export interface PartTask {
  readonly key: string;
  readonly part: SourcePart;
  readonly domain: Domain;
  readonly language: string | undefined;
  readonly fraction: number;
}

export type WorkerReport =
  | { readonly type: "progress"; readonly key: string; readonly bytes: number }
  | { readonly type: "done"; readonly key: string; readonly files: readonly PartFile[] }
  | { readonly type: "stopped" }
  | { readonly type: "failed"; readonly code: string | undefined; readonly error: Error };
