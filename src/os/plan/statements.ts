/** Syntax of statements to a plan's: one row a kind of node, and no other node has a meaning. */
import type * as syntax from "@babel/types";
import { declare } from "./lambda.ts";
import { bindPattern } from "./parts.ts";
import type { Expression, Region, Statement } from "./plan.ts";
import { Scope } from "./scope.ts";

type Of<T extends syntax.Node["type"]> = Extract<syntax.Node, { type: T }>;
type Rows = {
  readonly [T in syntax.Statement["type"]]?: (node: Of<T>, scope: Scope, out: Statement[]) => void;
};

/** Translates one block in the scope that is its own. */
export function translateBlock(nodes: readonly syntax.Statement[], scope: Scope): Statement[] {
  const out: Statement[] = [];
  scope.pending = out;
  for (const node of nodes) {
    if (!Object.hasOwn(rows, node.type))
      scope.refuse(node, "not in the language", hints[node.type]);
    const translate = rows[node.type as keyof Rows] as (
      n: syntax.Node,
      s: Scope,
      o: Statement[],
    ) => void;
    scope.within(node, () => translate(node, scope, out));
  }
  return out;
}

const hints: Readonly<Record<string, string>> = {
  ClassDeclaration: "Use records",
  ForInStatement: "Use for…of with Object.keys",
  ForStatement: "Use for…of with range(n)",
  FunctionDeclaration: "Write const name = (x) => …, or the statements themselves",
  TryStatement: "Failures are values: test them with ok(x), read x.error",
  ThrowStatement: "Failures are values: return what there is to say",
  WhileStatement: "Use for…of with range(n) and break",
};

const nothing = (): void => {};

const rows: Rows = {
  EmptyStatement: nothing,
  TSTypeAliasDeclaration: nothing,
  TSInterfaceDeclaration: nothing,
  VariableDeclaration: (node, scope, out) => {
    declare(node, scope, (slot, value) => out.push({ kind: "assign", slot, value }));
  },
  ExpressionStatement: translateExpressionStatement,
  BlockStatement: (node, scope, out) => {
    out.push(...blockOf(node, scope));
  },
  IfStatement: (node, scope, out) => {
    const test = scope.expression(node.test);
    const then = blockOf(node.consequent, scope);
    const otherwise = node.alternate ? blockOf(node.alternate, scope) : [];
    out.push({ kind: "if", test, then, otherwise, region: regionOf([...then, ...otherwise]) });
  },
  ForOfStatement: translateFor,
  ReturnStatement: (node, scope, out) => {
    const none: Expression = { ...scope.place(node), kind: "literal", value: undefined };
    const value = node.argument ? scope.expression(node.argument) : none;
    out.push({ kind: "return", value });
  },
  BreakStatement: (node, scope, out) => {
    if (node.label) scope.refuse(node, "no labels");
    out.push({ kind: "break" });
  },
  ContinueStatement: (node, scope, out) => {
    if (node.label) scope.refuse(node, "no labels");
    out.push({ kind: "continue" });
  },
};

function blockOf(node: syntax.Statement, scope: Scope): Statement[] {
  const nodes = node.type === "BlockStatement" ? node.body : [node];
  return translateBlock(nodes, new Scope(scope.names, scope));
}

function translateFor(node: Of<"ForOfStatement">, scope: Scope, out: Statement[]): void {
  const { left } = node;
  if (node.await) scope.refuse(node, "not in the language", "Write for (const one of list)");
  const [declared] = left.type === "VariableDeclaration" ? left.declarations : [];
  if (left.type !== "VariableDeclaration" || left.kind === "var" || declared === undefined) {
    scope.refuse(left, "a loop declares its variable", "Write for (const one of list)");
  }
  const list = scope.expression(node.right);
  const inner = new Scope(scope.names, scope);
  const slot = inner.slot();
  const source: Expression = { ...scope.place(left), kind: "variable", slot };
  const parts: Statement[] = [];
  const constant = left.kind === "const";
  bindPattern(
    declared.id,
    source,
    inner,
    (part, value) => {
      parts.push({ kind: "assign", slot: part, value });
    },
    constant,
  );
  const body = [...parts, ...blockOf(node.body, inner)];
  out.push({ kind: "for", slot, list, body, region: regionOf(body) });
}

function translateExpressionStatement(
  { expression }: Of<"ExpressionStatement">,
  scope: Scope,
  out: Statement[],
): void {
  if (expression.type === "AwaitExpression") scope.expression(expression);
  else if (expression.type === "AssignmentExpression") {
    const { left, right, operator } = expression;
    out.push(assignment(expression, left, operator.slice(0, -1), right, scope));
  } else if (expression.type === "UpdateExpression") {
    const { argument, operator } = expression;
    out.push(assignment(expression, argument, operator.slice(1), undefined, scope));
  } else {
    scope.expression(expression);
    scope.refuse(
      expression,
      "a value that nothing uses",
      "Values do not change; assign the new one",
    );
  }
}

const ASSIGNING: ReadonlySet<string> = new Set(["", "+", "-", "*", "/", "%"]);

/** `left operator= right`; without a right side: by one. */
function assignment(
  node: syntax.Expression,
  left: syntax.Node,
  operator: string,
  right: syntax.Expression | undefined,
  scope: Scope,
): Statement {
  if (left.type !== "Identifier") {
    return scope.refuse(node, "values do not change", "Make a new one: { ...record, key: value }");
  }
  const binding = scope.lookUp(scope.identifier(left));
  if (binding?.kind !== "variable" || binding.constant) {
    return scope.refuse(node, "only what let declared is assigned to");
  }
  if (!ASSIGNING.has(operator)) scope.refuse(node, "no such assignment");
  const place = scope.place(node);
  const given = right === undefined ? undefined : scope.expression(right);
  const value: Expression = given ?? { ...place, kind: "literal", value: 1 };
  const { slot } = binding;
  if (operator === "") return { kind: "assign", slot, value };
  const before: Expression = { ...place, kind: "variable", slot };
  const after: Expression = { ...place, kind: "binary", operator, left: before, right: value };
  return { kind: "assign", slot, value: after };
}

/** What may happen in a block, whichever way it goes. */
function regionOf(block: readonly Statement[]): Region {
  const writes = new Set<number>();
  let breaks = false;
  let returns = false;
  for (const statement of block) {
    if ("slot" in statement) writes.add(statement.slot);
    if ("region" in statement) {
      for (const slot of statement.region.writes) writes.add(slot);
      returns ||= statement.region.returns;
    }
    breaks ||= statement.kind === "break" || statement.kind === "continue";
    breaks ||= statement.kind === "if" && statement.region.breaks;
    returns ||= statement.kind === "return";
  }
  return { writes, breaks, returns };
}
