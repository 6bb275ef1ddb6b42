/** Operations on plain values, and how plain functions are lifted to labelled ones. */
import { bottom, join, type Label } from "../security/label.ts";
import type { Budget } from "./budget.ts";
import { type Cell, type ErrorCell, failure, raised, scalar, text } from "./cell.ts";
import type { Place, Scalar, UnaryOperator } from "./plan.ts";

/** Containers are true, failures false. */
export function truthy(cell: Cell): boolean {
  return cell.kind === "scalar" ? Boolean(cell.value) : cell.kind !== "error";
}

function kindOf(cell: Cell): string {
  if (cell.kind !== "scalar") return cell.kind;
  return cell.value === null ? "null" : typeof cell.value;
}

/** The failure of an operation that does not fit a value; of a failure, that failure. */
export function misfit(cell: Cell, rule: string, { line, column }: Place): ErrorCell {
  if (cell.kind === "error") return cell;
  return failure("TYPE", `plan ${line}:${column}: ${rule}, got ${kindOf(cell)}`, cell.label);
}

/** UTF-16 units of text that an operation may look at in one step. */
const UNITS_A_STEP = 1024;

/** Applies `run` to the values of all cells, with the join of their labels; long texts cost. */
export function lift(
  cells: readonly Cell[],
  place: Place,
  budget: Budget,
  run: (values: readonly Scalar[], label: Label) => Cell,
): Cell {
  let label = bottom;
  let unfit: Cell | undefined;
  const values: Scalar[] = [];
  for (const cell of cells) {
    label = join(label, cell.label);
    if (cell.kind === "scalar") {
      budget.step(stepsOver(cell.value));
      values.push(cell.value);
    } else if (unfit?.kind !== "error") unfit = cell.kind === "error" ? cell : (unfit ?? cell);
  }
  if (unfit !== undefined) return raised(misfit(unfit, "plain values are needed", place), label);
  return run(values, label);
}

/** What it costs to read a value to its end. */
export function stepsOver(value: Scalar): number {
  return typeof value === "string" ? Math.floor(value.length / UNITS_A_STEP) : 0;
}

type Binary = (left: Cell, right: Cell, place: Place, budget: Budget) => Cell;

// Two plain values, as the host language has it: no object is among them, so nothing is called.
const plain =
  (operate: (a: never, b: never) => Scalar): Binary =>
  (left, right, place, budget) =>
    lift([left, right], place, budget, ([a, b], label) => {
      const value = operate(a as never, b as never);
      return typeof value === "string" ? text(value, label, budget) : scalar(value, label);
    });

/** Something plain never equals a container; two containers cannot be compared. */
const equality =
  (same: boolean): Binary =>
  (left, right, place, budget) => {
    const containers = [left, right].filter(
      (cell) => cell.kind === "list" || cell.kind === "record",
    );
    if (containers.length === 1 && left.kind !== "error" && right.kind !== "error") {
      return scalar(!same, join(left.label, right.label));
    }
    return lift([left, right], place, budget, ([a, b], label) => {
      return scalar((a === b) === same, label);
    });
  };

export const operators: Readonly<Record<string, Binary>> = {
  "+": plain((a: number, b: number) => a + b),
  "-": plain((a: number, b: number) => a - b),
  "*": plain((a: number, b: number) => a * b),
  "/": plain((a: number, b: number) => a / b),
  "%": plain((a: number, b: number) => a % b),
  "**": plain((a: number, b: number) => a ** b),
  "<": plain((a: number, b: number) => a < b),
  "<=": plain((a: number, b: number) => a <= b),
  ">": plain((a: number, b: number) => a > b),
  ">=": plain((a: number, b: number) => a >= b),
  "===": equality(true),
  "!==": equality(false),
};

type Unary = (operand: Cell, place: Place, budget: Budget) => Cell;

const toNumber =
  (sign: 1 | -1): Unary =>
  (operand, place, budget) =>
    lift([operand], place, budget, ([a], label) => scalar(sign * Number(a), label));

export const unaryOperators: Readonly<Record<UnaryOperator, Unary>> = {
  "-": toNumber(-1),
  "+": toNumber(1),
  "!": (operand) => scalar(!truthy(operand), operand.label),
  typeof: (operand) => scalar(typeName(operand), operand.label),
};

function typeName(cell: Cell): string {
  if (cell.kind === "scalar") return typeof cell.value;
  return cell.kind === "error" ? "error" : "object";
}
