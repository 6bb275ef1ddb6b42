/** Bytes of a model: in its file, and while it trains with AdamW (activations not counted). */

export type FileFormat = "bf16" | "int8" | "int4";

/** Bytes per parameter in a file; fp16 is as large as bf16, scales of int8 and int4 not counted. */
const FILE_BYTES: Readonly<Record<FileFormat, number>> = { bf16: 2, int8: 1, int4: 0.5 };

export type FileSizes = Readonly<Record<FileFormat, number>>;

/** @returns bytes of the weights file in each format */
export function fileSizes(params: number): FileSizes {
  const size = (format: FileFormat): number => params * FILE_BYTES[format];
  return { bf16: size("bf16"), int8: size("int8"), int4: size("int4") };
}

export type Precision = "f32" | "bf16";

/** Bytes of each kind of state, for all parameters. */
export interface TrainingMemory {
  readonly weights: number;
  readonly gradients: number;
  /** AdamW's two f32 moments. */
  readonly optimizer: number;
  readonly total: number;
}

/** f32: 4 + 4 + 8 bytes a parameter. bf16: an f32 master beside the bf16 weights, bf16 gradients. */
export function trainingMemory(params: number, precision: Precision): TrainingMemory {
  const weights = params * (precision === "bf16" ? 2 + 4 : 4);
  const gradients = params * (precision === "bf16" ? 2 : 4);
  const optimizer = params * 8;
  return { weights, gradients, optimizer, total: weights + gradients + optimizer };
}
