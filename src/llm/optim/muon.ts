/**
 * Muon: momentum whose matrix is replaced by its nearest orthogonal matrix, found by five Polar
 * Express iterations. For the matrices of the blocks; the other parameters take AdamW.
 *
 *     buf = lerp(buf, g, 1 - μ);  u = lerp(g, buf, μ)                      (Nesterov)
 *     X = u / (1.01 ‖u‖ + 1e-6), transposed when rows > columns
 *     A = X Xᵀ;  X = a X + (b A + c A²) X        for each (a, b, c)
 *     W = W (1 - lr·decay) - lr · sqrt(max(1, rows / columns)) · X
 *
 * @see Jordan et al. 2024 (Muon); Amsel et al. 2025 (Polar Express, the coefficients)
 */
import { state, type Value } from "../../compute/graph.ts";
import { add, cast, div, mul, select, sqrt, sub } from "../../compute/ops/elementwise.ts";
import { matmul } from "../../compute/ops/matmul.ts";
import { sumSquares } from "../../compute/ops/sum-squares.ts";
import { transpose } from "../../compute/ops/transpose.ts";
import type { ParameterSpec } from "../model/parameters.ts";
import type { Precision, StateUpdate } from "../model/transformer.ts";

const POLAR_EXPRESS = [
  [8.156554524902461, -22.48329292557795, 15.878769915207462],
  [4.042929935166739, -2.808917465908714, 0.5000178451051316],
  [3.8916678022926607, -2.772484153217685, 0.5060648178503393],
  [3.285753657755655, -2.3681294933425376, 0.46449024233003106],
  [2.3465413258596377, -1.7097828382687081, 0.42323551169305323],
] as const;

/** Scalars of one step, f32 []. */
export interface MuonStep {
  readonly lr: Value;
  readonly momentum: Value;
  /** Multiplies the gradient. */
  readonly gradScale: Value;
  /** 0 leaves weight and momentum as they are, even under a gradient that is not finite. */
  readonly apply: Value;
}

export interface MuonOptions {
  readonly weightDecay: number;
  readonly lrScale: number;
  readonly precision: Precision;
}

/** lerp(a, b, t) = a + t (b - a). */
const lerp = (a: Value, b: Value, t: Value): Value => add(a, mul(t, sub(b, a)));

/** The nearest (semi-)orthogonal matrix to u [M, N]: U·Vᵀ of its singular value decomposition. */
export function orthogonalize(u: Value, precision: Precision): Value {
  const [rows, columns] = u.shape as [number, number];
  const tall = rows > columns;
  const scaled = div(u, add(mul(1.01, sqrt(sumSquares([u]))), 1e-6));
  let x = cast(tall ? transpose(scaled, [1, 0]) : scaled, precision);
  for (const [a, b, c] of POLAR_EXPRESS) {
    const square = matmul(x, x, { transposeB: true, compute: precision, dtype: precision });
    const fourth = matmul(square, square, { compute: precision });
    const polynomial = cast(add(mul(b, square), mul(c, fourth)), precision);
    x = cast(add(mul(a, x), matmul(polynomial, x, { compute: precision })), precision);
  }
  return tall ? transpose(x, [1, 0]) : x;
}

/** Name of the momentum of one parameter. */
export function muonStateName(name: string): string {
  return `muon.momentum.${name}`;
}

/** @returns updates of the matrix and its momentum */
export function muonUpdates(
  spec: ParameterSpec,
  weight: Value,
  gradient: Value,
  step: MuonStep,
  options: MuonOptions,
): StateUpdate[] {
  const [rows, columns] = spec.shape as [number, number];
  const before = state(muonStateName(spec.name), spec.shape);
  const g = mul(gradient, step.gradScale);
  const after = lerp(before, g, sub(1, step.momentum));
  const x = orthogonalize(lerp(g, after, step.momentum), options.precision);
  const lr = mul(step.lr, options.lrScale);
  const kept = mul(weight, sub(1, mul(lr, options.weightDecay)));
  const moved = sub(kept, mul(mul(lr, Math.sqrt(Math.max(1, rows / columns))), x));
  return [
    { state: weight, value: select(step.apply, moved, weight) },
    { state: before, value: select(step.apply, after, before) },
  ];
}
