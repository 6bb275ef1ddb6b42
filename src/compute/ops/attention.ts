/**
 * Causal scaled dot-product attention with grouped keys and an optional window, tiled with online
 * softmax in compiled backends: the T × S matrix never exists. B batch, T query time, S key time,
 * H query heads, K key heads (H % K === 0), D head size. Query t stands at position `first + t`
 * and sees keys j with position - window < j <= position. A query that sees no key gives zeros.
 * Decoding many texts, each batch row has a first position, and maybe a row of the cache, its own.
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
import { sameShape } from "../shape.ts";
import { checkFirst, firstOfRow } from "./position.ts";

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

/** @param rows which of k's and v's batch rows each of q's reads; absent: its own */
export function attentionSizes(
  q: TensorType,
  k: TensorType,
  v: TensorType,
  rows?: TensorType,
): AttentionSizes {
  const [B, T, H, D] = q.shape;
  const [Bk, S, K, Dk] = k.shape;
  const rank = q.shape.length === 4 && k.shape.length === 4 && v.shape.length === 4;
  const dtypes = q.dtype === k.dtype && q.dtype === v.dtype;
  const placed = rows === undefined ? B === Bk : rows.dtype === "i32" && sameShape(rows.shape, [B]);
  if (!rank || !dtypes || !placed || D !== Dk || !sameShape(k.shape, v.shape))
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

interface Places {
  readonly window: number | undefined;
  /** One position, or one a row; without it the last query stands at the last key. */
  readonly first: Data | undefined;
  readonly rows: Data | undefined;
}

function* queryRows(s: AttentionSizes, { window, first, rows }: Places): Generator<Row> {
  for (let b = 0; b < s.B; b++)
    for (let h = 0; h < s.H; h++)
      for (let t = 0; t < s.T; t++) {
        const at = t + (first === undefined ? s.S - s.T : firstOfRow(first, b));
        yield {
          b,
          h,
          t,
          query: ((b * s.T + t) * s.H + h) * s.D,
          key: ((rows?.[b] ?? b) * s.S * s.K + Math.floor(h / (s.H / s.K))) * s.D,
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

/** Of a node of either op: both begin with q, k, v. */
const sizesOf = ({ inputs: [q, k, v] }: Node<AttentionAttrs>, rows?: TensorType): AttentionSizes =>
  attentionSizes(q, k, v, rows);

/** (q, k, v[, first[, rows]]) → (o, logSumExp [B, H, T]). */
export const attentionOp: Op<AttentionAttrs> = {
  name: "attention",
  kind: "kernel",
  infer: ([q, k, v, first, rows]) => {
    const { B, H, T } = attentionSizes(q, k, v, rows);
    if (first !== undefined) checkFirst("attention", first, B);
    return [
      { shape: q.shape, dtype: q.dtype },
      { shape: [B, H, T], dtype: "f32" },
    ];
  },
  reference: (inputs, [o, lse], node) => {
    const [q, k, v, first, rows] = inputs;
    const s = sizesOf(node, node.inputs[4]);
    const scale = 1 / Math.sqrt(s.D);
    const sums = new Float64Array(s.D);
    for (const row of queryRows(s, { ...node.attrs, first, rows })) {
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
    if (first.length > 1)
      throw shapeError("attention", "rows of a cache carry no gradient", node.inputs);
    const o: Value = { node, index: 0, ...node.outputs[0] };
    const lse: Value = { node, index: 1, ...node.outputs[1] };
    const grads = applyAll(attentionGradOp, [q, k, v, o, lse, g as Value, ...first], node.attrs);
    return [...grads, ...first.map(() => undefined)];
  },
};

/** (q, k, v, o, logSumExp, do[, first]) → (dq, dk, dv), each stored like its operand. */
export const attentionGradOp: Op<AttentionAttrs> = {
  name: "attentionGrad",
  kind: "kernel",
  infer: ([q, k, v]) => [q, k, v].map(({ shape, dtype }) => ({ shape, dtype })),
  reference: (inputs, [dq, dk, dv], node) => {
    const [q, k, v, o, lse, dy, first] = inputs;
    const s = sizesOf(node);
    const scale = 1 / Math.sqrt(s.D);
    const totals = [q, k, v].map((x) => new Float64Array(x.length));
    for (const row of queryRows(s, { ...node.attrs, first, rows: undefined })) {
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
 * @param first i32 scalar or, one for each row, i32 [B]: position of query 0; absent: the last
 *   query stands at the last key
 * @param rows i32 [B], with `first`: the row of k and v [R, S, K, D] that each row of q reads
 * @returns [B, T, H, D], dtype of q; softmax in f32
 * @throws SHAPE when heads do not divide or sizes differ
 */
export function attention(
  q: Value,
  k: Value,
  v: Value,
  options: { window?: number; first?: Value; rows?: Value } = {},
): Value {
  const { window, first, rows } = options;
  if (rows !== undefined && first === undefined)
    throw shapeError("attention", "rows of a cache need first positions", [rows]);
  const places = [first, rows].filter((x) => x !== undefined);
  return applyAll(attentionOp, [q, k, v, ...places], { window })[0];
}
