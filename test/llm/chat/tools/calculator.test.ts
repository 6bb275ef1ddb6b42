/** The calculator against results known by hand, against BigInt's own arithmetic, and noise. */
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { calculator } from "../../../../src/llm/chat/tools/calculator.ts";

const world = { now: new Date(0), files: {} };
const calculate = (expression: string): string => calculator.run({ expression }, world);

const known: readonly [expression: string, result: string][] = [
  ["24*78", "1872"],
  ["249 × 23353", "5814897"],
  ["2 + 2", "4"],
  ["(3 + 4) * 12 / 5", "16.8"],
  ["0.1+0.2", "0.3"],
  ["10 ÷ 4", "2.5"],
  ["5 − 8", "-3"],
  ["3·4", "12"],
  ["7-2-1", "4"],
  ["100/10/5", "2"],
  ["1/3", "0.333333333333"],
  ["-2/3", "-0.666666666667"],
  ["2/3*3", "2"],
  ["1/3+1/6", "0.5"],
  ["1/1024", "0.0009765625"],
  ["2^10", "1024"],
  ["2^3^2", "512"],
  ["-2^2", "-4"],
  ["(-2)^2", "4"],
  ["2^-1", "0.5"],
  ["0^0", "1"],
  ["(-1)^123456789123456789", "-1"],
  ["1^99999999999999999999", "1"],
  ["--3", "3"],
  ["2*-3", "-6"],
  [".5 + 5.", "5.5"],
  ["007", "7"],
  ["10^30/3", "3.33333333333e29"],
  ["10^-9/3", "3.33333333333e-10"],
  ["(10^13-1)/7", "1.42857142857e12"],
  ["0.9999999999999999999999", "1"],
  ["10^199*9", `9${"0".repeat(199)}`],
];

for (const [expression, result] of known)
  test(`${expression} = ${result.slice(0, 20)}`, () => assert.equal(calculate(expression), result));

const errors: readonly [expression: string, error: string][] = [
  ["", "error: expected a number at character 1, got the end"],
  ["1+", "error: expected a number at character 3, got the end"],
  ["(1+2", 'error: expected an operator or ")" at character 5, got the end'],
  ["1)", 'error: expected an operator at character 2, got ")"'],
  ["3 4", 'error: expected an operator at character 3, got "4"'],
  ["2**3", 'error: expected a number at character 3, got "*"'],
  ["1,000", 'error: expected an operator at character 2, got ","'],
  ["1e5", 'error: expected an operator at character 2, got "e"'],
  ["1+🌍", 'error: expected a number at character 3, got "🌍"'],
  ["1/0", "error: division by zero"],
  ["0^-1", "error: division by zero"],
  ["2^0.5", "error: an exponent must be a whole number"],
  ["9^9^9", "error: a number of more than 200 digits"],
  ["2^99999999999999999999", "error: a number of more than 200 digits"],
  ["(1/2)^99999999999999999999", "error: a number of more than 200 digits"],
  ["10^199*10", "error: a number of more than 200 digits"],
  ["1/10^199/10", "error: a number of more than 200 digits"],
  ["1".repeat(201), "error: a number of more than 200 digits"],
  ["1+".repeat(200), "error: an expression of more than 300 characters"],
];

for (const [expression, error] of errors)
  test(`${expression.slice(0, 20) || "nothing"}: ${error}`, () =>
    assert.equal(calculate(expression), error));

test("arguments of another shape are an error, not a failure", () => {
  for (const args of [undefined, null, 3, "1+1", [], {}, { expression: 3 }, { expr: "1" }])
    assert.equal(calculator.run(args, world), 'error: calculator needs {"expression":"…"}');
});

test("whole numbers: as BigInt computes them", () => {
  const number = fc.bigInt({ min: -(10n ** 30n), max: 10n ** 30n });
  fc.assert(
    fc.property(number, number, number, fc.nat(6), (a, b, c, n) => {
      assert.equal(calculate(`${a} + ${b} * ${c}`), `${a + b * c}`);
      assert.equal(calculate(`(${a} - ${b}) * ${c}`), `${(a - b) * c}`);
      assert.equal(calculate(`(${a}) ^ ${n}`), `${a ** BigInt(n)}`);
      if (c !== 0n) assert.equal(calculate(`(${a}) * (${c}) / (${c})`), `${a}`);
    }),
    { numRuns: 300, seed: 1 },
  );
});

test("decimals that do not end: 12 digits, within half of the last of what doubles say", () => {
  const size = fc.integer({ min: 1, max: 10 ** 9 });
  fc.assert(
    fc.property(size, size, (a, b) => {
      const text = calculate(`${a}/${b}`);
      const error = Math.abs(Number(text) - a / b) / (a / b);
      assert.ok(error <= 5.0001e-12, `${a}/${b} = ${text}, off by ${error}`);
    }),
    { numRuns: 1000, seed: 1 },
  );
});

test("noise of every kind gives a short result, quickly", () => {
  const parts = ["+", "-", "*", "/", "^", "(", ")", ".", " ", "9", "99", "0", "1", "2", "é", "^9^"];
  const noise = fc.oneof(
    fc.array(fc.constantFrom(...parts), { maxLength: 150 }).map((words) => words.join("")),
    fc.string({ maxLength: 400 }),
    fc
      .constantFrom("(", "-", "9^", "(9^", "-(")
      .chain((part) => fc.nat(300).map((n) => part.repeat(n))),
  );
  const start = performance.now();
  fc.assert(
    fc.property(noise, (expression) => {
      const result = calculate(expression);
      assert.match(result, /^(error: .{1,90}|-?\d{1,200}(\.\d{1,20})?(e-?\d{1,3})?)$/u);
    }),
    { numRuns: 3000, seed: 1 },
  );
  assert.ok(performance.now() - start < 5000);
});
