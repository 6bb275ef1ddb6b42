/**
 * JSON with labels: what crosses every border of the system. A tree of labels follows the shape of
 * the value as deep as labels differ. A node's own `label` says who shaped its existence, length and
 * keys; the label of a whole value is the join of its tree.
 */
import { join, type Label } from "./label.ts";

export type Json =
  | null
  | boolean
  | number
  | string
  | readonly Json[]
  | { readonly [key: string]: Json };

export interface LabelTree {
  readonly label: Label;
  /** By index or key; absent: `label` stands for everything below. */
  readonly parts?: readonly LabelTree[] | ReadonlyMap<string, LabelTree>;
}

export interface Labelled {
  readonly value: Json;
  readonly labels: LabelTree;
}

/** One label for a whole value. */
export function labelled(value: Json, label: Label): Labelled {
  return { value, labels: { label } };
}

/** The join of a tree: what is known of the value as a whole. */
export function wholeLabel(tree: LabelTree): Label {
  let whole = tree.label;
  for (const part of tree.parts?.values() ?? []) whole = join(whole, wholeLabel(part));
  return whole;
}

/** The labels of `value[key]`: the part's own, joined with what chose the container. */
export function partLabels(tree: LabelTree, key: string | number): LabelTree {
  const parts = tree.parts;
  const part =
    parts instanceof Map ? parts.get(String(key)) : (parts as readonly LabelTree[])?.[Number(key)];
  return part === undefined ? { label: tree.label } : raise(part, tree.label);
}

/** Joins a label into the root, and so into everything that is read through it. */
export function raise(tree: LabelTree, label: Label): LabelTree {
  return { ...tree, label: join(tree.label, label) };
}
