/** Rows of an evaluation set: a seeded sample of a JSONL file, each as the question it holds. */
import { stat } from "node:fs/promises";
import { join } from "node:path";
import { NutshellError } from "../../error.ts";
import { createPermutation } from "../data/sampling/permutation.ts";
import { splitOfQuestion } from "../tasks/file-tasks.node.ts";
import { readJsonRows } from "../tasks/json-rows.node.ts";
import type { DataSet } from "./data-sets.ts";
import type { EvalItem, LocatedRow } from "./items.ts";

export interface Sampled {
  readonly item: EvalItem;
  /** Other solved items of its set, to be shown before it; as many as were asked for. */
  readonly shots: readonly EvalItem[];
}

/** Streams of permutations: which rows, and which examples of a row. */
const ROWS = 0x726f7773;
const SHOTS = 0x73686f74;

/** @returns undefined when the file is not there  @throws DATA for a row that is not as it must be */
export async function readItems(
  folder: string,
  set: DataSet,
  options: { readonly maxRows: number; readonly shots: number; readonly seed: number },
): Promise<Sampled[] | undefined> {
  const path = join(folder, set.file);
  if (!(await isThere(path))) return undefined;
  const rows = (await readRows(path)).filter((row) => isAsked(set, row));
  const { maxRows, shots, seed } = options;
  const pool = set.shotsFile === undefined ? rows : await readRows(join(folder, set.shotsFile));
  const drawn = createPermutation(rows.length, seed, ROWS, 0);
  return Array.from({ length: Math.min(maxRows, rows.length) }, (_, i) => {
    const index = drawn(i);
    const own = rows[index] as LocatedRow;
    const near = pool.filter((other) => other !== own && sameGroup(set, other, own));
    const order = createPermutation(near.length, seed, SHOTS, index);
    const count = Math.min(shots, near.length);
    const chosen = Array.from({ length: count }, (_, s) => near[order(s)] as LocatedRow);
    return { item: set.toItem(own), shots: chosen.map(set.toItem) };
  });
}

function sameGroup({ groupBy }: DataSet, a: LocatedRow, b: LocatedRow): boolean {
  return groupBy === undefined || a.row[groupBy] === b.row[groupBy];
}

async function readRows(path: string): Promise<LocatedRow[]> {
  const rows: LocatedRow[] = [];
  for await (const { row, line } of readJsonRows(path)) {
    rows.push({ row, where: `${path}:${line}` });
  }
  if (rows.length > 0) return rows;
  const what = `${path}: an evaluation set must hold rows, got none. Copy the set again.`;
  throw new NutshellError("DATA", what);
}

function isAsked({ heldOut = false, toItem }: DataSet, row: LocatedRow): boolean {
  if (!heldOut) return true;
  const item = toItem(row);
  return item.kind !== "open" || splitOfQuestion(item.question) === "test";
}

/** A file that is there and cannot be read is found out by reading it. */
async function isThere(path: string): Promise<boolean> {
  try {
    await stat(path);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code !== "ENOENT";
  }
}
