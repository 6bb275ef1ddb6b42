/** A plan that wants too much stops, as a value and in time; what a host sends cannot break it. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { PlanHost, PlanLimits, PlanResult } from "../../../src/os/plan/host.ts";
import { parsePlan } from "../../../src/os/plan/parse.ts";
import { runPlan } from "../../../src/os/plan/run.ts";
import { labelOf } from "../../../src/os/security/label.ts";
import type { Json } from "../../../src/os/security/labelled.ts";

const web = labelOf("tool:web");

const hostOf = (value: Json): PlanHost => {
  const outcome = { status: "ok", value: { value, labels: { label: web } } } as const;
  return { call: async () => outcome, ask: async () => outcome };
};

const run = async (
  text: string,
  value: Json = 1,
  limits?: Partial<PlanLimits>,
): Promise<PlanResult> => await runPlan(parsePlan(text), hostOf(value), limits);

const loop = (body: string): string => `for (const i of range(10000)) { ${body} }`;
const doubled = Array.from({ length: 40 }, (_, i) => `const f${i + 1} = (x) => f${i}(f${i}(x));`);
const chained = Array.from({ length: 300 }, (_, i) => `const f${i + 1} = (x) => f${i}(x) + 1;`);

const greedy: readonly (readonly [name: string, limit: keyof PlanLimits, text: string])[] = [
  ["loops in loops", "steps", loop(loop(loop("const a = 1;")))],
  ["functions that double", "steps", `const f0 = (x) => x; ${doubled.join("\n")} return f40(1);`],
  ["a huge range", "steps", "return range(1e15);"],
  ["a range of NaN's kind", "steps", "return range(Infinity);"],
  [
    "callbacks in callbacks",
    "steps",
    "const l = range(9999); return l.map((x) => l.map((y) => l));",
  ],
  ["a sort", "steps", "return range(200000).sort((a, b) => b - a);"],
  [
    "one value, many times over",
    "steps",
    `let x = [1]; for (const i of range(60)) { x = [x, x]; } await t.do(x);`,
  ],
  [
    "the same, as text",
    "steps",
    "let x = [1]; for (const i of range(60)) { x = [x, x]; } return JSON.stringify(x);",
  ],
  ["a text that doubles", "bytes", `let s = "ab"; ${loop("s = s + s;")}`],
  ["a list that doubles", "steps", `let l = [1]; ${loop("l = [...l, ...l];")}`],
  ["repeat", "bytes", 'return "ab".repeat(1e9);'],
  ["a budget given back", "steps", 'const s = "a".repeat(-1e12); return range(3e6).length;'],
  [
    "pairs over and over",
    "steps",
    `const p = range(20000).map((x) => ["a", x]); ${loop("const a = Object.fromEntries(p);")}`,
  ],
  [
    "long texts compared",
    "steps",
    `const a = "a".repeat(1e6) + "b"; const b = "a".repeat(1e6) + "b"; ${loop("const c = a === b;")}`,
  ],
  [
    "a long text looked for in a longer one",
    "steps",
    'return "a".repeat(4e6).lastIndexOf("b" + "a".repeat(1e6));',
  ],
  ["padding", "bytes", 'return "ab".padStart(1e9, "x");'],
  ["padding without end", "bytes", 'return "ab".padEnd(Infinity);'],
  ["join", "bytes", 'const s = "x".repeat(1e6); return range(1000).join(s);'],
  ["replaceAll", "bytes", 'const s = "x".repeat(1e6); return s.replaceAll("", s);'],
  ["split", "bytes", 'return "x".repeat(1e7).split("");'],
  // biome-ignore lint/suspicious/noTemplateCurlyInString: it is a plan's.
  ["a template", "bytes", `const s = "x".repeat(3e6); return \`${"${s}".repeat(30)}\`;`],
  [
    "long texts as JSON",
    "bytes",
    'const s = "x".repeat(1e6); return JSON.stringify(range(1000).map((x) => s));',
  ],
  [
    "long texts in a call",
    "bytes",
    'const s = "x".repeat(1e6); await t.do(range(1000).map((x) => s));',
  ],
  ["a list in a list", "depth", `let x = []; ${loop("x = [x];")}`],
  ["a record in a record", "depth", `let x = {}; ${loop("x = { x };")}`],
  ["functions in functions", "depth", `const f0 = (x) => x; ${chained.join("\n")} return f300(1);`],
  ["calls", "calls", loop("await t.do();")],
  ["questions", "calls", loop('await q(Bool, "?");')],
];

for (const [name, limit, text] of greedy) {
  test(`stops: ${name}`, { timeout: 10_000 }, async () => {
    const result = await run(text);
    assert.ok(
      result.status === "stopped",
      `it returned, having spent ${JSON.stringify(result.spent)}`,
    );
    assert.equal(result.error.code, limit);
    assert.match(result.error.message, /^plan: a plan may spend \d+ \w+, and would spend more$/);
  });
}

test("what is spent does not depend on the machine, and a limit is the last that is let through", async () => {
  const text = "let s = 0; for (const i of range(9)) { s += i; } return s;";
  const { spent } = await run(text);
  assert.deepEqual((await run(text)).spent, spent);
  assert.equal((await run(text, 1, { steps: spent.steps })).status, "returned");
  assert.equal((await run(text, 1, { steps: spent.steps - 1 })).status, "stopped");
});

test("what a host sends is data: prototype names are left out, depth and size are counted", async () => {
  const hostile = JSON.parse(
    '{"__proto__":{"x":1},"constructor":1,"prototype":2,"x":3,"toString":4}',
  );
  const text =
    'const r = await t.get(); const k = "__pro" + "to__"; return [Object.keys(r), r[k], r[k]?.x, r.x];';
  const result = await run(text, hostile);
  assert.ok(result.status === "returned");
  assert.deepEqual(result.value.value, [["x", "toString"], null, null, 3]);
  let deep: Json = 1;
  for (let i = 0; i < 100_000; i++) deep = [deep];
  const stopped = await run("return await t.get();", deep);
  assert.ok(stopped.status === "stopped" && stopped.error.code === "depth");
  const large = await run("return (await t.get()).length;", "x".repeat(1e7));
  assert.ok(large.status === "returned" && large.value.value === 1e7);
  const huge = await run("return (await t.get()).length;", "x".repeat(4e7));
  assert.ok(huge.status === "stopped" && huge.error.code === "bytes");
});

test("an operation that does not fit is a failure as a value, and the plan goes on", async () => {
  const failures: readonly (readonly [text: string, code: string])[] = [
    ["null.a", "TYPE"],
    ["undefined.trim()", "TYPE"],
    ["[1] + 1", "TYPE"],
    ["({ a: 1 }).map((x) => x)", "TYPE"],
    ["(5).trim()", "TYPE"],
    ["'a'.map((x) => x)", "TYPE"],
    ["[...5]", "TYPE"],
    ["Math.max([1])", "TYPE"],
    ["'a'.repeat(-1)", "RANGE"],
    ["(1).toFixed(1000)", "RANGE"],
    ["JSON.parse('{')", "JSON"],
    ["({ ['__pro' + 'to__']: 1 })", "KEY"],
    ["null.a.b.c", "TYPE"],
    ["[null.a, 1][0]", "TYPE"],
    ["Number(null.a) + 1", "TYPE"],
  ];
  for (const [text, code] of failures) {
    const result = await run(`const r = ${text}; return [ok(r), r.error.code, r ?? "else", !r];`);
    assert.ok(result.status === "returned");
    assert.deepEqual(result.value.value, [false, code, "else", true], text);
  }
});

test("a failed call is a value, and so is one whose outcome nobody knows", async () => {
  const failing = { code: "DEVICE", message: "no such file", detail: { at: "a" } };
  const host: PlanHost = {
    call: async (name) =>
      name === "t.lost"
        ? { status: "unknown", ticket: 3, labels: { label: web } }
        : { status: "error", error: failing, labels: { label: web } },
    ask: async () => ({ status: "error", error: failing, labels: { label: web } }),
  };
  const text = `
    const a = await t.get();
    const b = await t.lost();
    const c = await q(Bool, "?");
    return [ok(a), a.error, b.error.code, c.error.code, a.at.b];`;
  const result = await runPlan(parsePlan(text), host);
  assert.ok(result.status === "returned");
  assert.deepEqual(result.value.value, [false, failing, "UNKNOWN", "ANSWER", { error: failing }]);
});

test("what a host throws goes through: it is the process's own end", async () => {
  const host: PlanHost = { ...hostOf(1), call: () => Promise.reject(new Error("killed")) };
  await assert.rejects(runPlan(parsePlan("await t.get();"), host), /^Error: killed$/);
});

test("an answer that is none of the question's type is a failure", async () => {
  const answers: readonly (readonly [type: string, good: Json, bad: readonly Json[]])[] = [
    ["Bool", true, ["true", 1, null]],
    ["Int(1, 9)", 9, [0, 10, 1.5, "1", null]],
    ["Int(-3, -1)", -3, [-4, 0]],
    ['Enum("a", "b")', "b", ["c", "", 0, ["a"]]],
    ["Date", "2024-02-29", ["2023-02-29", "2024-2-9", "1850-01-01", "2024-02-29T00:00", "soon"]],
    ["Str(3)", "abc", ["abcd", 3, null, ["a"]]],
    ["Ref([7, 8])", 1, [2, -1, 0.5, "0"]],
  ];
  for (const [type, good, bad] of answers) {
    for (const one of [good, ...bad]) {
      const result = await run(`return ok(await q(${type}, "?"));`, one);
      assert.ok(result.status === "returned");
      assert.equal(result.value.value, one === good, `${type} ${JSON.stringify(one)}`);
    }
  }
});
