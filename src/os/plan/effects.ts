/** `await`: a call of a tool, or a typed question. Each becomes a statement ahead of its own. */
import type * as syntax from "@babel/types";
import { pathOf, translateElements } from "./parts.ts";
import type { Bare, Effect, Expression } from "./plan.ts";
import type { AnswerType } from "./question.ts";
import type { Scope } from "./scope.ts";

export function translateAwait(node: syntax.AwaitExpression, scope: Scope): Bare {
  const { argument } = node;
  if (argument.type !== "CallExpression") {
    return scope.refuse(node, "await stands before a call of a tool or q");
  }
  const { pending } = scope;
  if (pending === undefined) {
    return scope.refuse(node, "await stands where it happens once and always", "Use if and for…of");
  }
  const path = pathOf(argument.callee);
  const isQuestion = path?.length === 1 && path[0] === "q";
  const slot = scope.slot();
  const effect = isQuestion
    ? translateQuestion(argument, scope)
    : translateTool(argument, path, scope);
  pending.push({ ...effect, ...scope.place(node), slot });
  return { kind: "variable", slot };
}

function translateTool(
  node: syntax.CallExpression,
  path: readonly string[] | undefined,
  scope: Scope,
): Effect {
  const name = path?.join(".") ?? "";
  if (path === undefined || path.length < 2 || scope.lookUp(path[0] as string) !== undefined) {
    return scope.refuse(node, "a tool's name is device.method");
  }
  for (const part of path) scope.key(node, part);
  if (scope.names.calls?.has(name) === false)
    scope.refuse(node, "no such call", callsLike(name, scope));
  const [args, more] = node.arguments;
  if (more !== undefined || args?.type === "SpreadElement") {
    return scope.refuse(node, "a call takes one record", `Write ${name}({ name: value })`);
  }
  const none: Expression = { ...scope.place(node), kind: "record", entries: [] };
  return { kind: "call", name, args: args === undefined ? none : scope.expression(args) };
}

/** The calls of the same device, else all devices. */
function callsLike(name: string, scope: Scope): string {
  const all = [...(scope.names.calls ?? [])];
  const near = all.filter((one) => one.split(".")[0] === name.split(".")[0]);
  return `There are ${(near.length > 0 ? near : all).slice(0, 12).join(", ")}`;
}

function translateQuestion(node: syntax.CallExpression, scope: Scope): Effect {
  const [type, text, ...values] = node.arguments;
  if (type === undefined || text === undefined || text.type === "SpreadElement") {
    return scope.refuse(node, "q takes a type and a question", 'Write q(Bool, "…?", value)');
  }
  const items = translateElements(values, scope, node);
  const about: Expression = { ...scope.place(node), kind: "list", items };
  const asked = { kind: "ask", text: scope.expression(text), about } as const;
  const list = choicesOf(type);
  if (list === undefined) return { ...asked, type: translateType(type, scope) };
  return { ...asked, type: { kind: "ref", count: 0 }, choices: scope.expression(list) };
}

function choicesOf(node: syntax.Node): syntax.Node | undefined {
  const isRef = node.type === "CallExpression" && pathOf(node.callee)?.join(".") === "Ref";
  return isRef && node.arguments.length === 1 ? node.arguments[0] : undefined;
}

const TYPES = 'Types are Bool, Int(1, 9), Enum("a", "b"), Date, Ref(list), Str(200)';

function translateType(node: syntax.Node, scope: Scope): AnswerType {
  if (node.type === "Identifier" && node.name === "Bool") return { kind: "bool" };
  if (node.type === "Identifier" && node.name === "Date") return { kind: "date" };
  const isCall = node.type === "CallExpression";
  const name = isCall ? pathOf(node.callee)?.join(".") : undefined;
  const values = isCall ? node.arguments.map(literalOf) : [];
  if (name === "Enum" && values.length > 0 && values.every((one) => typeof one === "string")) {
    return { kind: "enum", names: values };
  }
  const [first, second] = values;
  if (!values.every((one) => Number.isSafeInteger(one)))
    return scope.refuse(node, "no such type", TYPES);
  if (name === "Int" && values.length === 2 && Number(first) <= Number(second)) {
    return { kind: "int", least: Number(first), most: Number(second) };
  }
  if (name === "Str" && values.length === 1 && Number(first) > 0) {
    return { kind: "str", most: Number(first) };
  }
  return scope.refuse(node, "no such type", TYPES);
}

function literalOf(node: syntax.Node): string | number | undefined {
  if (node.type === "StringLiteral" || node.type === "NumericLiteral") return node.value;
  if (node.type !== "UnaryExpression" || node.operator !== "-") return undefined;
  return node.argument.type === "NumericLiteral" ? -node.argument.value : undefined;
}
