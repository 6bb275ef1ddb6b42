/**
 * `metrics.jsonl` of a run: one JSON object a line, appended as things happen. `step` counts the
 * steps done. A checkpoint holds a copy, and resuming starts from that copy, so the file never
 * tells of steps that were lost.
 *
 *     {"step":1,"loss":8.3,"gradNorm":1.2,"lrm":0.1,"ms":182,"batch":"9f86…","skipped":true}
 *     {"step":100,"bpb":1.9,"valLoss":4.2,"sources":{"books":2.0,…}}
 *     {"step":100,"sample":"The …"}
 */
import { createHash } from "node:crypto";
import { appendFileSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { diskError } from "../../durable-file.node.ts";
import type { Batch } from "../data/sampling/batch.ts";
import type { EvalRecord, MetricRecord, StepRecord } from "./metric-records.ts";

export interface Metrics {
  readonly steps: readonly StepRecord[];
  readonly evals: readonly EvalRecord[];
  /** @throws DISK */
  add(record: MetricRecord): void;
  /** The file's text. */
  text(): string;
}

export const METRICS_FILE = "metrics.jsonl";

/**
 * Starts the file of a run anew.
 * @param text what the run's checkpoint holds of it, "" for a new run
 * @throws DISK
 */
export function openMetrics(runFolder: string, text: string): Metrics {
  const path = join(runFolder, METRICS_FILE);
  const lines = text === "" ? [] : text.trimEnd().split("\n");
  const [steps, evals]: [StepRecord[], EvalRecord[]] = [[], []];
  const file = (record: MetricRecord): void => {
    if ("bpb" in record) evals.push(record);
    else if ("loss" in record) steps.push(record);
  };
  for (const line of lines) file(JSON.parse(line) as MetricRecord);
  const write = (work: () => void): void => {
    try {
      work();
    } catch (error) {
      throw diskError(path, error, "The last checkpoint is intact. Then resume.");
    }
  };
  write(() => {
    mkdirSync(runFolder, { recursive: true });
    writeFileSync(path, text);
  });
  return {
    steps,
    evals,
    add(record) {
      const line = JSON.stringify(record);
      write(() => appendFileSync(path, `${line}\n`));
      lines.push(line);
      file(record);
    },
    text: () => lines.map((line) => `${line}\n`).join(""),
  };
}

/** Identifies the data of one step; equal over runs exactly when every token is. */
export function hashBatches(batches: readonly Batch[]): string {
  const hash = createHash("sha256");
  for (const { inputs, targets } of batches) hash.update(bytesOf(inputs)).update(bytesOf(targets));
  return hash.digest("hex").slice(0, 16);
}

function bytesOf({ buffer, byteOffset, byteLength }: Int32Array): Uint8Array {
  return new Uint8Array(buffer, byteOffset, byteLength);
}
