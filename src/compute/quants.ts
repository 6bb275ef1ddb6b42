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

/** Where one number stands: its word, and the bits below it. */
function numberPlace(format: QuantFormat, columns: number, row: number, column: number) {
  const width = packings[format].columns;
  const word = Math.floor(row / PANEL) * (columns / width) + Math.floor(column / width);
  const inWord = column % width;
  return { word: word * PANEL + (row % PANEL), shift: 8 * (inWord & 3) + 4 * (inWord >> 2) };
}

function scalePlace(columns: number, row: number, block: number): { word: number; shift: number } {
  const half = (Math.floor(row / PANEL) * (columns / BLOCK) + block) * PANEL + (row % PANEL);
  return { word: half >> 1, shift: 16 * (half & 1) };
}

export function packQuants({ format, shape, numbers, scales }: QuantMatrix): PackedMatrix {
  const [R, C] = shape;
  const types = packedTypes(format, shape);
  const packed = {
    quants: new Int32Array(types.quants.shape.reduce((a, b) => a * b)),
    scales: new Int32Array(types.scales.shape.reduce((a, b) => a * b)),
  };
  const { bias } = packings[format];
  const mask = format === "q8_0" ? 255 : 15;
  for (let r = 0; r < R; r++) {
    for (let c = 0; c < C; c++) {
      const { word, shift } = numberPlace(format, C, r, c);
      packed.quants[word] |= ((numbers[r * C + c] + bias) & mask) << shift;
    }
    for (let b = 0; b < C / BLOCK; b++) {
      const { word, shift } = scalePlace(C, r, b);
      packed.scales[word] |= scales[(r * C) / BLOCK + b] << shift;
    }
  }
  return packed;
}

/** @returns row `row` as numbers times scales */
export function dequantizeRow(
  format: QuantFormat,
  columns: number,
  { quants, scales }: { quants: ArrayLike<number>; scales: ArrayLike<number> },
  row: number,
): Float64Array {
  const { bias } = packings[format];
  const out = new Float64Array(columns);
  for (let c = 0; c < columns; c++) {
    const at = numberPlace(format, columns, row, c);
    const bits = quants[at.word] >> at.shift;
    const number = format === "q8_0" ? (bits << 24) >> 24 : (bits & 15) - bias;
    const scale = scalePlace(columns, row, Math.floor(c / BLOCK));
    out[c] = number * fromF16((scales[scale.word] >>> scale.shift) & 0xffff);
  }
  return out;
}
