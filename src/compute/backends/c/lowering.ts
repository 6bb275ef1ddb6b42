/** Kernel ops → calls of the kernel library: one row per op. */

import type { DType, Node, TensorType } from "../../graph.ts";
import { type AttentionSizes, attentionSizes } from "../../ops/attention.ts";
import type { PageSizes } from "../../ops/position.ts";
import { writeRowsSizes } from "../../ops/write-rows.ts";
import { rowsAndColumns, sizeOf } from "../../shape.ts";
import { literal } from "./expression.ts";

export interface Call {
  /** A C statement. */
  readonly statement: string;
  /** C expression: bytes of scratch that it needs. */
  readonly scratch?: string;
}

export interface Operands {
  /** C expressions of typed or void pointers. */
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly scratch: string;
}

type Lowering = (node: Node, x: Operands) => Call;

const TYPES: Readonly<Record<DType, string>> = { f32: "F32", bf16: "BF16", i32: "F32" };
export const typeName = (type: TensorType): string => TYPES[type.dtype];

const float = (x: number): string => literal(x, "f32");
const call = (name: string, ...args: readonly (string | number)[]): string =>
  `${name}(w, ${args.join(", ")});`;
const bytes = (name: string, ...args: readonly (string | number)[]): string =>
  `${name}(${args.join(", ")})`;

const attentionArgs = ({ B, T, S, H, K, D }: AttentionSizes): number[] => [B, T, S, H, K, D];

/** Where texts stand and lie: the operands `first` and `pages`, NULL for one not given. */
const places = (
  type: TensorType | undefined,
  first = "NULL",
  pages = "NULL",
  { P, G, M }: PageSizes = { P: 0, G: 0, M: 0 },
): string => `(Places){${first}, ${type?.shape.length ?? 0}, ${pages}, ${P}, ${G}, ${M}}`;

export const lowerings: Readonly<Record<string, Lowering>> = {
  rmsNorm: (node, { inputs: [x, gain], outputs: [y, scale] }) => {
    const [rows, C] = rowsAndColumns(node.inputs[0].shape);
    const types = [typeName(node.inputs[0]), typeName(node.outputs[0])];
    const eps = float(node.attrs.eps);
    return { statement: call("rms_norm", rows, C, eps, x, types[0], gain, y, types[1], scale) };
  },
  rmsNormGrad: (node, { inputs: [x, gain, scale, dy, residual], outputs: [dx, dw], scratch }) => {
    const [rows, C] = rowsAndColumns(node.inputs[0].shape);
    const [xType, , , dyType] = node.inputs.map(typeName);
    const args = [x, xType, gain, scale, dy, dyType, residual ?? "NULL", dx, dw, scratch];
    return {
      statement: call("rms_norm_grad", rows, C, ...(args as string[])),
      scratch: bytes("rms_norm_grad_scratch", rows, C),
    };
  },
  rope: (node, { inputs: [x, first], outputs: [y], scratch }) => {
    const [B, T, H, D] = node.inputs[0].shape;
    const { base, inverse } = node.attrs;
    const type = typeName(node.inputs[0]);
    const hasOwnPlaces = node.inputs[1]?.shape.length === 1;
    const turns = hasOwnPlaces ? B * T : T;
    return {
      statement: call(
        "rope",
        B,
        T,
        H,
        D,
        float(base),
        inverse ? 1 : 0,
        x,
        type,
        places(node.inputs[1], first),
        y,
        scratch,
      ),
      scratch: bytes("rope_scratch", turns, D, "threads"),
    };
  },
  attention: (node, { inputs: [q, k, v, first, pages], outputs: [o, lse], scratch }) => {
    const all = attentionSizes(node.inputs[0], node.inputs[1], node.inputs[2], node.inputs[4]);
    const sizes = attentionArgs(all);
    const type = typeName(node.inputs[0]);
    const window = node.attrs.window ?? 0;
    return {
      statement: call(
        "attention",
        ...sizes,
        window,
        q,
        k,
        v,
        type,
        places(node.inputs[3], first, pages, all),
        o,
        lse,
        scratch,
      ),
      scratch: bytes("attention_scratch", ...sizes, type, "threads"),
    };
  },
  attentionGrad: (node, { inputs, outputs: [dq, dk, dv], scratch }) => {
    const [q, k, v, o, lse, dy, first] = inputs;
    const all = attentionSizes(node.inputs[0], node.inputs[1], node.inputs[2]);
    const sizes = attentionArgs(all);
    const type = typeName(node.inputs[0]);
    const at = places(node.inputs[6], first, "NULL", all);
    const operands = [q, k, v, type, o, lse, dy, at, dq, dk, dv, scratch];
    return {
      statement: call(
        "attention_grad",
        ...sizes,
        node.attrs.window ?? 0,
        ...(operands as string[]),
      ),
      scratch: bytes("attention_grad_scratch", ...sizes, type, "threads"),
    };
  },
  embedding: (node, { inputs: [table, ids], outputs: [out] }) => {
    const [V, C] = node.inputs[0].shape;
    return { statement: call("embedding", sizeOf(node.inputs[1].shape), V, C, table, ids, out) };
  },
  dequantize: (node, { inputs: [quants, scales, ids], outputs: [out] }) => {
    const [R, C] = node.attrs.shape;
    const N = sizeOf(node.outputs[0].shape) / C;
    const type = node.attrs.format.toUpperCase();
    return {
      statement: call("dequantize", N, R, C, type, quants, scales, ids ?? "NULL", out),
    };
  },
  embeddingGrad: (node, { inputs: [ids, dy], outputs: [out] }) => {
    const [V, C] = node.attrs.shape;
    const N = sizeOf(node.inputs[0].shape);
    const type = typeName(node.inputs[1]);
    return { statement: call("embedding_grad", N, V, C, ids, dy, type, out) };
  },
  linearCrossEntropy: (node, { inputs: [x, w, targets], outputs: [nll], scratch }) => {
    const [N, C] = node.inputs[0].shape;
    const V = node.inputs[1].shape[0];
    const [xType, wType] = node.inputs.map(typeName);
    const compute = node.attrs.compute.toUpperCase();
    return {
      statement: call(
        "linear_cross_entropy",
        N,
        C,
        V,
        x,
        xType,
        w,
        wType,
        targets,
        compute,
        nll,
        scratch,
      ),
      scratch: bytes("linear_cross_entropy_scratch", N, C, V, xType, wType, compute, "threads"),
    };
  },
  linearCrossEntropyGrad: (node, { inputs: [x, w, targets, g], outputs, scratch }) => {
    const [nll, dx, dw] = outputs;
    const [N, C] = node.inputs[0].shape;
    const V = node.inputs[1].shape[0];
    const [xType, wType] = node.inputs.map(typeName);
    const compute = node.attrs.compute.toUpperCase();
    const operands = [
      x,
      xType,
      w,
      wType,
      targets,
      g,
      compute,
      nll,
      dx,
      typeName(node.outputs[1]),
      dw,
      scratch,
    ];
    return {
      statement: call("linear_cross_entropy_grad", N, C, V, ...operands),
      scratch: bytes(
        "linear_cross_entropy_grad_scratch",
        N,
        C,
        V,
        xType,
        wType,
        compute,
        "threads",
      ),
    };
  },
  adamw: (node, { inputs: [, g, , , scalars], outputs: [p, m, v] }) => {
    const { beta1, beta2, eps, weightDecay, lrScale } = node.attrs;
    const rates = [beta1, beta2, ...[eps, weightDecay, lrScale].map(float)];
    return {
      statement: call("adamw", sizeOf(node.inputs[0].shape), p, g, m, v, scalars, ...rates),
    };
  },
  sumSquares: (node, { inputs, outputs: [out], scratch }) => {
    const sizes = `(const long[]){${node.inputs.map((x) => sizeOf(x.shape)).join(", ")}}`;
    const tensors = `(const float* const[]){${inputs.join(", ")}}`;
    return {
      statement: call("sum_squares", inputs.length, tensors, sizes, out, scratch),
      scratch: bytes("sum_squares_scratch", inputs.length, sizes),
    };
  },
  randomUniform: (node, { inputs: [counter], outputs: [out] }) => {
    const { shape, seed, stream } = node.attrs;
    return {
      statement: call(
        "random_uniform",
        sizeOf(shape),
        `${seed >>> 0}u`,
        `${stream >>> 0}u`,
        counter,
        out,
      ),
    };
  },
  allowIds: (node, { inputs, outputs }) => {
    const [B, V] = node.inputs[0].shape;
    return { statement: call("allow_ids", B, V, ...inputs, ...outputs) };
  },
  sampleRows: (node, { inputs, outputs, scratch }) => {
    const [B, V] = node.inputs[0].shape;
    return {
      statement: call("sample_rows", B, V, ...inputs, ...outputs, scratch),
      scratch: bytes("sample_rows_scratch", V, "threads"),
    };
  },
  writeRows: (node, { inputs: [, x, first, pages], outputs: [cache] }) => {
    const [cacheType, xType, firstType] = node.inputs;
    const [B, T] = xType.shape;
    const width = cacheType.dtype === "bf16" ? 2 : 4;
    const rowBytes = width * sizeOf(cacheType.shape.slice(2));
    const at = places(firstType, first, pages, writeRowsSizes(node.inputs));
    return { statement: call("write_rows", B, T, rowBytes, cache, x, at) };
  },
};
