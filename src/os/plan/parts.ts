/** Parts of syntax that values, patterns and calls have in common. */
import type * as syntax from "@babel/types";
import type { Element, Expression } from "./plan.ts";
import type { Scope } from "./scope.ts";

export function translateElements(
  nodes: readonly (syntax.Node | null)[],
  scope: Scope,
  around: syntax.Node,
): Element[] {
  return nodes.map((node) => {
    if (node === null) return scope.refuse(around, "a list has no holes", "Write undefined");
    const spread = node.type === "SpreadElement";
    return { spread, value: scope.expression(spread ? node.argument : node) };
  });
}

/** Of `{ key: … }` and `{ [key]: … }`, in values and in patterns. */
export function translateKey(node: syntax.ObjectProperty, scope: Scope): string | Expression {
  const { key } = node;
  if (node.computed && key.type !== "StringLiteral") return scope.expression(key);
  if (key.type === "Identifier") return scope.identifier(key);
  if (key.type === "StringLiteral") return scope.key(key, key.value);
  if (key.type === "NumericLiteral") return String(key.value);
  return scope.refuse(key, "a key is a name, a text or a number");
}

/** The names of a.b.c. */
export function pathOf(node: syntax.Node): readonly string[] | undefined {
  if (node.type === "Identifier") return [node.name];
  if (node.type !== "MemberExpression" || node.computed) return undefined;
  const object = pathOf(node.object);
  return object && node.property.type === "Identifier"
    ? [...object, node.property.name]
    : undefined;
}

type Assign = (slot: number, value: Expression) => void;

/** Declares the names of a pattern; `assign` takes each slot and what it holds, in order. */
export function bindPattern(
  pattern: syntax.Node,
  value: Expression,
  scope: Scope,
  assign: Assign,
  constant = true,
): void {
  const slot = scope.slot();
  assign(slot, value);
  if (pattern.type === "Identifier") {
    scope.bind(pattern, pattern.name, { kind: "variable", slot, constant });
    return;
  }
  const object: Expression = { ...scope.place(pattern), kind: "variable", slot };
  const read = (part: syntax.Node, key: string | Expression): void => {
    const place = scope.place(part);
    const inner: Expression = { ...place, kind: "read", object, key, optional: false };
    scope.within(part, () => bindPattern(part, inner, scope, assign, constant));
  };
  if (pattern.type === "ObjectPattern") {
    for (const property of pattern.properties) {
      if (property.type !== "ObjectProperty") scope.refuse(property, "a pattern names its parts");
      read(property.value, translateKey(property, scope));
    }
  } else if (pattern.type === "ArrayPattern") {
    for (const [i, part] of pattern.elements.entries()) if (part) read(part, String(i));
  } else scope.refuse(pattern, "a pattern has names only", "Write defaults with ??");
}
