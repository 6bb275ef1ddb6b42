/**
 * Elementwise expressions as C statements: one variable per value, operands first. Who owns the
 * loop says how a stored operand is read; everything else is computed on the spot.
 */

import { accessOf } from "../../compiler/access.ts";
import { constantValue, keyOf } from "../../compiler/simplify.ts";
import type { DType, Node, Op, Value } from "../../graph.ts";

const C_TYPES: Readonly<Record<DType, string>> = { f32: "float", bf16: "uint16_t", i32: "int32_t" };

/** The C type of stored elements. */
export const storageType = (dtype: DType): string => C_TYPES[dtype];

/** A number as a C literal of the value's arithmetic type. */
export function literal(x: number, dtype: DType): string {
  if (dtype === "i32") return `${Math.trunc(x)}`;
  if (Number.isNaN(x)) return "NAN";
  if (!Number.isFinite(x)) return x > 0 ? "INFINITY" : "(-INFINITY)";
  const digits = Math.fround(x).toPrecision(9);
  const text = /[.e]/.test(digits) ? digits : `${digits}.0`;
  return x < 0 || Object.is(x, -0) ? `(${text}f)` : `${text}f`;
}

/** An element as loaded, widened for arithmetic. */
export const load = (element: string, dtype: DType): string =>
  dtype === "bf16" ? `bf16_to_f32(${element})` : element;

export interface Body {
  readonly lines: string[];
  /** The variable (or literal) that holds a value, widened for arithmetic. */
  readonly name: (value: Value) => string;
  /** C statement that stores a value's element. */
  readonly store: (target: string, value: Value) => string;
}

/** How a body computes: on one number at a time, or on LANES of them. */
interface Arithmetic {
  readonly float: string;
  readonly half: string;
  readonly round: string;
  readonly widen: string;
  readonly expression: (node: Node, x: readonly string[]) => string;
}

const numbers: Arithmetic = {
  ...{ float: "float", half: "uint16_t", round: "f32_to_bf16", widen: "bf16_to_f32" },
  expression: (node, x) => (node.op.expression as NonNullable<Op["expression"]>)(x, node),
};

const vectors: Arithmetic = {
  ...{ float: "Vec", half: "Vec", round: "vec_round_bf16", widen: "" },
  expression: (node, x) => (node.op.lanes as NonNullable<Op["lanes"]>)(x),
};

/** Can these values be computed on vectors, every op from stored operands up? */
export function hasLanes(values: readonly Value[], inline: (value: Value) => boolean): boolean {
  return values.every((value) => {
    const computed = value.node.op.kind === "elementwise" && inline(value);
    if (!computed) return value.dtype !== "i32";
    return value.node.op.lanes !== undefined && hasLanes(value.node.inputs, inline);
  });
}

/**
 * @param inline is this elementwise value computed here, rather than read from storage?
 * @param read C expression of one element (or LANES of them) of a stored operand, widened
 * @param onVectors compute on LANES numbers at a time; see `hasLanes`
 */
export function createBody(
  inline: (value: Value) => boolean,
  read: (value: Value) => string,
  onVectors = false,
): Body {
  const how = onVectors ? vectors : numbers;
  const lines: string[] = [];
  const names = new Map<string, string>();
  /** bf16 results as stored, by the name of their widened variable: rounded once, used twice. */
  const rounded = new Map<string, string>();
  const define = (key: string, dtype: DType, expression: string): string => {
    const name = `v${names.size}`;
    lines.push(`${dtype === "i32" ? "int32_t" : how.float} ${name} = ${expression};`);
    names.set(key, name);
    return name;
  };
  const defineRounded = (key: string, expression: string): string => {
    const half = `h${names.size}`;
    lines.push(`${how.half} ${half} = ${how.round}(${expression});`);
    const name = define(key, "bf16", `${how.widen}(${half})`);
    rounded.set(name, half);
    return name;
  };
  const name = (value: Value): string => {
    const number = constantValue(value);
    if (number !== undefined) return literal(number, value.dtype);
    if (value.node.op.kind === "elementwise" && inline(value)) {
      const key = keyOf(value);
      const found = names.get(key);
      if (found !== undefined) return found;
      const operands = value.node.inputs.map(name);
      const expression = how.expression(value.node, operands);
      return value.dtype === "bf16"
        ? defineRounded(key, expression)
        : define(key, value.dtype, expression);
    }
    const access = accessOf(value);
    // A view of a result of this very loop: it was admitted because it is read element by element.
    if (access.base !== value && access.base.node.op.kind === "elementwise" && inline(access.base))
      return name(access.base);
    const key = `${keyOf(access.base)}|${access.strides}|${access.offset}`;
    return names.get(key) ?? define(key, value.dtype, read(value));
  };
  const store = (target: string, value: Value): string => {
    const x = name(value);
    const stored = value.dtype === "bf16" ? (rounded.get(x) ?? `f32_to_bf16(${x})`) : x;
    return `${target} = ${stored};`;
  };
  return { lines, name, store };
}
