/** Products as calls of the library's `matmul`, one per matrix of a batch. */
import type { Node, TensorType } from "../../graph.ts";
import { matmulSizes } from "../../ops/matmul.ts";
import { type Call, typeName } from "./lowering.ts";

export interface Epilogue {
  readonly name: string;
  /** C expression: its table of slots. */
  readonly at: string;
}

/** What becomes of a product: an f32 matrix at an address, or whatever an epilogue makes of it. */
export type Destination = { readonly address: string } | { readonly epilogue: Epilogue };

interface Operand {
  readonly address: string;
  readonly type: TensorType;
  readonly transpose: boolean;
  readonly leading: number;
  /** Elements of one matrix. */
  readonly size: number;
}

const fields = (x: Operand, pointer: string): string =>
  `${pointer}, ${x.leading}, ${typeName(x.type)}, ${x.transpose ? 1 : 0}`;

const matrixOfBatch = (x: Operand): string =>
  `(const char*)${x.address} + b * ${x.size * (x.type.dtype === "bf16" ? 2 : 4)}L`;

/** @param addresses C expressions of A and B */
export function matmulCall(
  node: Node,
  addresses: readonly [a: string, b: string],
  destination: Destination,
): Call {
  const { transposeA, transposeB, compute } = node.attrs;
  const [aType, bType] = node.inputs;
  const { batch, M, N, K } = matmulSizes(aType, bType, node.attrs);
  const a: Operand = {
    ...{ address: addresses[0], type: aType, transpose: transposeA },
    ...{ leading: transposeA ? M : K, size: M * K },
  };
  const b: Operand = {
    ...{ address: addresses[1], type: bType, transpose: transposeB },
    ...{ leading: transposeB ? K : N, size: K * N },
  };
  const gemm = (pa: string, pb: string, tail: string): string =>
    `&(Gemm){${M}, ${N}, ${K}, ${fields(a, pa)}, ${fields(b, pb)}, ${compute.toUpperCase()}, ${tail}}`;
  const scratch = `matmul_scratch(${gemm("NULL", "NULL", "NULL, NULL, NULL, 0, 0, NULL")}, threads)`;
  const { setup, tail } = resultOf(destination, M * N, N);
  const call = `matmul(w, ${gemm(matrixOfBatch(a), matrixOfBatch(b), tail)}, SCRATCH);`;
  return { statement: `for (long b = 0; b < ${batch}; b++) { ${setup}${call} }`, scratch };
}

/** @param addresses C expressions of x, quants and scales */
export function quantLinearCall(
  node: Node,
  [x, quants, scales]: readonly string[],
  destination: Destination,
): Call {
  const { format, shape, compute } = node.attrs;
  const [N, C] = shape;
  const M = node.inputs[0].shape[0];
  const types = [typeName(node.inputs[0]), format.toUpperCase(), compute.toUpperCase()];
  const gemm = (a: string, b: string, tail: string, s: string): string =>
    `&(Gemm){${M}, ${N}, ${C}, ${a}, ${C}, ${types[0]}, 0, ` +
    `${b}, ${C}, ${types[1]}, 1, ${types[2]}, ${tail}, ${s}}`;
  const none = "NULL, NULL, NULL, 0, 0, NULL";
  const scratch = `matmul_scratch(${gemm("NULL", "NULL", none, "NULL")}, threads)`;
  const { setup, tail } = resultOf(destination, M * N, N);
  const call = `matmul(w, ${gemm(x, quants, tail, scales)}, SCRATCH);`;
  return { statement: `{ const long b = 0; ${setup}${call} }`, scratch };
}

function resultOf(to: Destination, size: number, N: number): { setup: string; tail: string } {
  if ("address" in to)
    return { setup: "", tail: `NULL, NULL, (float*)${to.address} + b * ${size}L, ${N}, 0, NULL` };
  const { name, at } = to.epilogue;
  const setup = `const Environment env = {s, b * ${size}L, ${at}}; `;
  return { setup, tail: `${name}, &env, NULL, 0, 0, ${name}_ahead` };
}
