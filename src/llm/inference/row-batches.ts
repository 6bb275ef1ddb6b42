/**
 * Rows of tokens of any length as batches of a few fixed shapes, one compiled program for each
 * shape, made when first needed. Shorter batches hold more rows, so that all do the same work.
 *
 * Which shape a row gets is a function of its own length, so that its result depends on it alone.
 */
import type { Program } from "../../compute/backend.ts";
import { NutshellError } from "../../error.ts";
import { createLazyPrograms } from "./lazy-programs.ts";

export type TokenRow = readonly number[] | Int32Array;

/** One run of a program: which rows, and the program's B and T. */
export interface RowBatch {
  readonly B: number;
  readonly T: number;
  readonly program: Program;
  /** Indices of the rows, at most B. */
  readonly indices: readonly number[];
}

export interface RowBatcher {
  /** @param lengths positions that each row needs, at least 1 and at most the longest T */
  batches(lengths: readonly number[]): AsyncGenerator<RowBatch>;
  dispose(): Promise<void>;
}

/** Each batch length is this much shorter than the one before. */
const STEP = 4;
const SHORTEST = 16;

/**
 * @param B rows of the longest batch  @param T its positions
 * @param compile makes the program of one shape
 */
export function createRowBatcher(
  B: number,
  T: number,
  compile: (B: number, T: number) => Promise<Program>,
): RowBatcher {
  const shapes = lengthsUpTo(T).map((length) => ({ T: length, B: Math.floor((B * T) / length) }));
  const programs = createLazyPrograms((shape: (typeof shapes)[number]) =>
    compile(shape.B, shape.T),
  );
  return {
    async *batches(lengths) {
      const groups = Map.groupBy(lengths.keys(), (row) =>
        shapes.findLast((shape) => (lengths[row] as number) <= shape.T),
      );
      for (const [shape, indices] of groups) {
        if (shape === undefined) throw new Error("row batches: a row is longer than T");
        const program = await programs.of(shape);
        for (let first = 0; first < indices.length; first += shape.B)
          yield { ...shape, program, indices: indices.slice(first, first + shape.B) };
      }
    },
    dispose: () => programs.dispose(),
  };
}

/** Longest first: T, a quarter of it, … */
function lengthsUpTo(T: number): number[] {
  const lengths = [T];
  for (let next = Math.ceil(T / STEP); next >= SHORTEST; next = Math.ceil(next / STEP))
    lengths.push(next);
  return lengths;
}

/** @returns i32 [B, T]: the rows from the left, zeros behind them */
export function padRows(rows: readonly TokenRow[], B: number, T: number): Int32Array {
  const ids = new Int32Array(B * T);
  for (const [b, row] of rows.entries()) ids.set(row, b * T);
  return ids;
}

/**
 * @param where names the caller in the message
 * @throws CONFIG for a row without tokens, longer than `longest`, or with a token that is not in
 *   the model's table
 */
export function checkRows(
  rows: readonly TokenRow[],
  longest: number,
  vocabSize: number,
  where: string,
): void {
  for (const row of rows) {
    if (row.length < 1 || row.length > longest)
      throw new NutshellError(
        "CONFIG",
        `${where}: a row must have from 1 to ${longest} tokens, got ${row.length}. ` +
          "Cut it or leave it out, and count it.",
      );
    const stranger = row.find((id) => !(Number.isInteger(id) && id >= 0 && id < vocabSize));
    if (stranger !== undefined)
      throw new NutshellError(
        "CONFIG",
        `${where}: token ids must lie in [0, ${vocabSize}), got ${stranger}. ` +
          "Use the tokenizer stored beside the model.",
      );
  }
}
