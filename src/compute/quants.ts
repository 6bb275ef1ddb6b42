/**
 * Quantised matrices and how they lie in memory. A block is 32 neighbours of one row with one f16
 * scale: q8_0 keeps whole numbers -127..127, q4_0 -8..7 (stored with 8 added); number · scale is
 * the weight. Bytes are those of GGUF's formats of these names, 8.5 and 4.5 bits a weight.
 *
 * Packed, 16 rows lie side by side, since products want sixteen sums in one register:
 *
 *     quants i32 [panels, C / 4, 16]   q8_0: the bytes of four columns of a row, lowest first
 *     quants i32 [panels, C / 8, 16]   q4_0: columns 0..3 in the bytes' low halves, 4..7 in the high
 *     scales i32 [panels, C / 32, 8]   two f16 a word: rows 0 and 1, 2 and 3, ...
 *
 * Rows beyond the matrix have scale 0.
 */
import { NutshellError } from "../error.ts";
import type { TensorType } from "./graph.ts";
import { fromF16 } from "./numbers.ts";
import { sizeOf } from "./shape.ts";

export type QuantFormat = "q8_0" | "q4_0";

/** Columns that share a scale. */
export const BLOCK = 32;
/** Rows side by side. */
export const PANEL = 16;

/** Columns in one i32, and what is added to a number before it is stored. */
const packings = { q8_0: { columns: 4, bias: 0 }, q4_0: { columns: 8, bias: 8 } } as const;

export type MatrixShape = readonly [rows: number, columns: number];

/** Row-major, block after block, as files have it. */
export interface QuantMatrix {
  readonly format: QuantFormat;
  readonly shape: MatrixShape;
  /** [R, C], q8_0: -127..127, q4_0: -8..7 */
  readonly numbers: Int8Array;
  /** [R, C / 32], f16 bits */
  readonly scales: Uint16Array;
}

export interface PackedMatrix {
  readonly quants: Int32Array;
  readonly scales: Int32Array;
}

/** @throws SHAPE when a row is not whole blocks */
export function packedTypes(
  format: QuantFormat,
  [rows, columns]: MatrixShape,
): { readonly quants: TensorType; readonly scales: TensorType } {
  if (columns % BLOCK !== 0)
    throw new NutshellError(
      "SHAPE",
      `${format}: a row must be whole blocks of ${BLOCK} numbers, got ${columns}. Keep this matrix in bf16.`,
    );
  const panels = Math.ceil(rows / PANEL);
  const words = columns / packings[format].columns;
  return {
    quants: { shape: [panels, words, PANEL], dtype: "i32" },
    scales: { shape: [panels, columns / BLOCK, PANEL / 2], dtype: "i32" },
  };
}

/** Bits below the number of a word's column. */
const shiftOf = (column: number): number => 8 * (column & 3) + 4 * (column >> 2);

/** Where row `row` begins among words, or among f16 scales, of `perRow` a row. */
const startOf = (row: number, perRow: number): number =>
  Math.floor(row / PANEL) * PANEL * perRow + (row % PANEL);

export function packQuants({ format, shape, numbers, scales }: QuantMatrix): PackedMatrix {
  const [R, C] = shape;
  const types = packedTypes(format, shape);
  const quants = new Int32Array(sizeOf(types.quants.shape));
  const halves = new Uint16Array(2 * sizeOf(types.scales.shape));
  const { columns, bias } = packings[format];
  const mask = format === "q8_0" ? 255 : 15;
  for (let r = 0; r < R; r++) {
    for (let c = 0, at = startOf(r, C / columns); c < C; c += columns, at += PANEL)
      for (let j = 0; j < columns; j++)
        quants[at] |= ((numbers[r * C + c + j] + bias) & mask) << shiftOf(j);
    for (let b = 0, at = startOf(r, C / BLOCK); b < C / BLOCK; b++, at += PANEL)
      halves[at] = scales[(r * C) / BLOCK + b];
  }
  return { quants, scales: pairsOf(halves) };
}

/** Two f16 a word, the first in the low half. */
function pairsOf(halves: Uint16Array): Int32Array {
  const words = new Int32Array(halves.length / 2);
  for (let i = 0; i < halves.length; i++) words[i >> 1] |= halves[i] << (16 * (i & 1));
  return words;
}

/** @returns row `row` as numbers times scales */
export function dequantizeRow(
  format: QuantFormat,
  C: number,
  { quants, scales }: { quants: ArrayLike<number>; scales: ArrayLike<number> },
  row: number,
): Float64Array {
  const { columns, bias } = packings[format];
  const out = new Float64Array(C);
  for (let c = 0; c < C; c++) {
    const half = startOf(row, C / BLOCK) + Math.floor(c / BLOCK) * PANEL;
    const scale = fromF16((scales[half >> 1] >>> (16 * (half & 1))) & 0xffff);
    const word = quants[startOf(row, C / columns) + Math.floor(c / columns) * PANEL];
    const bits = word >> shiftOf(c % columns);
    out[c] = scale * (format === "q8_0" ? (bits << 24) >> 24 : (bits & 15) - bias);
  }
  return out;
}
