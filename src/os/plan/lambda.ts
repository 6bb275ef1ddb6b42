/**
 * Arrow functions. A body is one expression, or constants, `if (…) return …` and a last `return`,
 * which is the same expression written downwards. Functions are no values and cannot name
 * themselves, so that none calls itself.
 */
import type * as syntax from "@babel/types";
import { bindPattern } from "./parts.ts";
import type { Expression, Lambda } from "./plan.ts";
import { Scope } from "./scope.ts";

type Let = readonly [slot: number, value: Expression];

export function translateLambda(node: syntax.ArrowFunctionExpression, outer: Scope): Lambda {
  if (node.async) outer.refuse(node, "a function waits for nothing", "Use for…of");
  const scope = new Scope(outer.names, outer);
  const lets: Let[] = [];
  const parameters = node.params.map((pattern) => {
    const slot = scope.slot();
    const source: Expression = { ...scope.place(pattern), kind: "variable", slot };
    if (pattern.type === "Identifier") {
      scope.bind(pattern, pattern.name, { kind: "variable", slot, constant: true });
    } else bindPattern(pattern, source, scope, (inner, value) => lets.push([inner, value]));
    return slot;
  });
  const body =
    node.body.type === "BlockStatement"
      ? bodyOf(node.body.body, node, scope)
      : scope.expression(node.body);
  return { parameters, body: letAll(lets, body) };
}

function letAll(lets: readonly Let[], body: Expression): Expression {
  const { line, column } = body;
  return lets.reduceRight<Expression>(
    (inner, [slot, value]) => ({ line, column, kind: "let", slot, value, body: inner }),
    body,
  );
}

/** The value of statements that end in a return. */
function bodyOf(nodes: readonly syntax.Statement[], around: syntax.Node, scope: Scope): Expression {
  const [first, ...rest] = nodes;
  if (first === undefined) return scope.refuse(around, "a function returns a value on every path");
  return scope.within(first, () => {
    if (first.type === "ReturnStatement" && first.argument) {
      return scope.expression(first.argument);
    }
    if (first.type === "VariableDeclaration" && first.kind === "const") {
      const lets: Let[] = [];
      declare(first, scope, (slot, value) => lets.push([slot, value]));
      return letAll(lets, bodyOf(rest, around, scope));
    }
    if (first.type === "IfStatement") return choose(first, rest, scope);
    return scope.refuse(first, "in a function stand const, if with return, and return");
  });
}

/** The arm returns, so that what follows is the other arm. */
function choose(
  node: syntax.IfStatement,
  rest: readonly syntax.Statement[],
  scope: Scope,
): Expression {
  const block = (statement: syntax.Statement): readonly syntax.Statement[] =>
    statement.type === "BlockStatement" ? statement.body : [statement];
  const arm = (statements: readonly syntax.Statement[]): Expression =>
    bodyOf(statements, node, new Scope(scope.names, scope));
  const test = scope.expression(node.test);
  const then = arm(block(node.consequent));
  const otherwise = arm(node.alternate ? [...block(node.alternate), ...rest] : rest);
  return { ...scope.place(node), kind: "choose", test, then, otherwise };
}

/** Declarations with values; a constant function is only a name. */
export function declare(
  node: syntax.VariableDeclaration,
  scope: Scope,
  assign: (slot: number, value: Expression) => void,
): void {
  if (node.kind !== "const" && node.kind !== "let") scope.refuse(node, "const or let");
  if (node.declare) scope.refuse(node, "a variable has a value");
  for (const { id, init } of node.declarations) {
    if (init?.type === "ArrowFunctionExpression" && id.type === "Identifier") {
      if (node.kind !== "const") scope.refuse(node, "a function is named by const");
      scope.bind(id, id.name, { kind: "function", lambda: translateLambda(init, scope) });
    } else {
      const nothing: Expression = { ...scope.place(node), kind: "literal", value: undefined };
      const value = init ? scope.expression(init) : nothing;
      bindPattern(id, value, scope, assign, node.kind === "const");
    }
  }
}
