/** What is no plan: refused with its place, before anything runs. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { NutshellError } from "../../../src/error.ts";
import { type ParseOptions, parsePlan } from "../../../src/os/plan/parse.ts";

function refusal(text: string, options?: ParseOptions): string {
  try {
    parsePlan(text, options);
  } catch (error) {
    assert.ok(error instanceof NutshellError, `${text}: ${error}`);
    assert.equal(error.code, "PLAN");
    assert.match(error.message, /^plan \d+:\d+: .+, got .+\.$|^plan \d+:\d+: .+\.$/);
    assert.doesNotMatch(error.message, /\n/);
    return error.message;
  }
  return assert.fail(`let through: ${text}`);
}

const refused: readonly string[] = [
  // No way to the host language.
  "eval('1');",
  "const f = Function('return 1');",
  "const g = globalThis;",
  "const p = process;",
  "const t = this;",
  "const c = ''.constructor;",
  "const c = ''['constructor'];",
  "const c = { a: 1 }.__proto__;",
  "const c = { __proto__: null };",
  'const c = { "__proto__": null };',
  "const c = { constructor: 1 };",
  "const { constructor } = { a: 1 };",
  "const { ['prototype']: p } = { a: 1 };",
  "const prototype = 1;",
  "const c = [].constructor.constructor('return 1')();",
  "const c = 'a'.at.call('b');",
  "const i = import('node:fs');",
  "import fs from 'node:fs';",
  "export const a = 1;",
  "with ({}) {}",
  "const r = /a+/;",
  "const r = 'a'.match('a');",
  "const n = new Date();",
  "const n = new.target;",
  "const t = String.raw`a`;",
  "const b = 1n;",
  // Names as they are written.
  "const \\u0063onst1 = 1;",
  "const o = { a: 1 }; const c = o.\\u0063onstructor;",
  "const o = { \\u005f_proto__: 1 };",
  "const ä = 1;",
  "const а = 1;",
  // Loops without end, functions with a life of their own.
  "while (true) {}",
  "do {} while (true);",
  "for (;;) {}",
  "for (const k in {}) {}",
  "for await (const k of []) {}",
  "for (var k of []) {}",
  "let k = 1; for (k of []) {}",
  "a: for (const k of []) { break a; }",
  "function f() {}",
  "const f = function () { return 1; };",
  "const f = async () => 1;",
  "const f = [1].map(async (x) => x);",
  "const f = (n) => f(n);",
  "let f = (n) => n;",
  "const f = (n) => n; const g = f;",
  "const f = (n) => n; const g = [f];",
  "const f = (n) => { for (const x of n) {} return 1; };",
  "const f = (n) => { let x = 1; return x; };",
  "const f = (n) => { if (n) { const x = 1; } return 1; };",
  "const f = () => {};",
  "const f = (a = 1) => a;",
  "const f = (...a) => a;",
  "class A {}",
  "const o = { get a() { return 1; } };",
  "const o = { a() { return 1; } };",
  "try { } catch { }",
  "throw 1;",
  "switch (1) { case 1: }",
  "debugger;",
  "var a = 1;",
  "using a = b;",
  "declare const a: number;",
  "enum A { B }",
  "namespace A {}",
  '"use strict";',
  // Values do not change.
  "const a = 1; a = 2;",
  "const a = [1]; a[0] = 2;",
  "const a = [1]; a.push(2);",
  "let a = 1; const b = (a = 2);",
  "let a = 1; const b = a++;",
  "let a = 1; a ||= 2;",
  "let a = 1; [a] = [2];",
  "delete { a: 1 }.a;",
  "const v = void 0;",
  "const a = (1, 2);",
  "const a = 1 == 1;",
  "const a = 1 | 1;",
  "const a = 'b' in { b: 1 };",
  "const a = [1] instanceof Array;",
  "const a = [1, , 2];",
  "const { ...a } = { b: 1 };",
  "const { a = 1 } = { b: 1 };",
  "const a = <string>'b';",
  "1 + 1;",
  // Names: declared before their use, once, in their block.
  "const a = b;",
  "const a = a;",
  "const a = b; const b = 1;",
  "if (true) { const a = 1; } return a;",
  "const a = 1; const a = 2;",
  "const q = 1;",
  "const Math = 1;",
  "const ok = (x) => x;",
  // Calls and questions: where they happen once and always.
  "files.read({ path: 'a' });",
  "const a = files.read({ path: 'a' });",
  "await read({ path: 'a' });",
  "await files['read']({ path: 'a' });",
  "await files.read('a', 'b');",
  "await files.read(...[1]);",
  "await files.constructor({});",
  "await 1;",
  "const files = 1; await files.read({});",
  "const a = true && (await files.read({}));",
  "const a = true ? await files.read({}) : 1;",
  "const a = [1].map((x) => await files.read({}));",
  "const a = q(Bool, 'a');",
  "await q(Bool);",
  "await q(Text, 'a');",
  "await q(Int(1), 'a');",
  "await q(Int(2, 1), 'a');",
  "await q(Int(1.5, 2), 'a');",
  "await q(Enum(), 'a');",
  "await q(Enum(1), 'a');",
  "const n = 3; await q(Int(1, n), 'a');",
  "await q(Ref(), 'a');",
  "await q(Str(0), 'a');",
  "const a = [1].map();",
  "const a = [1].reduce((s, x) => s);",
  "const a = 'a'.localeCompare('b');",
  "const a = [1].forEach((x) => x);",
  // Not even syntax.
  "const",
  "const a = ;",
  "}",
  "return 1 +",
  "const a = 'b",
  "\u0000",
];

for (const text of refused) test(`refused: ${text}`, () => void refusal(text));

test("the message tells the place, what stands there, and what to write", () => {
  assert.equal(
    refusal("const a = 1;\n  a.push(2);"),
    'plan 2:3: no method is named push, got "a.push(2)". ' +
      "Values do not change; write list = [...list, value].",
  );
  const calls = new Set(["files.read", "files.write", "mail.send"]);
  assert.equal(
    refusal("await files.raed({});", { calls }),
    'plan 1:7: no such call, got "files.raed({})". There are files.read, files.write.',
  );
});

const deep = (open: string, close: string, times: number): string =>
  `const a = ${open.repeat(times)}1${close.repeat(times)};`;

for (const [name, text] of [
  ["a text of 10 MB", `const a = "${"x".repeat(1e7)}";`],
  ["brackets", deep("[", "]", 15_000)],
  ["parentheses", deep("(", ")", 15_000)],
  ["a sum", `const a = ${"1 + ".repeat(10_000)}1;`],
  ["blocks", `${"if (1) {".repeat(5_000)}${"}".repeat(5_000)}`],
  ["functions", deep("((x) => ", ")", 4_000)],
  ["casts", deep("<T>(", ")", 60)],
  ["casts behind comments", deep("<T>/* */ //\n(", ")", 60)],
  ["casts behind await", deep("await <T>(", ")", 60)],
  ["casts in templates", deep("`${<T>(", ")}`", 60)],
  ["conditions", `const a = ${"1 ? (2) : ".repeat(4_000)}3;`],
] as const) {
  test(`refused in time: ${name}`, { timeout: 5_000 }, () => {
    const started = performance.now();
    refusal(text);
    assert.ok(performance.now() - started < 2_000);
  });
}

test("types are accepted and mean nothing", () => {
  parsePlan(`
    type Mail = { to: string };
    interface Found { readonly a?: number }
    const a: number = 1 as number;
    const f = (x: Mail[]): string => x[0]!.to satisfies string;
    for (const one of [a] as readonly number[]) { await t.do({ one }); }
  `);
});
