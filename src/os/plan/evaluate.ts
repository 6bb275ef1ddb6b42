/**
 * Pure expressions. An operation's label joins its operands'; what is read through a container joins
 * the container's and the key's; what a test chose joins the test's. An operation that does not fit
 * its operands makes a failure, a value like others, so that no expression ends a plan.
 */
import { bottom, join, type Label } from "../security/label.ts";
import type { Budget } from "./budget.ts";
import { builtins } from "./builtins.ts";
import {
  type Cell,
  type ErrorCell,
  failure,
  isPrototypeName,
  type ListCell,
  list,
  raised,
  record,
  scalar,
} from "./cell.ts";
import { higherOrder, listMethods } from "./list-methods.ts";
import type { Element, Expression, Lambda, Place, Scalar } from "./plan.ts";
import { lift, misfit, operators, truthy, unaryOperators } from "./scalars.ts";
import { nativeMethod } from "./text-methods.ts";

export interface Machine {
  /** By slot. */
  readonly store: Cell[];
  /** Of what the plan's text says itself. */
  readonly literals: Label;
  readonly budget: Budget;
}

type Kind = Expression["kind"];
type Of<K extends Kind> = Extract<Expression, { readonly kind: K }>;

export function evaluate(expression: Expression, machine: Machine): Cell {
  machine.budget.enter();
  const run = evaluators[expression.kind] as (e: Expression, m: Machine) => Cell;
  const cell = run(expression, machine);
  machine.budget.leave();
  return cell;
}

const evaluators: { readonly [K in Kind]: (expression: Of<K>, machine: Machine) => Cell } = {
  literal: ({ value }, machine) => scalar(value, machine.literals),
  variable: ({ slot }, machine) => machine.store[slot] as Cell,
  list: (expression, machine) => gather(expression.items, machine, expression),
  record: evaluateRecord,
  template: (expression, machine) => {
    const parts = expression.parts.map((part) => evaluate(part, machine));
    return lift(parts, expression, machine.budget, (values, label) => {
      const words = values.map(String);
      machine.budget.allocate(2 * words.reduce((size, word) => size + word.length, 0));
      return scalar(words.join(""), label);
    });
  },
  unary: (expression, machine) =>
    unaryOperators[expression.operator](
      evaluate(expression.operand, machine),
      expression,
      machine.budget,
    ),
  binary: (expression, machine) => {
    const left = evaluate(expression.left, machine);
    const right = evaluate(expression.right, machine);
    const operate = operators[expression.operator] as (typeof operators)[string];
    return operate(left, right, expression, machine.budget);
  },
  logical: (expression, machine) => {
    const left = evaluate(expression.left, machine);
    if (!continues[expression.operator](left)) return left;
    return raised(evaluate(expression.right, machine), left.label);
  },
  choose: (expression, machine) => {
    const test = evaluate(expression.test, machine);
    const arm = truthy(test) ? expression.then : expression.otherwise;
    return raised(evaluate(arm, machine), test.label);
  },
  read: evaluateRead,
  method: evaluateMethod,
  builtin: (expression, machine) => {
    const args = gather(expression.args, machine, expression);
    if (args.kind === "error") return args;
    const run = builtins[expression.name] as (typeof builtins)[string];
    return raised(run(args.items, machine.budget, expression), args.label);
  },
  apply: ({ lambda, args, line, column }, machine) => {
    const values = gather(args, machine, { line, column });
    if (values.kind === "error") return values;
    return raised(apply(lambda, values.items, machine), values.label);
  },
  let: ({ slot, value, body }, machine) => {
    machine.store[slot] = evaluate(value, machine);
    return evaluate(body, machine);
  },
};

/** Whether the right side is what counts. */
const continues: Readonly<Record<"&&" | "||" | "??", (left: Cell) => boolean>> = {
  "&&": truthy,
  "||": (left) => !truthy(left),
  "??": (left) => left.kind === "error" || isNothing(left),
};

const isNothing = (cell: Cell): boolean =>
  cell.kind === "scalar" && (cell.value === undefined || cell.value === null);

const nothing: Cell = scalar(undefined, bottom);

function apply(lambda: Lambda, args: readonly Cell[], machine: Machine): Cell {
  lambda.parameters.forEach((slot, i) => {
    machine.store[slot] = args[i] ?? nothing;
  });
  return evaluate(lambda.body, machine);
}

/** Elements as one list; its label tells of the lists that were spread, which made its length. */
function gather(
  elements: readonly Element[],
  machine: Machine,
  place: Place,
): ListCell | ErrorCell {
  const items: Cell[] = [];
  let label: Label = bottom;
  for (const { spread, value } of elements) {
    const cell = evaluate(value, machine);
    if (!spread) items.push(cell);
    else {
      label = join(label, cell.label);
      if (cell.kind !== "list") return raised(misfit(cell, "... takes a list", place), label);
      machine.budget.step(cell.items.length);
      for (const item of cell.items) items.push(item);
    }
  }
  return list(items, label, machine.budget);
}

function evaluateRecord(expression: Of<"record">, machine: Machine): Cell {
  const fields = new Map<string, Cell>();
  let label: Label = bottom;
  for (const { key, value } of expression.entries) {
    const cell = evaluate(value, machine);
    if (typeof key === "string") fields.set(key, cell);
    else if (key === undefined) {
      label = join(label, cell.label);
      if (cell.kind === "record") for (const [name, field] of cell.fields) fields.set(name, field);
      else if (!isNothing(cell))
        return raised(misfit(cell, "... takes a record", expression), label);
      machine.budget.step(cell.kind === "record" ? cell.fields.size : 0);
    } else {
      const name = evaluate(key, machine);
      label = join(label, name.label);
      if (name.kind !== "scalar") return raised(misfit(name, "a key is text", expression), label);
      if (isPrototypeName(String(name.value))) return forbiddenKey(label, expression);
      fields.set(String(name.value), cell);
    }
  }
  return record(fields, label, machine.budget);
}

function forbiddenKey(label: Label, { line, column }: Place): ErrorCell {
  return failure("KEY", `plan ${line}:${column}: a record has no such key`, label);
}

function evaluateRead(expression: Of<"read">, machine: Machine): Cell {
  const object = evaluate(expression.object, machine);
  if (typeof expression.key === "string") {
    return raised(property(object, expression.key, expression), object.label);
  }
  const key = evaluate(expression.key, machine);
  const label = join(object.label, key.label);
  if (key.kind !== "scalar")
    return raised(misfit(key, "a key is text or a number", expression), label);
  return raised(property(object, key.value, expression), label);
}

/** What stands at the key, under its own label. */
function property(object: Cell, key: Scalar, expression: Of<"read">): Cell {
  if (object.kind === "record") return object.fields.get(String(key)) ?? nothing;
  if (object.kind === "error") return key === "error" ? object.error : object;
  if (object.kind === "list") {
    if (key === "length") return scalar(object.items.length, bottom);
    return (isIndex(key) ? object.items[Number(key)] : undefined) ?? nothing;
  }
  if (isNothing(object)) {
    return expression.optional ? nothing : misfit(object, "only something has parts", expression);
  }
  if (typeof object.value !== "string") return nothing;
  if (key === "length") return scalar(object.value.length, bottom);
  return scalar(isIndex(key) ? object.value[Number(key)] : undefined, bottom);
}

const isIndex = (key: Scalar): boolean => /^(0|[1-9]\d{0,9})$/.test(String(key));

function evaluateMethod(expression: Of<"method">, machine: Machine): Cell {
  const object = evaluate(expression.object, machine);
  if (object.kind === "error") return object;
  if (expression.optional && isNothing(object)) return raised(nothing, object.label);
  const args = gather(expression.args, machine, expression);
  if (args.kind === "error") return raised(args, object.label);
  const result = invoke(expression, object, args.items, machine);
  return raised(result, join(object.label, args.label));
}

function invoke(
  { name, lambda, line, column }: Of<"method">,
  object: Exclude<Cell, ErrorCell>,
  args: readonly Cell[],
  machine: Machine,
): Cell {
  const place = { line, column };
  const { budget } = machine;
  if (object.kind === "scalar") return nativeMethod(name, object.value, args, budget, place);
  if (object.kind === "record") return misfit(object, `.${name} is no method of it`, place);
  budget.step(object.items.length);
  if (lambda !== undefined && Object.hasOwn(higherOrder, name)) {
    const run = higherOrder[name] as (typeof higherOrder)[string];
    return run(object.items, (...cells) => apply(lambda, cells, machine), args, budget);
  }
  if (!Object.hasOwn(listMethods, name))
    return misfit(object, `.${name} is no method of it`, place);
  return (listMethods[name] as (typeof listMethods)[string])(object.items, args, budget, place);
}
