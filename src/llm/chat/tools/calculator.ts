/** `calculator {"expression":"24*78"}`: exact arithmetic. */
import type { Tool } from "../tool.ts";
import { evaluateExpression } from "./expression.ts";
import { ArithmeticError, renderRational } from "./rational.ts";
import { textArgument } from "./text-argument.ts";

export const calculator: Tool = {
  name: "calculator",
  description: "The exact value of an expression with + - * / ^ and parentheses.",
  parameters: {
    type: "object",
    properties: { expression: { type: "string", description: "E.g. (3 + 4) * 12 / 5." } },
    required: ["expression"],
    additionalProperties: false,
  },
  run(args) {
    const expression = textArgument(args, "expression");
    if (expression === undefined) return 'error: calculator needs {"expression":"…"}';
    try {
      return renderRational(evaluateExpression(expression));
    } catch (error) {
      if (error instanceof ArithmeticError) return `error: ${error.message}`;
      throw error;
    }
  },
};
