/** `{ a, b: c }` and `[a, b]` on the left of a value: reads of its parts. */
import type * as syntax from "@babel/types";
import { translateKey } from "./expressions.ts";
import type { Expression } from "./plan.ts";
import type { Scope } from "./scope.ts";

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
