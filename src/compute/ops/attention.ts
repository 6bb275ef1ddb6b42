/**
 * Causal scaled dot-product attention with grouped keys and an optional window, tiled with online
 * softmax in compiled backends: the T × S matrix never exists. B batch, T query time, S key time,
 * H query heads, K key heads (H % K === 0), D head size. Query t stands at position `first + t`
 * and sees keys j with position - window < j <= position. A query that sees no key gives zeros.
 * Decoding many texts, each batch row has a first position and pages of a cache of its own. Its
 * keys end where its first missing page begins, counted from the first key that query 0 sees.
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
import {
  checkFirst,
  endOfPages,
  firstOfRow,
  type PageSizes,
  pageSizes,
  slotOf,
} from "./position.ts";

export interface AttentionAttrs {
  /** Keys that a query sees, itself included; absent = all before it. */
  readonly window: number | undefined;
}

export interface AttentionSizes extends PageSizes {
  readonly B: number;
  readonly T: number;
  /** M · G. */
  readonly S: number;
  readonly H: number;
  readonly K: number;
  readonly D: number;
}

/** @param pages of k and v [P, G, K, D] that hold each text; absent: row b of [B, S, K, D] */
export function attentionSizes(
  q: TensorType,
  k: TensorType,
  v: TensorType,
  pages?: TensorType,
): AttentionSizes {
  const [B, T, H, D] = q.shape;
  const [, , K, Dk] = k.shape;
  const rank = q.shape.length === 4 && k.shape.length === 4 && v.shape.length === 4;
  const dtypes = q.dtype === k.dtype && q.dtype === v.dtype;
  const batch = pages !== undefined || B === k.shape[0];
  if (!rank || !dtypes || !batch || D !== Dk || !sameShape(k.shape, v.shape))
    throw shapeError("attention", "q [B, T, H, D] must match k and v [B, S, K, D]", [q, k, v]);
  if (H % K !== 0) throw shapeError("attention", "key heads must divide query heads", [q, k, v]);
  const sizes = pageSizes("attention", k, B, pages);
  return { ...sizes, B, T, S: sizes.M * sizes.G, H, K, D };
}

interface Row {
  readonly b: number;
  readonly h: number;
  readonly t: number;
  /** Offset of the query row. */
  readonly query: number;
  /** Offsets of the visible keys and values, in order. */
  readonly keys: readonly number[];
}

interface Places {
  readonly window: number | undefined;
  /** One position, or one a row; without it the last query stands at the last key. */
  readonly first: Data | undefined;
  readonly pages: Data | undefined;
}

/** Offsets of the keys that each query of text b sees, for key head 0. */
function visibleKeys(s: AttentionSizes, { window, first, pages }: Places, b: number): number[][] {
  const start = first === undefined ? s.S - s.T : firstOfRow(first, b);
  const fromOf = (t: number): number =>
    window === undefined ? 0 : Math.max(0, start + t - window + 1);
  const end = endOfPages(s, pages, b, fromOf(0));
  return Array.from({ length: s.T }, (_, t) => {
    const keys: number[] = [];
    for (let j = fromOf(t); j < Math.min(end, start + t + 1); j++)
      keys.push(slotOf(s, pages, b, j) * s.K * s.D);
    return keys;
  });
}

function* queryRows(s: AttentionSizes, places: Places): Generator<Row> {
  for (let b = 0; b < s.B; b++) {
    const visible = visibleKeys(s, places, b);
    for (let h = 0; h < s.H; h++)
      for (let t = 0; t < s.T; t++) {
        const head = Math.floor(h / (s.H / s.K)) * s.D;
        const query = ((b * s.T + t) * s.H + h) * s.D;
        yield { b, h, t, query, keys: visible[t].map((key) => key + head) };
      }
  }
}

const dot = (a: Data, i: number, b: Data, j: number, n: number): number => {
  let total = 0;
  for (let d = 0; d < n; d++) total += a[i + d] * b[j + d];
  return total;
};

/** Of a node of either op: both begin with q, k, v. */
const sizesOf = ({ inputs: [q, k, v] }: Node<AttentionAttrs>, pages?: TensorType): AttentionSizes =>
  attentionSizes(q, k, v, pages);

/** (q, k, v[, first[, pages]]) → (o, logSumExp [B, H, T]). */
export const attentionOp: Op<AttentionAttrs> = {
  name: "attention",
  kind: "kernel",
  infer: ([q, k, v, first, pages]) => {
    const { B, H, T } = attentionSizes(q, k, v, pages);
    if (first !== undefined) checkFirst("attention", first, B);
    return [
      { shape: q.shape, dtype: q.dtype },
      { shape: [B, H, T], dtype: "f32" },
    ];
  },
  reference: (inputs, [o, lse], node) => {
    const [q, k, v, first, pages] = inputs;
    const s = sizesOf(node, node.inputs[4]);
    const scale = 1 / Math.sqrt(s.D);
    const sums = new Float64Array(s.D);
    for (const row of queryRows(s, { ...node.attrs, first, pages })) {
      let top = -Infinity;
      for (const key of row.keys) top = Math.max(top, scale * dot(q, row.query, k, key, s.D));
      let total = 0;
      sums.fill(0);
      for (const key of row.keys) {
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
      throw shapeError("attention", "pages of a cache carry no gradient", node.inputs);
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
    for (const row of queryRows(s, { ...node.attrs, first, pages: undefined })) {
      const delta = dot(dy, row.query, o, row.query, s.D);
      const norm = lse[(row.b * s.H + row.h) * s.T + row.t];
      for (const key of row.keys) {
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
 * @param pages i32 [B, M], with `first`: the pages of k and v [P, G, K, D] that hold each text
 * @returns [B, T, H, D], dtype of q; softmax in f32
 * @throws SHAPE when heads do not divide or sizes differ
 */
export function attention(
  q: Value,
  k: Value,
  v: Value,
  options: { window?: number; first?: Value; pages?: Value } = {},
): Value {
  const { window, first, pages } = options;
  if (pages !== undefined && first === undefined)
    throw shapeError("attention", "pages of a cache need first positions", [pages]);
  const places = [first, pages].filter((x) => x !== undefined);
  return applyAll(attentionOp, [q, k, v, ...places], { window })[0];
}
