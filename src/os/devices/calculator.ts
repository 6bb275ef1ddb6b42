/**
 * Exact arithmetic. The value is a function of the expression alone, so that its label is that of
 * the argument, which the kernel joins: nobody else had a say in it.
 */

import { calculator } from "../../llm/chat/tools/calculator.ts";
import { evaluateExpression } from "../../llm/chat/tools/expression.ts";
import { ArithmeticError, renderExact } from "../../llm/chat/tools/rational.ts";
import { DeviceError } from "../kernel/device-error.ts";
import type { Syscall } from "../kernel/syscall.ts";
import { bottom } from "../security/label.ts";
import type { Json } from "../security/labelled.ts";
import type { Device } from "./device.ts";

const evaluate: Syscall = {
  name: "calculator.evaluate",
  doc: "Works an expression out exactly; what has no end as decimals is a fraction.",
  args: calculator.parameters,
  effect: "pure",
  access: "read",
  sinks: { expression: "neutral" },
  run: async ({ value }) => {
    const { expression } = value as { readonly expression: string };
    return { value: compute(expression), labels: { label: bottom } };
  },
};

/** @throws DeviceError saying what is wrong and where; the expression itself is not repeated */
function compute(expression: string): Json {
  try {
    return renderExact(evaluateExpression(expression));
  } catch (error) {
    if (!(error instanceof ArithmeticError)) throw error;
    throw new DeviceError("calculator: the expression must be arithmetic that ends.", {
      detail: error.message,
      labels: { label: bottom },
      cause: error,
    });
  }
}

export function createCalculatorDevice(): Device {
  return {
    name: "calculator",
    calls: [evaluate],
    check: async () => ({ ok: true, text: "exact fractions of up to 200 digits" }),
    [Symbol.asyncDispose]: async () => {},
  };
}
