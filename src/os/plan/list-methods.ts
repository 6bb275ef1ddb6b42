/**
 * Methods of lists. None changes its list. What is returned here tells of the elements that were
 * looked at and of the answers of callbacks; the caller joins the list's own label.
 */
import { bottom, join, type Label } from "../security/label.ts";
import type { Budget } from "./budget.ts";
import { type Cell, type ListCell, list, raised, scalar } from "./cell.ts";
import type { Place } from "./plan.ts";
import { lift, stepsOver, truthy } from "./scalars.ts";

type Callback = (...cells: readonly Cell[]) => Cell;
type Items = readonly Cell[];
type HigherOrder = (items: Items, call: Callback, rest: Items, budget: Budget) => Cell;
type Method = (items: Items, args: Items, budget: Budget, place: Place) => Cell;

const index = (i: number): Cell => scalar(i, bottom);

function labelsOf(cells: Items): Label {
  let label = bottom;
  for (const cell of cells) label = join(label, cell.label);
  return label;
}

/** Asks the callback in turn until `isLast`; the label tells of all its answers. */
function search(
  items: Items,
  call: Callback,
  isLast: (answer: boolean) => boolean,
): [number, Label] {
  let label = bottom;
  for (const [i, item] of items.entries()) {
    const answer = call(item, index(i));
    label = join(label, answer.label);
    if (isLast(truthy(answer))) return [i, label];
  }
  return [-1, label];
}

const yes = (answer: boolean): boolean => answer;
const no = (answer: boolean): boolean => !answer;

const sort: HigherOrder = (items, call, _, budget) => {
  let label = bottom;
  const sorted = items.toSorted((a, b) => {
    const order = call(a, b);
    label = join(label, order.label);
    return order.kind === "scalar" ? Number(order.value) : 0;
  });
  return list(sorted, label, budget);
};

export const higherOrder: Readonly<Record<string, HigherOrder>> = {
  map: (items, call, _, budget) =>
    list(
      items.map((item, i) => call(item, index(i))),
      bottom,
      budget,
    ),
  filter: (items, call, _, budget) => {
    const guards = items.map((item, i) => call(item, index(i)));
    const kept = items.filter((_, i) => truthy(guards[i] as Cell));
    return list(kept, labelsOf(guards), budget);
  },
  find: (items, call) => {
    const [at, label] = search(items, call, yes);
    return raised(items[at] ?? scalar(undefined, bottom), label);
  },
  findIndex: (items, call) => scalar(...search(items, call, yes)),
  some: (items, call) => {
    const [at, label] = search(items, call, yes);
    return scalar(at >= 0, label);
  },
  every: (items, call) => {
    const [at, label] = search(items, call, no);
    return scalar(at < 0, label);
  },
  flatMap: (items, call, _, budget) =>
    flat(
      items.map((item, i) => call(item, index(i))),
      budget,
    ),
  reduce: (items, call, [start]) =>
    items.reduce((sum, item, i) => call(sum, item, index(i)), start as Cell),
  sort,
  toSorted: sort,
};

/** Whether an element is a list, and how long it is, shapes the result. */
function flat(items: Items, budget: Budget): ListCell {
  const all: Cell[] = [];
  for (const item of items) {
    const parts = item.kind === "list" ? item.items : [item];
    budget.step(parts.length);
    for (const part of parts) all.push(part);
  }
  return list(all, labelsOf(items), budget);
}

const reverse: Method = (items, _, budget) => list(items.toReversed(), bottom, budget);

/** Without a callback: by what the elements are as text. */
const sortAsText: Method = (items, _, budget, place) =>
  lift(items, place, budget, (values, label) => {
    budget.step(items.length * Math.ceil(Math.log2(items.length + 1)));
    for (const value of values) budget.step(stepsOver(value) * Math.log2(items.length + 1));
    const keys = values.map(String);
    const order = [...keys.keys()].sort((a, b) => compare(keys[a] as string, keys[b] as string));
    return list(
      order.map((i) => items[i] as Cell),
      label,
      budget,
    );
  });

const compare = (a: string, b: string): number => (a < b ? -1 : Number(a > b));

type Lookup = "indexOf" | "lastIndexOf" | "includes";

/** Where the sought value stands, under the label of all that it was compared with. */
const lookup =
  (how: Lookup): Method =>
  (items, [sought = scalar(undefined, bottom)], budget) => {
    // A container is equal to nothing but, here, to itself; it is never sought.
    const values = items.map((item) => (item.kind === "scalar" ? item.value : item));
    if (sought.kind === "scalar") budget.step(stepsOver(sought.value) * items.length);
    const wanted = sought.kind === "scalar" ? sought.value : Symbol();
    return scalar(values[how](wanted as never), join(labelsOf(items), sought.label));
  };

export const listMethods: Readonly<Record<string, Method>> = {
  at: (items, args, budget, place) =>
    lift(args, place, budget, ([at], label) => {
      return raised(items.at(Number(at)) ?? scalar(undefined, bottom), label);
    }),
  concat: (items, args, budget) => {
    const more = flat(args, budget);
    return list([...items, ...more.items], more.label, budget);
  },
  flat: (items, _, budget) => flat(items, budget),
  includes: lookup("includes"),
  indexOf: lookup("indexOf"),
  join: (items, args, budget, place) =>
    lift([...args, ...items], place, budget, (values, label) => {
      const separator = args.length === 0 ? "," : String(values[0]);
      const parts = values.slice(args.length).map((value) => String(value ?? ""));
      const between = separator.length * parts.length;
      budget.allocate(2 * parts.reduce((size, part) => size + part.length, between));
      return scalar(parts.join(separator), label);
    }),
  lastIndexOf: lookup("lastIndexOf"),
  reverse,
  slice: (items, args, budget, place) =>
    lift(args, place, budget, (bounds, label) => {
      return list(items.slice(...(bounds as [number?, number?])), label, budget);
    }),
  sort: sortAsText,
  toReversed: reverse,
  toSorted: sortAsText,
};
