/**
 * Causal scaled dot-product attention with grouped keys and an optional window, tiled with online
 * softmax in compiled backends: the T × S matrix never exists. B batch, T query time, S key time,
 * H query heads, K key heads (H % K === 0), D head size. Query t stands at position `first + t`
 * and sees keys j with position - window < j <= position. A query that sees no key gives zeros.
 * @see Vaswani et al. 2017; Ainslie et al. 2023 (GQA); Dao 2023 (tiling)
 */
import {
  applyAll,
  type Data,
  type Node,
  type Op,
  shapeError,
  type TensorType,
  type Value,
} from "../graph.ts";

export interface AttentionAttrs {
  /** Keys that a query sees, itself included; absent = all before it. */
  readonly window: number | undefined;
}

export interface AttentionSizes {
  readonly B: number;
  readonly T: number;
  readonly S: number;
  readonly H: number;
  readonly K: number;
  readonly D: number;
}

export function attentionSizes(q: TensorType, k: TensorType, v: TensorType): AttentionSizes {
  const [B, T, H, D] = q.shape;
  const [Bk, S, K, Dk] = k.shape;
  const rank = q.shape.length === 4 && k.shape.length === 4 && v.shape.length === 4;
  const dtypes = q.dtype === k.dtype && q.dtype === v.dtype;
  if (!rank || !dtypes || B !== Bk || D !== Dk || k.shape.some((n, i) => n !== v.shape[i]))
    throw shapeError("attention", "q [B, T, H, D] must match k and v [B, S, K, D]", [q, k, v]);
  if (H % K !== 0) throw shapeError("attention", "key heads must divide query heads", [q, k, v]);
  return { B, T, S, H, K, D };
}

interface Row {
  readonly b: number;
  readonly h: number;
  readonly t: number;
  /** Offsets of the query row, and of key j = 0; `step` between keys. */
  readonly query: number;
  readonly key: number;
  readonly step: number;
  /** Visible keys: from (inclusive) to (exclusive). */
  readonly from: number;
  readonly to: number;
}

function* queryRows(s: AttentionSizes, first: number, window: number | undefined): Generator<Row> {
  for (let b = 0; b < s.B; b++)
    for (let h = 0; h < s.H; h++)
      for (let t = 0; t < s.T; t++) {
        const at = first + t;
        yield {
          b,
          h,
          t,
          query: ((b * s.T + t) * s.H + h) * s.D,
          key: (b * s.S * s.K + Math.floor(h / (s.H / s.K))) * s.D,
          step: s.K * s.D,
          from: window === undefined ? 0 : Math.max(0, at - window + 1),
          to: Math.min(s.S, at + 1),
        };
      }
}

const dot = (a: Data, i: number, b: Data, j: number, n: number): number => {
  let total = 0;
  for (let d = 0; d < n; d++) total += a[i + d] * b[j + d];
  return total;
};

/** Without a given first position the last query stands at the last key. */
const firstPosition = (inputs: readonly Data[], at: number, s: AttentionSizes): number =>
  inputs[at]?.[0] ?? s.S - s.T;

const sizesOf = (node: Node<AttentionAttrs>): AttentionSizes =>
  attentionSizes(node.inputs[0], node.inputs[1], node.inputs[2]);

/** (q, k, v[, first]) → (o, logSumExp [B, H, T]). */
export const attentionOp: Op<AttentionAttrs> = {
  name: "attention",
  kind: "kernel",
  infer: ([q, k, v, first]) => {
    const { B, H, T } = attentionSizes(q, k, v);
    if (first !== undefined && (first.dtype !== "i32" || first.shape.length > 0))
      throw shapeError("attention", "the first position must be an i32 scalar", [first]);
    return [
      { shape: q.shape, dtype: q.dtype },
      { shape: [B, H, T], dtype: "f32" },
    ];
  },
  reference: (inputs, [o, lse], node) => {
    const [q, k, v] = inputs;
    const s = sizesOf(node);
    const scale = 1 / Math.sqrt(s.D);
    const sums = new Float64Array(s.D);
    for (const row of queryRows(s, firstPosition(inputs, 3, s), node.attrs.window)) {
      let top = -Infinity;
      for (let j = row.from; j < row.to; j++)
        top = Math.max(top, scale * dot(q, row.query, k, row.key + j * row.step, s.D));
      let total = 0;
      sums.fill(0);
      for (let j = row.from; j < row.to; j++) {
        const key = row.key + j * row.step;
        const p = Math.exp(scale * dot(q, row.query, k, key, s.D) - top);
        total += p;
        for (let d = 0; d < s.D; d++) sums[d] += p * v[key + d];
      }
      for (let d = 0; d < s.D; d++) o[row.query + d] = total > 0 ? sums[d] / total : 0;
      lse[(row.b * s.H + row.h) * s.T + row.t] = total > 0 ? top + Math.log(total) : 0;
    }
  },
  gradient: (node, [g, gLse]) => {
    if (gLse !== undefined)
      throw shapeError("attention", "the log-sum-exp output carries no gradient", [gLse]);
    const [q, k, v, ...first] = node.inputs;
    const o: Value = { node, index: 0, ...node.outputs[0] };
    const lse: Value = { node, index: 1, ...node.outputs[1] };
    const grads = applyAll(attentionGradOp, [q, k, v, o, lse, g as Value, ...first], node.attrs);
    return [...grads, undefined];
  },
};

/** (q, k, v, o, logSumExp, do[, first]) → (dq, dk, dv), each stored like its operand. */
export const attentionGradOp: Op<AttentionAttrs> = {
  name: "attentionGrad",
  kind: "kernel",
  infer: ([q, k, v]) => [q, k, v].map(({ shape, dtype }) => ({ shape, dtype })),
  reference: (inputs, [dq, dk, dv], node) => {
    const [q, k, v, o, lse, dy] = inputs;
    const s = sizesOf(node);
    const scale = 1 / Math.sqrt(s.D);
    const totals = [q, k, v].map((x) => new Float64Array(x.length));
    for (const row of queryRows(s, firstPosition(inputs, 6, s), node.attrs.window)) {
      const delta = dot(dy, row.query, o, row.query, s.D);
      const norm = lse[(row.b * s.H + row.h) * s.T + row.t];
      for (let j = row.from; j < row.to; j++) {
        const key = row.key + j * row.step;
        const p = Math.exp(scale * dot(q, row.query, k, key, s.D) - norm);
        const ds = scale * p * (dot(dy, row.query, v, key, s.D) - delta);
        for (let d = 0; d < s.D; d++) {
          totals[0][row.query + d] += ds * k[key + d];
          totals[1][key + d] += ds * q[row.query + d];
          totals[2][key + d] += p * dy[row.query + d];
        }
      }
    }
    [dq, dk, dv].forEach((out, i) => void out.set(totals[i]));
  },
  gradient: { none: "a gradient rule; second derivatives are not taken" },
};

/**
 * @param q [B, T, H, D]  @param k [B, S, K, D]  @param v [B, S, K, D]
 * @param first i32 scalar, position of query 0; absent: the last query stands at the last key
 * @returns [B, T, H, D], dtype of q; softmax in f32
 * @throws SHAPE when heads do not divide or sizes differ
 */
export function attention(
  q: Value,
  k: Value,
  v: Value,
  options: { window?: number; first?: Value } = {},
): Value {
  const inputs = options.first === undefined ? [q, k, v] : [q, k, v, options.first];
  return applyAll(attentionOp, inputs, { window: options.window })[0];
}
