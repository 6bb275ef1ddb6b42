/** Rows of an evaluation set: a seeded sample of a JSONL file, each as the question it holds. */
import { stat } from "node:fs/promises";
import { join } from "node:path";
import { NutshellError } from "../../error.ts";
import { createPermutation } from "../data/sampling/permutation.ts";
import { lineBlocks } from "../data/sources/line-blocks.node.ts";
import type { DataSet } from "./data-sets.ts";
import type { DataRow, EvalItem, LocatedRow } from "./items.ts";

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
  if ((await stat(path).catch(() => undefined)) === undefined) return undefined;
  const rows = await readRows(path);
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
  for await (const { bytes, firstLine } of lineBlocks(path)) {
    for (const [i, text] of bytes.toString().split("\n").entries()) {
      const where = `${path}: line ${firstLine + i}`;
      if (text.trim() !== "") rows.push({ row: parseRow(text, where), where });
    }
  }
  if (rows.length > 0) return rows;
  const what = `${path}: an evaluation set must hold rows, got none. Copy the set again.`;
  throw new NutshellError("DATA", what);
}

function parseRow(text: string, where: string): DataRow {
  const value = tryParse(text);
  if (typeof value === "object" && value !== null && !Array.isArray(value)) return value as DataRow;
  const rule = `${where}: every line must be a JSON object, got ${text.slice(0, 60)}.`;
  throw new NutshellError("DATA", `${rule} Repair the line or take it out.`);
}

function tryParse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
