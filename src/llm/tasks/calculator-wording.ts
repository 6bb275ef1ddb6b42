/**
 * How people ask for a calculation: {e} is an expression in any spelling, {a} and {b} its operands.
 * Each row fits its operator in every number.
 */
import type { Operator } from "./arithmetic.ts";

export const questions: readonly string[] = [
  "[What is|What's] {e}?",
  "[What is|What's] {e}?",
  "[Compute|Calculate|Evaluate|Work out|Find] {e}.",
  "[Please compute|Please calculate|Please work out] {e}.",
  "How much is {e}?",
  "{e}",
  "{e} = ?",
  "{e}=",
  "[Can|Could] you [compute|calculate|work out] {e}[| for me]?",
  "[Tell me|Give me|I need|I need to know] {e}.",
  "What do you get for {e}?",
  "[Hello|Hi|Hey], what is {e}?",
  "Do you know what {e} is?",
  "Use the calculator: {e}",
  "What does {e} come to?",
  "The result of {e}, please.",
];

/** Questions in words, where the operator is in the verb or the story. */
export const stories: Readonly<Record<Operator, readonly string[]>> = {
  "+": [
    "Add {a} and {b}.",
    "What is the sum of {a} and {b}?",
    "[What do you get|What is it] if you add {a} and {b}?",
    "I had {a} points and won {b} more. How many points do I have?",
    "One town has {a} people and the next has {b}. How many is that together?",
    "A shop sold {a} books in May and {b} in June. How many in all?",
  ],
  "-": [
    "Take {b} away from {a}.",
    "What is the difference between {a} and {b}?",
    "[What is|How much is] {a} less {b}?",
    "There were {a} seats and {b} are taken. How many are free?",
    "I have {a} coins and spend {b}. How many are left?",
    "A book has {a} pages. I have read {b}. How many are left?",
  ],
  "*": [
    "Multiply {a} by {b}.",
    "What is the product of {a} and {b}?",
    "[What is|How much is] {a} multiplied by {b}?",
    "A box holds {a} pens. How many pens are in {b} boxes?",
    "One ticket costs {a} dollars. What do {b} tickets cost?",
    "There are {a} rows with {b} seats each. How many seats?",
  ],
  "/": [
    "Divide {a} by {b}.",
    "How many times does {b} go into {a}?",
    "Share {a} coins among {b} people. How many does each get?",
    "{a} pens go into boxes of {b}. How many boxes is that?",
    "What is {a} over {b}?",
  ],
};

/** The last sentence: {p} is the expression as it is printed, {r} the result. */
export const answers: readonly string[] = ["{p} = {r}.", "{p} = {r}.", "The answer is {r}."];
