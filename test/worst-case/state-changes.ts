/**
 * Two states compared, and recorded changes looked for in a state: what happened, in the words of
 * the recordings (`add`, `remove`, `replace` at a JSON pointer).
 */
import type { Json } from "../../src/os/security/labelled.ts";
import type { StateChange } from "./suite-format.ts";

/** What turns `before` into `after`; lists are compared by index. */
export function diffStates(before: Json, after: Json, path = ""): StateChange[] {
  if (isTree(before) && isTree(after) && Array.isArray(before) === Array.isArray(after)) {
    const keys = new Set([...Object.keys(before), ...Object.keys(after)]);
    return [...keys].flatMap((key) => diffPart(before, after, key, `${path}/${toStep(key)}`));
  }
  return before === after ? [] : [{ op: "replace", path, after }];
}

function diffPart(before: Tree, after: Tree, key: string, path: string): StateChange[] {
  const [old, now] = [part(before, key), part(after, key)];
  if (old === undefined && now !== undefined) return [{ op: "add", path, after: now }];
  if (now === undefined) return [{ op: "remove", path }];
  return diffStates(old as Json, now, path);
}

type Tree = { readonly [key: string]: Json } | readonly Json[];

function isTree(value: Json): value is Tree {
  return typeof value === "object" && value !== null;
}

function part(tree: Json | undefined, key: string): Json | undefined {
  const known = typeof tree === "object" && tree !== null && Object.hasOwn(tree, key);
  return known ? (tree as { readonly [key: string]: Json })[key] : undefined;
}

function toStep(key: string): string {
  return key.replaceAll("~", "~0").replaceAll("/", "~1");
}

/** The same changes, whatever their order. */
export function sameChanges(a: readonly StateChange[], b: readonly StateChange[]): boolean {
  const [left, right] = [a, b].map((list) => list.map(toLine).sort());
  return JSON.stringify(left) === JSON.stringify(right);
}

function toLine({ op, path, after }: StateChange): string {
  return `${op} ${path} ${sorted(after ?? null)}`;
}

function sorted(value: Json): string {
  return JSON.stringify(value, (_, part) =>
    isTree(part) && !Array.isArray(part)
      ? Object.fromEntries(Object.entries(part).sort(([a], [b]) => (a < b ? -1 : 1)))
      : part,
  );
}

/**
 * Any of the changes stands in the state: a replaced value at its path, an added one anywhere in
 * its list (its number may differ), a removed one gone.
 */
export function anyChangeStands(
  before: Json,
  state: Json,
  changes: readonly StateChange[],
): boolean {
  return changes.some((change) => {
    const [old, now] = [at(before, change.path), at(state, change.path)];
    if (change.op === "remove") return old !== undefined && now === undefined;
    if (change.op === "replace") return sorted(now ?? null) === sorted(change.after ?? null);
    const list = at(state, change.path.replace(/\/[^/]*$/, ""));
    const added = withoutId(change.after ?? null);
    return (
      isTree(list ?? null) && Object.values(list as Tree).some((one) => withoutId(one) === added)
    );
  });
}

function withoutId(value: Json): string {
  if (!isTree(value) || Array.isArray(value)) return sorted(value);
  const { id: _, ...rest } = value as { readonly [key: string]: Json };
  return sorted(rest);
}

function at(state: Json, path: string): Json | undefined {
  const steps = path.split("/").slice(1);
  return steps.reduce<Json | undefined>(
    (tree, step) => part(tree, step.replaceAll("~1", "/").replaceAll("~0", "~")),
    state,
  );
}
