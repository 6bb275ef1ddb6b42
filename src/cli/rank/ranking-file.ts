/**
 * The file of somebody's rankings: one JSON object a line, in the shape that `nutshell reward
 * --data` reads. A line is on the disk before `add` returns, so that nothing is lost with a closed
 * window or a killed process; half a line that a kill left behind is cut off when the file opens.
 *
 * "Cannot say" is kept as well, as a ranking of one group: training leaves it out, and the question
 * is not asked again.
 */
import {
  closeSync,
  fsyncSync,
  ftruncateSync,
  mkdirSync,
  openSync,
  readFileSync,
  writeSync,
} from "node:fs";
import { dirname } from "node:path";
import { diskError } from "../../durable-file.node.ts";
import { NutshellError } from "../../error.ts";
import type { Message } from "../../llm/chat/conversation.ts";

export interface RankingRow {
  /** Of the prompt; see `promptId`. */
  readonly id: string;
  readonly prompt: readonly Message[];
  readonly responses: readonly string[];
  /** Groups of indices into `responses`, best first. */
  readonly ranking: readonly (readonly number[])[];
  readonly verdict: "ranked" | "cannot-say";
  /** Indices into `responses` in the order in which they were shown. */
  readonly shown: readonly number[];
  /** ISO 8601. */
  readonly at: string;
}

export interface RankingFile {
  /** Oldest first. */
  readonly rows: readonly RankingRow[];
  /** @throws DISK */
  add(row: RankingRow): void;
  /** Takes the last row out again; undefined when there is none. @throws DISK */
  undo(): RankingRow | undefined;
  close(): void;
}

/** @throws DATA when the file holds something else; DISK when it cannot be written */
export function openRankingFile(path: string): RankingFile {
  const file = guarded(path, () => {
    mkdirSync(dirname(path), { recursive: true });
    return openSync(path, "a+");
  });
  const bytes = readFileSync(path);
  const whole = bytes.subarray(0, bytes.lastIndexOf(10) + 1);
  guarded(path, () => ftruncateSync(file, whole.length));
  const lines = whole.toString("utf8").split("\n").slice(0, -1);
  const rows = lines.map((line, i) => parseRow(line, `${path}:${i + 1}`));
  const ends = lines.map((line) => Buffer.byteLength(line) + 1);
  return {
    rows,
    add(row) {
      const line = Buffer.from(`${JSON.stringify(row)}\n`);
      guarded(path, () => {
        writeSync(file, line);
        fsyncSync(file);
      });
      rows.push(row);
      ends.push(line.length);
    },
    undo() {
      if (rows.length === 0) return undefined;
      const length = ends.slice(0, -1).reduce((sum, bytes) => sum + bytes, 0);
      guarded(path, () => {
        ftruncateSync(file, length);
        fsyncSync(file);
      });
      ends.pop();
      return rows.pop();
    },
    close: () => closeSync(file),
  };
}

function parseRow(line: string, where: string): RankingRow {
  const row = tryParse(line) as Partial<RankingRow> | undefined;
  const isRow = typeof row?.id === "string" && Array.isArray(row.responses);
  if (isRow && Array.isArray(row.ranking)) return row as RankingRow;
  throw new NutshellError(
    "DATA",
    `${where}: a row must be a ranking made here, got ${line.slice(0, 60)}. Choose another --out.`,
  );
}

function tryParse(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}

function guarded<T>(path: string, work: () => T): T {
  try {
    return work();
  } catch (error) {
    throw diskError(path, error, "Rankings saved before are intact.");
  }
}
