/** Values that a planner may pass on and not read, by the names that it knows them by. */
import { join, type Label } from "../security/label.ts";
import {
  type Json,
  type Labelled,
  type LabelTree,
  labelled,
  partLabels,
  wholeLabel,
} from "../security/labelled.ts";
import { showValue } from "./planner-tools.ts";

export interface Handles {
  /** @returns its name, as `$1` */
  add(value: Labelled): string;
  /** `$1`, `$1.text`, `$1.list[0]`. */
  find(reference: string): Labelled | undefined;
  /**
   * A planner's arguments with the values that it refers to; its own words have the label `own`.
   * A part that a value lacks is null: that it is lacking would tell of the value.
   */
  resolve(args: Json, own: Label): Labelled;
  /** A planner's text with values for `{{$1}}`; what names nothing stays as it is. */
  fill(text: string, own: Label): Labelled;
}

const REFERENCE = /^\$(\d{1,6})((?:\.[A-Za-z_]\w*|\[\d{1,6}\])*)$/;
const IN_TEXT = /\{\{\s*(\$\d{1,6}(?:\.[A-Za-z_]\w*|\[\d{1,6}\])*)\s*\}\}/g;
const STEP = /\.([A-Za-z_]\w*)|\[(\d+)\]/g;

export function createHandles(): Handles {
  const values: Labelled[] = [];

  function find(reference: string): Labelled | undefined {
    const [, number, path = ""] = REFERENCE.exec(reference) ?? [];
    let found = number === undefined ? undefined : values[Number(number) - 1];
    for (const [, key, index] of path.matchAll(STEP))
      found = found && partOf(found, key ?? Number(index));
    return found;
  }

  function fill(text: string, own: Label): Labelled {
    let label = own;
    const filled = text.replaceAll(IN_TEXT, (whole, reference: string) => {
      const found = find(reference);
      if (found === undefined) return whole;
      label = join(label, wholeLabel(found.labels));
      return showValue(found.value);
    });
    return labelled(filled, label);
  }

  function resolve(args: Json, own: Label): Labelled {
    if (typeof args === "string") {
      const found = find(args);
      return found === undefined
        ? fill(args, own)
        : { ...found, labels: raised(found.labels, own) };
    }
    if (typeof args !== "object" || args === null) return labelled(args, own);
    const parts = Object.entries(args).map(([key, part]) => [key, resolve(part, own)] as const);
    return Array.isArray(args) ? listOf(parts, own) : recordOf(parts, own);
  }

  return {
    add: (value) => `$${values.push(value)}`,
    find,
    resolve,
    fill,
  };
}

function raised(labels: LabelTree, own: Label): LabelTree {
  return { ...labels, label: join(labels.label, own) };
}

function listOf(entries: readonly (readonly [string, Labelled])[], label: Label): Labelled {
  const value = entries.map(([, part]) => part.value);
  return { value, labels: { label, parts: entries.map(([, part]) => part.labels) } };
}

function recordOf(entries: readonly (readonly [string, Labelled])[], label: Label): Labelled {
  const value = Object.fromEntries(entries.map(([key, part]) => [key, part.value]));
  const parts = new Map(entries.map(([key, part]) => [key, part.labels]));
  return { value, labels: { label, parts } };
}

function partOf({ value, labels }: Labelled, key: string | number): Labelled {
  const fits = Array.isArray(value) === (typeof key === "number");
  const isThere = typeof value === "object" && value !== null && Object.hasOwn(value, key);
  if (!fits || !isThere) return labelled(null, wholeLabel(labels));
  const part = (value as { readonly [key: string | number]: Json })[key] ?? null;
  return { value: part, labels: partLabels(labels, key) };
}
