/** Names of a plan: each is declared before it is used, in its block, and becomes a slot. */
import type { Node } from "@babel/types";
import { NutshellError } from "../../error.ts";
import { isPrototypeName } from "./cell.ts";
import type { Expression, Lambda, Place, Statement } from "./plan.ts";

/** Of syntax, and of scopes, within each other. */
const DEEPEST = 120;

export type Binding =
  | { readonly kind: "variable"; readonly slot: number; readonly constant: boolean }
  | { readonly kind: "function"; readonly lambda: Lambda };

/** What all scopes of a plan have in common. */
export interface Names {
  readonly text: string;
  slots: number;
  readonly calls: ReadonlySet<string> | undefined;
  readonly translate: (node: Node, scope: Scope) => Expression;
}

/** One block. Plain data but for its lifetime: translation of that block. */
export class Scope {
  readonly names: Names;
  readonly bindings: Map<string, Binding> = new Map();
  readonly parent: Scope | undefined;
  /**
   * Where calls of the expression that is being translated go, ahead of its own statement; absent
   * where an expression may not be evaluated, or more than once.
   */
  pending: Statement[] | undefined;
  private depth: number;

  constructor(names: Names, parent?: Scope) {
    this.names = names;
    this.parent = parent;
    this.depth = (parent?.depth ?? 0) + 1;
  }

  expression(node: Node): Expression {
    return this.names.translate(node, this);
  }

  lookUp(name: string): Binding | undefined {
    return this.bindings.get(name) ?? this.parent?.lookUp(name);
  }

  slot(): number {
    return this.names.slots++;
  }

  bind(node: Node, name: string, binding: Binding): void {
    this.#checkName(node, name);
    if (reserved.has(name)) this.refuse(node, `${name} has a meaning of its own`, "Rename it");
    if (this.bindings.has(name)) this.refuse(node, "a name is declared once in its block", name);
    this.bindings.set(name, binding);
  }

  /** A name in the text: plain letters, as written. */
  identifier(node: Node & { readonly name: string }): string {
    this.#checkName(node, node.name);
    return node.name;
  }

  #checkName(node: Node, name: string): void {
    const written = this.names.text.slice(node.start ?? 0, (node.start ?? 0) + name.length);
    if (!/^[A-Za-z_$][\w$]*$/.test(name) || written !== name) {
      this.refuse(node, "names are plain letters, digits, _ and $", JSON.stringify(name));
    }
    this.key(node, name);
  }

  key(node: Node, key: string): string {
    if (isPrototypeName(key)) this.refuse(node, "nothing has this key", key);
    return key;
  }

  place(node: Node): Place {
    const start = node.loc?.start;
    return { line: start?.line ?? 1, column: (start?.column ?? 0) + 1 };
  }

  /** Runs a step of translation one level deeper. */
  within<T>(node: Node, translate: () => T): T {
    if (++this.depth > DEEPEST) this.refuse(node, "nested too deeply", "Use more variables");
    const result = translate();
    this.depth--;
    return result;
  }

  /** Translates what may not be evaluated, or more than once: nothing in it may wait. */
  pure(translate: () => Expression): Expression {
    const { pending } = this;
    this.pending = undefined;
    const result = translate();
    this.pending = pending;
    return result;
  }

  /** @throws NutshellError PLAN */
  refuse(node: Node, rule: string, hint = ""): never {
    const { line, column } = this.place(node);
    const got = this.names.text.slice(
      node.start ?? 0,
      Math.min(node.end ?? 0, (node.start ?? 0) + 40),
    );
    const shown = JSON.stringify(got.replace(/\s+/g, " "));
    const end = hint === "" ? "." : `. ${hint}.`;
    throw new NutshellError("PLAN", `plan ${line}:${column}: ${rule}, got ${shown}${end}`);
  }
}

/** Names that plans may use and not declare. */
export const reserved: ReadonlySet<string> = new Set([
  ...["q", "ok", "Bool", "Int", "Enum", "Date", "Ref", "Str", "undefined", "NaN", "Infinity"],
  ...["Math", "Number", "String", "Boolean", "Object", "Array", "JSON"],
  ...["parseInt", "parseFloat", "range"],
]);

export function createScope(names: Names, inputs: readonly string[]): Scope {
  const scope = new Scope(names);
  for (const name of inputs) {
    const slot = scope.slot();
    scope.bindings.set(name, { kind: "variable", slot, constant: true });
  }
  return scope;
}
