/** Functions that plans may call without asking anybody: they are pure, and have no other names. */
import { bottom, join } from "../security/label.ts";
import type { Json } from "../security/labelled.ts";
import type { Budget } from "./budget.ts";
import {
  type Cell,
  failure,
  fromCell,
  isPrototypeName,
  list,
  type RecordCell,
  raised,
  record,
  scalar,
  text,
  toCell,
  wholeOf,
} from "./cell.ts";
import type { Place, Scalar } from "./plan.ts";
import { lift, misfit, truthy } from "./scalars.ts";

type Builtin = (args: readonly Cell[], budget: Budget, place: Place) => Cell;

const absent: Cell = scalar(undefined, bottom);

// Given plain values alone, so that the host language calls nothing of theirs.
const plain =
  (run: (...values: never[]) => Scalar): Builtin =>
  (args, budget, place) =>
    lift(args, place, budget, (values, label) => {
      const value = run(...(values as never[]));
      return typeof value === "string" ? text(value, label, budget) : scalar(value, label);
    });

const ofRecord =
  (run: (cell: RecordCell, budget: Budget) => Cell): Builtin =>
  ([cell = absent], budget, place) => {
    if (cell.kind !== "record") return misfit(cell, "a record is needed", place);
    return raised(run(cell, budget), cell.label);
  };

const key = (name: string): Cell => scalar(name, bottom);

const mathNames = [
  ...["abs", "ceil", "floor", "max", "min", "pow", "round", "sign", "sqrt", "trunc"],
] as const;

export const builtins: Readonly<Record<string, Builtin>> = {
  ...Object.fromEntries(
    mathNames.map((name) => [`Math.${name}`, plain(Math[name] as () => number)]),
  ),
  Number: plain((value: Scalar) => Number(value)),
  String: plain((value: Scalar) => String(value)),
  parseFloat: plain((value: string) => Number.parseFloat(value)),
  parseInt: plain((value: string, radix: number) => Number.parseInt(value, radix)),
  "Number.isFinite": plain(Number.isFinite),
  "Number.isInteger": plain(Number.isInteger),
  "Number.isNaN": plain(Number.isNaN),
  Boolean: ([cell = absent]) => scalar(truthy(cell), cell.label),
  /** Whether it is a value and no failure. */
  ok: ([cell = absent]) => scalar(cell.kind !== "error", cell.label),
  "Array.isArray": ([cell = absent]) => scalar(cell.kind === "list", cell.label),
  "Object.keys": ofRecord(({ fields }, budget) =>
    list([...fields.keys()].map(key), bottom, budget),
  ),
  "Object.values": ofRecord(({ fields }, budget) => list([...fields.values()], bottom, budget)),
  "Object.entries": ofRecord(({ fields }, budget) => {
    const pairs = [...fields].map(([name, cell]) => list([key(name), cell], bottom, budget));
    return list(pairs, bottom, budget);
  }),
  "Object.fromEntries": fromEntries,
  "JSON.stringify": ([cell = absent], budget) => {
    const written = JSON.stringify(fromCell(cell, budget).value);
    return text(written, wholeOf(cell, budget), budget);
  },
  "JSON.parse": parseJson,
  range,
};

function fromEntries([pairs = absent]: readonly Cell[], budget: Budget, place: Place): Cell {
  if (pairs.kind !== "list") return misfit(pairs, "a list of pairs is needed", place);
  budget.step(pairs.items.length);
  const fields = new Map<string, Cell>();
  let label = pairs.label;
  for (const pair of pairs.items) {
    const [name = pair, value = absent] = pair.kind === "list" ? pair.items : [];
    label = join(label, join(pair.label, name.label));
    if (name.kind !== "scalar" || name === pair || isPrototypeName(String(name.value))) {
      return raised(misfit(name, "a pair starts with a key", place), label);
    }
    fields.set(String(name.value), value);
  }
  return record(fields, label, budget);
}

function parseJson(args: readonly Cell[], budget: Budget, place: Place): Cell {
  return lift(args, place, budget, ([written], label) => {
    budget.step(String(written).length / 16);
    let value: Json;
    try {
      value = JSON.parse(String(written));
    } catch {
      return failure("JSON", `plan ${place.line}:${place.column}: the text is not JSON`, label);
    }
    return raised(toCell({ value, labels: { label: bottom } }, budget), label);
  });
}

/** `range(n)`: 0 to n - 1. */
function range(args: readonly Cell[], budget: Budget, place: Place): Cell {
  return lift(args, place, budget, ([count], label) => {
    const length = Math.max(Math.ceil(Number(count)) || 0, 0);
    budget.step(length);
    const items = Array.from({ length }, (_, i) => scalar(i, bottom));
    return list(items, label, budget);
  });
}
