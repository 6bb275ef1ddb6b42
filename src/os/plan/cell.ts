/**
 * Values of the plan language: trees of our own, never objects of the host language, so that no key
 * reaches a prototype. Cells do not change. A container's label says who shaped its existence,
 * length and keys, and is joined into all that is read through it; so parts need not repeat it.
 */
import { bottom, isTrusted, join, type Label } from "../security/label.ts";
import { type Json, type Labelled, type LabelTree, wholeLabel } from "../security/labelled.ts";
import type { Budget } from "./budget.ts";
import type { Scalar } from "./plan.ts";

export type Cell = ScalarCell | ListCell | RecordCell | ErrorCell;

export interface ScalarCell {
  readonly kind: "scalar";
  readonly value: Scalar;
  readonly label: Label;
}

export interface ListCell {
  readonly kind: "list";
  readonly items: readonly Cell[];
  readonly depth: number;
  readonly label: Label;
}

export interface RecordCell {
  readonly kind: "record";
  readonly fields: ReadonlyMap<string, Cell>;
  readonly depth: number;
  readonly label: Label;
}

/** A failure: what is made of it is the same failure; `ok(x)` and `x.error` look at it. */
export interface ErrorCell {
  readonly kind: "error";
  /** A record: code, message, and what the outside said, if it said something. */
  readonly error: RecordCell;
  readonly label: Label;
}

/** Keys that are no keys: they are never stored, and reading them finds nothing. */
export const isPrototypeName = (key: string): boolean =>
  key === "__proto__" || key === "constructor" || key === "prototype";

export const scalar = (value: Scalar, label: Label): ScalarCell => ({
  kind: "scalar",
  value,
  label,
});

function depthOf(cell: Cell): number {
  if (cell.kind === "scalar") return 0;
  return cell.kind === "error" ? cell.error.depth : cell.depth;
}

function depthOver(cells: Iterable<Cell>, budget: Budget): number {
  let depth = 0;
  for (const cell of cells) depth = Math.max(depth, depthOf(cell));
  budget.within(depth + 1);
  return depth + 1;
}

export function list(items: readonly Cell[], label: Label, budget: Budget): ListCell {
  budget.allocate(16 * items.length + 16);
  return { kind: "list", items, depth: depthOver(items, budget), label };
}

export function record(
  fields: ReadonlyMap<string, Cell>,
  label: Label,
  budget: Budget,
): RecordCell {
  budget.allocate(48 * fields.size + 16);
  return {
    kind: "record",
    fields: inOrder(fields),
    depth: depthOver(fields.values(), budget),
    label,
  };
}

/** Keys that are numbers come first, as in the host language. */
function inOrder(fields: ReadonlyMap<string, Cell>): ReadonlyMap<string, Cell> {
  const numbers = [...fields.keys()].filter((key) => /^(0|[1-9]\d{0,8})$/.test(key));
  if (numbers.length === 0) return fields;
  const keys = new Set([...numbers.sort((a, b) => Number(a) - Number(b)), ...fields.keys()]);
  return new Map([...keys].map((key) => [key, fields.get(key) as Cell]));
}

export function text(value: string, label: Label, budget: Budget): ScalarCell {
  budget.allocate(2 * value.length);
  return scalar(value, label);
}

export function failure(code: string, message: string, label: Label, detail?: Cell): ErrorCell {
  const fields = new Map<string, Cell>([
    ["code", scalar(code, bottom)],
    ["message", scalar(message, bottom)],
  ]);
  if (detail !== undefined) fields.set("detail", detail);
  const depth = 1 + (detail === undefined ? 0 : depthOf(detail));
  return { kind: "error", error: { kind: "record", fields, depth, label: bottom }, label };
}

/** The cell, shaped by what `label` tells too. */
export function raised<T extends Cell>(cell: T, label: Label): T {
  return label === bottom ? cell : { ...cell, label: join(cell.label, label) };
}

/** The join over a cell and all below it. */
export function wholeOf(cell: Cell, budget: Budget): Label {
  budget.step(1);
  let whole = cell.label;
  for (const part of partsOf(cell)) whole = join(whole, wholeOf(part, budget));
  return whole;
}

function partsOf(cell: Cell): Iterable<Cell> {
  if (cell.kind === "list") return cell.items;
  if (cell.kind === "record") return cell.fields.values();
  return cell.kind === "error" ? [cell.error] : [];
}

/** What no question bounds: a source outside chose freely. */
const free: Label = {
  integrity: new Set(),
  readers: "public",
  influence: new Map([["text", Number.POSITIVE_INFINITY]]),
};

/** Of a value from outside: what an untrusted source shaped, it chose freely. */
export const opened = (label: Label): Label => (isTrusted(label) ? label : join(label, free));

/** A value of the host's as a cell; keys that are prototypes' names are left out. */
export function toCell(given: Labelled, budget: Budget, depth = 1): Cell {
  const { value } = given;
  const labels = fits(given) ? given.labels : { label: wholeLabel(given.labels) };
  budget.step(1);
  budget.within(depth);
  const label = opened(labels.label);
  if (typeof value === "string") return text(value, label, budget);
  if (value === null || typeof value !== "object") return scalar(value, label);
  const below = (part: Json, key: string | number): Cell =>
    toCell({ value: part, labels: partOf(labels, key) }, budget, depth + 1);
  if (Array.isArray(value)) return list(value.map(below), label, budget);
  const entries = Object.entries(value as object).filter(([key]) => !isPrototypeName(key));
  return record(new Map(entries.map(([key, part]) => [key, below(part, key)])), label, budget);
}

/** Labels that do not have the value's shape are joined: none may get lost. */
function fits({ value, labels: { parts } }: Labelled): boolean {
  if (parts === undefined) return true;
  if (value === null || typeof value !== "object") return false;
  if (Array.isArray(value)) return Array.isArray(parts) && parts.length <= value.length;
  return parts instanceof Map && [...parts.keys()].every((key) => Object.hasOwn(value, key));
}

const unmarked: LabelTree = { label: bottom };

function partOf({ parts }: LabelTree, key: string | number): LabelTree {
  const part = parts instanceof Map ? parts.get(key) : (parts as readonly LabelTree[])?.[+key];
  return part ?? unmarked;
}

/** The value for the host; what JSON has no word for is null. */
export function fromCell(cell: Cell, budget: Budget): Labelled {
  budget.step(1);
  if (cell.kind === "scalar") {
    // Every mention counts: as text they do not share.
    if (typeof cell.value === "string") budget.allocate(2 * cell.value.length);
    return { value: toJson(cell.value), labels: { label: cell.label } };
  }
  if (cell.kind === "list") {
    const items = cell.items.map((item) => fromCell(item, budget));
    const parts = items.map((item) => item.labels);
    return { value: items.map((item) => item.value), labels: { label: cell.label, parts } };
  }
  const fields = cell.kind === "record" ? cell.fields : new Map([["error", cell.error]]);
  const parts = [...fields].map(([key, field]) => [key, fromCell(field, budget)] as const);
  return {
    value: Object.fromEntries(parts.map(([key, part]) => [key, part.value])),
    labels: { label: cell.label, parts: new Map(parts.map(([key, part]) => [key, part.labels])) },
  };
}

function toJson(value: Scalar): Json {
  const known = value !== undefined && (typeof value !== "number" || Number.isFinite(value));
  if (!known) return null;
  return value === 0 ? 0 : value; // JSON knows one zero.
}
