/**
 * Matrix product, batched over leading axes. With `compute: "bf16"` operands are rounded to bf16
 * and sums stay f32, as the CPU's dot-product instructions do.
 */
import {
  apply,
  type Data,
  type DType,
  type Op,
  type Shape,
  shapeError,
  type TensorType,
  type Value,
} from "../graph.ts";
import { roundBf16 } from "../numbers.ts";
import { sameShape, sizeOf } from "../shape.ts";
import { packedOf } from "./dequantize.ts";
import { cast } from "./elementwise.ts";
import { quantLinear } from "./quant-linear.ts";
import { reshape } from "./reshape.ts";

export interface MatmulAttrs {
  /** op(A)[m, k] reads a[k, m]; op(B)[k, n] reads b[n, k]. */
  readonly transposeA: boolean;
  readonly transposeB: boolean;
  readonly compute: "f32" | "bf16";
  /** Storage of the product. */
  readonly dtype: DType;
}

export interface MatmulSizes {
  readonly batch: number;
  readonly M: number;
  readonly N: number;
  readonly K: number;
}

export function matmulSizes(a: TensorType, b: TensorType, attrs: MatmulAttrs): MatmulSizes {
  const [ar, ac] = a.shape.slice(-2);
  const [br, bc] = b.shape.slice(-2);
  const [M, K] = attrs.transposeA ? [ac, ar] : [ar, ac];
  const [inner, N] = attrs.transposeB ? [bc, br] : [br, bc];
  const matrices = a.shape.length >= 2 && b.shape.length >= 2;
  if (!matrices || K !== inner || !sameShape(a.shape.slice(0, -2), b.shape.slice(0, -2)))
    throw shapeError("matmul", "inner sizes and leading axes must agree", [a, b]);
  return { batch: sizeOf(a.shape.slice(0, -2)), M, N, K };
}

function productInto(a: Data, b: Data, out: Data, s: MatmulSizes, attrs: MatmulAttrs): void {
  const { M, N, K } = s;
  // Rounding is the identity in the f64 mode that finite differences use.
  const exact = attrs.compute === "f32" || a instanceof Float64Array;
  const read = exact ? (x: number): number => x : roundBf16;
  for (let batch = 0; batch < s.batch; batch++) {
    const [pa, pb, pc] = [batch * M * K, batch * K * N, batch * M * N];
    const row = new Float64Array(N);
    for (let m = 0; m < M; m++) {
      row.fill(0);
      for (let k = 0; k < K; k++) {
        const x = read(a[pa + (attrs.transposeA ? k * M + m : m * K + k)]);
        for (let n = 0; n < N; n++)
          row[n] += x * read(b[pb + (attrs.transposeB ? n * K + k : k * N + n)]);
      }
      out.set(row, pc + m * N);
    }
  }
}

export const matmulOp: Op<MatmulAttrs> = {
  name: "matmul",
  kind: "kernel",
  infer: ([a, b], attrs) => {
    const { M, N } = matmulSizes(a, b, attrs);
    return [{ shape: [...a.shape.slice(0, -2), M, N], dtype: attrs.dtype }];
  },
  reference: ([a, b], [out], node) =>
    productInto(a, b, out, matmulSizes(node.inputs[0], node.inputs[1], node.attrs), node.attrs),
  gradient: (node, [g]) => {
    const [a, b] = node.inputs;
    const { transposeA: ta, transposeB: tb, compute } = node.attrs;
    const dy = compute === "bf16" ? cast(g as Value, "bf16") : (g as Value);
    const product = (x: Value, y: Value, transposeA: boolean, transposeB: boolean): Value =>
      apply(matmulOp, [x, y], { transposeA, transposeB, compute, dtype: "f32" });
    return [
      ta ? product(b, dy, tb, true) : product(dy, b, false, !tb),
      tb ? product(dy, a, true, ta) : product(a, dy, !ta, false),
    ];
  },
};

const flatten = (x: Value): Value => {
  const columns = x.shape[x.shape.length - 1];
  return reshape(x, [sizeOf(x.shape) / columns, columns]);
};

/**
 * op(A) · op(B). When B is a matrix and A has leading axes, these count as rows.
 * @param a [..., M, K] (or [..., K, M] with transposeA)
 * @param b [..., K, N] (or [..., N, K] with transposeB)
 * @returns [..., M, N]
 * @throws SHAPE when inner sizes or leading axes differ
 */
export function matmul(a: Value, b: Value, options: Partial<MatmulAttrs> = {}): Value {
  const attrs: MatmulAttrs = {
    transposeA: false,
    transposeB: false,
    compute: "f32",
    dtype: "f32",
    ...options,
  };
  if (b.shape.length !== 2 || a.shape.length <= 2) return apply(matmulOp, [a, b], attrs);
  if (attrs.transposeA)
    throw shapeError("matmul", "transposeA needs operands of equal rank", [a, b]);
  const y = apply(matmulOp, [flatten(a), b], attrs);
  return reshape(y, [...a.shape.slice(0, -1), y.shape[1]] as Shape);
}

/**
 * A linear layer without bias: x · Wᵀ, W as [out, in] like Hugging Face's files. A quantised W
 * (`dequantize`) is read as it is stored.
 */
export function linear(
  x: Value,
  weight: Value,
  precision: "f32" | "bf16",
  dtype: DType = precision,
): Value {
  const packed = packedOf(weight);
  if (packed === undefined)
    return matmul(x, weight, { transposeB: true, compute: precision, dtype });
  const y = quantLinear(flatten(x), packed, precision, dtype);
  return reshape(y, [...x.shape.slice(0, -1), y.shape[1]]);
}
