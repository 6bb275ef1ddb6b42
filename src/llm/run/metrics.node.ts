/**
 * `metrics.jsonl` of a run: one JSON object a line, appended as things happen; what the objects
 * hold is the stage's own. `step` counts the steps done. A checkpoint holds a copy, and resuming
 * starts from that copy, so the file never tells of steps that were lost.
 */
import { createHash } from "node:crypto";
import { appendFileSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { diskError } from "../../durable-file.node.ts";

export interface Metrics<R> {
  /** @throws DISK */
  add(record: R): void;
  /** The file's text. */
  text(): string;
}

export const METRICS_FILE = "metrics.jsonl";

/**
 * Starts the file of a run anew.
 * @param text what the run's checkpoint holds of it, "" for a new run
 * @param file told of every record, those of `text` first: where a stage sorts them
 * @throws DISK
 */
export function openMetrics<R extends { readonly step: number }>(
  runFolder: string,
  text: string,
  file: (record: R) => void,
): Metrics<R> {
  const path = join(runFolder, METRICS_FILE);
  const lines = text === "" ? [] : text.trimEnd().split("\n");
  for (const line of lines) file(JSON.parse(line) as R);
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
    add(record) {
      const line = JSON.stringify(record);
      write(() => appendFileSync(path, `${line}\n`));
      lines.push(line);
      file(record);
    },
    text: () => lines.map((line) => `${line}\n`).join(""),
  };
}

/** Identifies the data of one step; equal over runs exactly when every number is. */
export function hashArrays(arrays: Iterable<Int32Array | Float32Array>): string {
  const hash = createHash("sha256");
  for (const { buffer, byteOffset, byteLength } of arrays)
    hash.update(new Uint8Array(buffer, byteOffset, byteLength));
  return hash.digest("hex").slice(0, 16);
}
