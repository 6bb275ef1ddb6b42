/**
 * Syntax of values to expressions: one row a kind of node, and no other node has a meaning. Calls of
 * tools and questions are moved ahead of the statement that they stand in, so that what is left is
 * pure; where a value may not be needed, or be needed more than once, they are refused.
 */
import type * as syntax from "@babel/types";
import { builtins } from "./builtins.ts";
import { translateAwait } from "./effects.ts";
import { translateLambda } from "./lambda.ts";
import { higherOrder, listMethods } from "./list-methods.ts";
import { pathOf, translateElements, translateKey } from "./parts.ts";
import type {
  Bare,
  Entry,
  Expression,
  Lambda,
  LogicalOperator,
  Scalar,
  UnaryOperator,
} from "./plan.ts";
import { operators, unaryOperators } from "./scalars.ts";
import type { Scope } from "./scope.ts";
import { nativeNames } from "./text-methods.ts";

type Of<T extends syntax.Node["type"]> = Extract<syntax.Node, { type: T }>;
type Rows = {
  readonly [T in syntax.Expression["type"]]?: (node: Of<T>, scope: Scope) => Bare;
};

export function translateExpression(node: syntax.Node, scope: Scope): Expression {
  if (!Object.hasOwn(rows, node.type))
    return scope.refuse(node, "not in the language", hints[node.type]);
  const translate = rows[node.type as keyof Rows] as (n: syntax.Node, s: Scope) => Bare;
  return scope.within(node, () => ({ ...translate(node, scope), ...scope.place(node) }));
}

const hints: Readonly<Record<string, string>> = {
  ArrowFunctionExpression: "A function stands in map, filter and the like, or is named by const",
  AssignmentExpression: "An assignment is a statement of its own",
  FunctionExpression: "Write an arrow function",
  NewExpression: "There are no classes",
  RegExpLiteral: "Use includes, split, indexOf or replaceAll",
  UpdateExpression: "An assignment is a statement of its own",
};

const literal = ({ value }: { readonly value: Scalar }): Bare => ({ kind: "literal", value });

const inner = (node: { expression: syntax.Expression }, scope: Scope): Bare =>
  translateExpression(node.expression, scope);

const rows: Rows = {
  NumericLiteral: literal,
  StringLiteral: literal,
  BooleanLiteral: literal,
  NullLiteral: () => ({ kind: "literal", value: null }),
  TemplateLiteral: translateTemplate,
  Identifier: translateIdentifier,
  ArrayExpression: (node, scope) => ({
    kind: "list",
    items: translateElements(node.elements, scope, node),
  }),
  ObjectExpression: (node, scope) => ({
    kind: "record",
    entries: node.properties.map((property) => translateEntry(property, scope)),
  }),
  UnaryExpression: (node, scope) => {
    if (!Object.hasOwn(unaryOperators, node.operator)) scope.refuse(node, "no such operator");
    const operator = node.operator as UnaryOperator;
    const operand = translateExpression(node.argument, scope);
    return { kind: "unary", operator, operand };
  },
  BinaryExpression: (node, scope) => {
    const { operator } = node;
    if (!Object.hasOwn(operators, operator))
      scope.refuse(node, "no such operator", "Use === and !==");
    const left = translateExpression(node.left, scope);
    const right = translateExpression(node.right, scope);
    return { kind: "binary", operator, left, right };
  },
  LogicalExpression: (node, scope) => {
    const operator = node.operator as LogicalOperator;
    const left = translateExpression(node.left, scope);
    const right = scope.pure(() => translateExpression(node.right, scope));
    return { kind: "logical", operator, left, right };
  },
  ConditionalExpression: (node, scope) => {
    const test = translateExpression(node.test, scope);
    const then = scope.pure(() => translateExpression(node.consequent, scope));
    const otherwise = scope.pure(() => translateExpression(node.alternate, scope));
    return { kind: "choose", test, then, otherwise };
  },
  MemberExpression: (node, scope) => translateRead(node, scope, false),
  OptionalMemberExpression: (node, scope) => translateRead(node, scope, true),
  CallExpression: (node, scope) => translateCall(node, scope, false),
  OptionalCallExpression: (node, scope) => translateCall(node, scope, true),
  AwaitExpression: translateAwait,
  TSAsExpression: inner,
  TSNonNullExpression: inner,
  TSSatisfiesExpression: inner,
};

function translateTemplate(node: Of<"TemplateLiteral">, scope: Scope): Bare {
  const place = scope.place(node);
  const parts = node.quasis.flatMap(({ value }, i): Expression[] => {
    const hole = node.expressions[i];
    const words: Expression = { ...place, kind: "literal", value: value.cooked ?? value.raw };
    return hole === undefined ? [words] : [words, translateExpression(hole, scope)];
  });
  return { kind: "template", parts };
}

const constants = new Map<string, undefined | number>([
  ["undefined", undefined],
  ["NaN", Number.NaN],
  ["Infinity", Number.POSITIVE_INFINITY],
]);

function translateIdentifier(node: Of<"Identifier">, scope: Scope): Bare {
  const name = scope.identifier(node);
  if (constants.has(name)) return { kind: "literal", value: constants.get(name) };
  const binding = scope.lookUp(name);
  if (binding === undefined)
    return scope.refuse(node, "no such name here", "Declare it before its use");
  if (binding.kind === "variable") return { kind: "variable", slot: binding.slot };
  return scope.refuse(
    node,
    "a function is no value",
    "Call it, or give it to map, filter and the like",
  );
}

function translateEntry(node: syntax.Node, scope: Scope): Entry {
  if (node.type === "SpreadElement") return { value: translateExpression(node.argument, scope) };
  if (node.type !== "ObjectProperty") return scope.refuse(node, "a record has values only");
  return { key: translateKey(node, scope), value: translateExpression(node.value, scope) };
}

type Member = Of<"MemberExpression"> | Of<"OptionalMemberExpression">;

function translateRead(node: Member, scope: Scope, optional: boolean): Bare {
  const object = translateExpression(node.object, scope);
  return { kind: "read", object, key: memberKey(node, scope), optional };
}

function memberKey({ computed, property }: Member, scope: Scope): string | Expression {
  if (property.type === "StringLiteral") return scope.key(property, property.value);
  if (computed) return translateExpression(property, scope);
  if (property.type === "Identifier") return scope.identifier(property);
  return scope.refuse(property, "no such member");
}

type Call = Of<"CallExpression"> | Of<"OptionalCallExpression">;

function translateCall(node: Call, scope: Scope, optional: boolean): Bare {
  const { callee } = node;
  const name = builtinName(callee, scope);
  if (name !== undefined) {
    return {
      kind: "builtin",
      name,
      args: translateElements(node.arguments, scope, node),
    };
  }
  if (callee.type === "Identifier") {
    const binding = scope.lookUp(scope.identifier(callee));
    if (binding?.kind !== "function") {
      return scope.refuse(node, "no such function here", "Calls of tools and q need await");
    }
    const args = translateElements(node.arguments, scope, node);
    return { kind: "apply", lambda: binding.lambda, args };
  }
  if (callee.type !== "MemberExpression" && callee.type !== "OptionalMemberExpression") {
    return scope.refuse(node, "a name or a method is called");
  }
  return translateMethod(node, callee, scope, optional);
}

/** "Math.max" where that is the language's own, and no variable has its name. */
function builtinName(callee: syntax.Node, scope: Scope): string | undefined {
  const path = pathOf(callee)?.join(".");
  if (path === undefined || !Object.hasOwn(builtins, path)) return undefined;
  return scope.lookUp(path) === undefined ? path : undefined;
}

const known: ReadonlySet<string> = new Set([
  ...[...Object.keys(listMethods), ...Object.keys(higherOrder), ...nativeNames],
]);

const methodHints: ReadonlyMap<string, string> = new Map([
  ["push", "Values do not change; write list = [...list, value]"],
  ["splice", "Values do not change; use slice and [...a, ...b]"],
  ["forEach", "Write for (const one of list)"],
  ["match", "There are no regular expressions; use includes, split or indexOf"],
  ["localeCompare", "Compare with < and >"],
]);

function translateMethod(node: Call, callee: Member, scope: Scope, optional: boolean): Bare {
  const { property } = callee;
  if (callee.computed || property.type !== "Identifier") {
    return scope.refuse(callee, "a method is named as it is written");
  }
  const name = scope.identifier(property);
  if (!known.has(name)) {
    const hint = methodHints.get(name) ?? "Calls of tools need await";
    return scope.refuse(node, `no method is named ${name}`, hint);
  }
  const object = translateExpression(callee.object, scope);
  const [first, ...rest] = node.arguments;
  const asks = Object.hasOwn(higherOrder, name);
  const lambda = asks ? lambdaOf(first, scope) : undefined;
  if (lambda === undefined && asks && !Object.hasOwn(listMethods, name)) {
    return scope.refuse(node, `${name} takes a function`);
  }
  const args = translateElements(lambda ? rest : node.arguments, scope, node);
  if (name === "reduce" && args.length !== 1) {
    return scope.refuse(node, "reduce takes a function and a first value");
  }
  return { kind: "method", name, object, args, optional, ...(lambda && { lambda }) };
}

function lambdaOf(node: syntax.Node | undefined, scope: Scope): Lambda | undefined {
  if (node?.type === "ArrowFunctionExpression") return translateLambda(node, scope);
  if (node?.type !== "Identifier") return undefined;
  const binding = scope.lookUp(scope.identifier(node));
  if (binding?.kind === "function") return binding.lambda;
  const name = builtinName(node, scope);
  if (name === undefined) return undefined;
  const slot = scope.slot();
  const place = scope.place(node);
  const value: Expression = { ...place, kind: "variable", slot };
  return {
    parameters: [slot],
    body: { ...place, kind: "builtin", name, args: [{ spread: false, value }] },
  };
}
