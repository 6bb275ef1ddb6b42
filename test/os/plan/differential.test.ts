/** Plans without calls are JavaScript: Node itself says what their value is. */
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import type { PlanHost } from "../../../src/os/plan/host.ts";
import { parsePlan } from "../../../src/os/plan/parse.ts";
import { runPlan } from "../../../src/os/plan/run.ts";
import type { Json } from "../../../src/os/security/labelled.ts";
import { renderLines, Writer } from "./generate-plan.ts";

const nobody: PlanHost = {
  call: () => assert.fail("a pure plan calls nobody"),
  ask: () => assert.fail("a pure plan asks nobody"),
};

const written = (value: unknown): string =>
  JSON.stringify(value, (_, inner) => (inner === undefined ? null : inner)) ?? "null";

/** What the language adds, and where it differs: `undefined` is written as null. */
const additions = {
  ok: () => true,
  range: (count: number) => Array.from({ length: Math.max(0, Math.ceil(count) || 0) }, (_, i) => i),
  JSON: { parse: JSON.parse, stringify: written },
};

/** @returns undefined where Node throws: there the language has a failure as a value */
function valueInNode(text: string): Json | undefined {
  // No value changes in a plan: `sort` makes a new list.
  const copying = text.replaceAll(".sort(", ".toSorted(");
  const run = new Function(...Object.keys(additions), `"use strict"; ${copying}`);
  try {
    return JSON.parse(written(run(...Object.values(additions))));
  } catch {
    return undefined;
  }
}

test("the value of a pure plan is Node's", async () => {
  let compared = 0;
  const seeds = fc.integer({ min: 0, max: 0x7fffffff });
  const sameValue = async (seed: number): Promise<void> => {
    const text = renderLines(new Writer(seed, true).plan());
    const result = await runPlan(parsePlan(text), nobody, { steps: 100_000 });
    if (result.status !== "returned") return; // It would be too much for Node as well.
    const expected = valueInNode(text);
    if (expected === undefined) return;
    compared++;
    assert.deepEqual(result.value.value, expected, text);
  };
  await fc.assert(fc.asyncProperty(seeds, sameValue), { numRuns: 800 });
  assert.ok(compared > 400, `only ${compared} compared`);
});

const cases: readonly string[] = [
  "return [0.1 + 0.2, 7 % -3, -7 % 3, 2 ** 0.5, 1 / 0, 0 / 0, -0];",
  'return ["1" < "2", "10" < "9", 10 < 9, "10" < 9, null >= 0, undefined === null, NaN === NaN];',
  'return ["a" + 1, 1 + "a", true + 1, null + 1, undefined + 1, "3" * "4", "3" - 1];',
  'return ["abc".at(-1), "abc"[9], "abc".slice(-2), "abc".substring(2, 0), "abc".charAt(9)];',
  'return ["a,b,,c".split(","), "abc".split(""), "".split(","), "abc".split("b", 1), "a".split()];',
  'return ["aXbX".replace("X", "-"), "aXbX".replaceAll("X", "-"), "ab".replaceAll("", ".")];',
  'return [" a ".trim(), " a ".trimStart(), " a ".trimEnd(), "é".toUpperCase(), "ß".toUpperCase()];',
  'return ["ab".padStart(5, "xy"), "ab".padEnd(1), "ab".repeat(0), "ab".lastIndexOf("b", -1)];',
  "return [(1.005).toFixed(2), (255).toString(16), parseInt('12px', 10), parseInt('z', 36)];",
  "return [Number(''), Number(' 1 '), Number('1e3'), Number('0x10'), Number(null), Number('a')];",
  "return [[3, 1, 10].sort(), [3, 1, 10].sort((a, b) => a - b), ['b', 'a'].toSorted()];",
  "return [[1, [2, [3]]].flat(), [1, 2].flatMap((x) => [x, x]), [1].concat([2, [3]], 4)];",
  "return [[1, NaN].includes(NaN), [1, NaN].indexOf(NaN), [1, 2, 1].lastIndexOf(1)];",
  "return [[null, undefined, 1].join('-'), [].join(), [1, 2, 3].slice(-2, -1)];",
  "return [[1, 2].findIndex((x) => x > 1), [].every((x) => false), [].some((x) => true)];",
  "return Object.entries({ b: 1, 2: 2, a: 3, 1: 4, ['0']: 5 });",
  "return { ...{ a: 1, b: 2 }, b: 3, ...undefined, ...null };",
  // biome-ignore lint/suspicious/noTemplateCurlyInString: it is a plan's.
  "const { a, 'b-c': d, [`e${1}`]: e } = { a: 1, 'b-c': 2, e1: 3 }; return [a, d, e];",
  "const [a, , [b]] = [1, 2, [3]]; return [a, b];",
  "return [typeof 1, typeof 'a', typeof null, typeof undefined, typeof [], typeof {}, typeof true];",
  "return [0 || 1, 0 ?? 1, '' && 1, null?.a, undefined?.a.b, null?.trim().length, !'' && !![]];",
  "let n = 0; for (const x of [1, 2, 3, 4]) { if (x === 2) continue; if (x > 3) break; n += x; } return n;",
  "let n = 5; n -= 1; n *= 3; n /= 2; n %= 4; n++; n--; return n;",
  "let s = ''; for (const [k, v] of Object.entries({ a: 1, b: 2 })) s += k + v; return s;",
  "const f = (x) => { const y = x * 2; if (y > 4) { return 'big'; } else if (y > 2) return 'mid'; return y; }; return [1, 2, 3].map(f);",
  "const a = 1; { const a = 2; { const a = 3; } } return a;",
  "return [Math.max(), Math.min(1, 2), Math.round(-0.5), Math.sign(-3), Math.trunc(-1.5)];",
  'return JSON.parse(\'{"a":[1,{"b":null}]}\').a[1].b;',
];

for (const text of cases) {
  test(text, async () => {
    const result = await runPlan(parsePlan(text), nobody);
    assert.ok(result.status === "returned");
    const expected = valueInNode(text);
    assert.notEqual(expected, undefined);
    assert.deepEqual(result.value.value, expected);
  });
}
