/**
 * Labels worked out by hand, construct by construct. Sources are single letters: `a` has the label
 * {a}, the list `l` is {l} and its elements {x} and {y}. A tree of labels is written as its root's
 * letters, then its parts: `l[x,y]`, `r{k:k}`. Literals have no label here.
 *
 * A table of plain data and one function, so that mutants of the language can be put to it too.
 */
import assert from "node:assert/strict";
import type { PlanHost, PlanResult } from "../../../src/os/plan/host.ts";
import { type Label, labelOf } from "../../../src/os/security/label.ts";
import type { Json, Labelled, LabelTree } from "../../../src/os/security/labelled.ts";
import type { Language } from "./two-worlds.ts";

export const bare: Label = { integrity: new Set(), readers: "public", influence: new Map() };
const of = (letters: string): Label => ({
  ...bare,
  integrity: new Set([...letters].map((one) => `origin:${one}` as const)),
});

const leaf = (letter: string, value: Json): Labelled => ({ value, labels: { label: of(letter) } });

const inputs: Readonly<Record<string, Labelled>> = {
  a: leaf("a", 1),
  b: leaf("b", 2),
  c: leaf("c", true),
  f: leaf("f", false),
  j: leaf("j", '{"k":[1]}'),
  s: leaf("s", "p q"),
  z: leaf("z", null),
  l: { value: [5, 6], labels: { label: of("l"), parts: [{ label: of("x") }, { label: of("y") }] } },
  r: { value: { k: 7 }, labels: { label: of("r"), parts: new Map([["k", { label: of("k") }]]) } },
  h: {
    value: [3, 2, 1],
    labels: { label: of("h"), parts: [{ label: of("d") }, { label: of("e") }, { label: of("g") }] },
  },
  // Lists in lists: m[u[v],w]
  m: {
    value: [[1], 2],
    labels: {
      label: of("m"),
      parts: [{ label: of("u"), parts: [{ label: of("v") }] }, { label: of("w") }],
    },
  },
};

/** An expression, the labels of its value, and the value where it matters. */
export const expressionCases: readonly (readonly [text: string, labels: string, value?: Json])[] = [
  ["1", ""],
  ["a", "a"],
  ["a + b", "ab", 3],
  ["a < b", "ab", true],
  // biome-ignore lint/suspicious/noTemplateCurlyInString: it is a plan's.
  ["`${a}${s}`", "as", "1p q"],
  ['s + "!"', "s", "p q!"],
  ["-a", "a", -1],
  ["+s", "s"],
  ["!f", "f", true],
  ["typeof a", "a", "number"],
  ["a === b", "ab", false],
  ["a !== l", "al", true],
  ["l === a", "al", false],
  // Two containers are not compared: a failure that both of them made.
  ["ok(l === r)", "lr", false],
  ["ok(a + l)", "al", false],
  ["ok(l + a)", "al", false],
  ["a && b", "ab", 2],
  ["f && b", "f", false],
  ["a || b", "a", 1],
  ["f || b", "bf", 2],
  ["a ?? b", "a", 1],
  ["z ?? b", "bz", 2],
  ["c ? a : b", "ac", 1],
  ["f ? a : b", "bf", 2],
  ["c ? [a] : b", "c[a]"],
  // Reading joins the container, the key and what stands there.
  ["l[0]", "lx", 5],
  ["l[a]", "aly", 6],
  ["l[9]", "l", null],
  ["l[s]", "ls", null],
  ["l.length", "l", 2],
  ["l.at(-1)", "ly", 6],
  ["l.at(a)", "aly", 6],
  ["l.at(b)", "bl", null],
  ["r.k", "kr", 7],
  ['r["k"]', "kr", 7],
  ["r.none", "r", null],
  ["r[s]", "rs", null],
  ["s.length", "s", 3],
  ["s[a]", "as", " "],
  ["s?.length", "s", 3],
  ["z?.length", "z", null],
  ["z?.trim()", "z", null],
  ["ok(z.length)", "z", false],
  ["ok(a[l])", "al", false],
  ["ok(l[l])", "l", false],
  ["ok(z[a])", "az", false],
  ["ok(l.slice(...a))", "al", false],
  ["ok(r.trim())", "r", false],
  ["ok(a.trim(b))", "a", false],
  ["ok(l.trim())", "l", false],
  // A container's label is its own shape's; parts keep theirs.
  ["[a, b]", "[a,b]"],
  ["[...l, a]", "l[x,y,a]"],
  ["[...l, ...m]", "lm[x,y,u[v],w]"],
  ["ok([...l, ...a])", "al", false],
  ["({ p: a })", "{p:a}"],
  ["({ ...r, p: a })", "r{k:k,p:a}"],
  ["({ ...r, ...z })", "rz{k:k}"],
  ["ok({ ...r, ...a })", "ar", false],
  ["({ [s]: a })", "s{p q:a}"],
  ["({ ...r, [s]: a })", "rs{k:k,p q:a}"],
  ["ok({ ...r, [l]: a })", "lr", false],
  ['ok({ [s + "x"]: a, ["__proto_" + "_"]: b })', "s", false],
  // Methods: what was looked at, and what callbacks said.
  ["l.map((o) => o)", "l[x,y]"],
  ["l.map((o) => a)", "l[a,a]"],
  ["l.map((o, i) => i)", "l[,]"],
  ["l.filter((o) => o > 5)", "lxy[y]"],
  ["l.filter((o) => a)", "al[x,y]"],
  ["l.find((o) => o === 5)", "lx", 5],
  ["l.find((o) => o === 6)", "lxy", 6],
  ["l.find((o) => o === 7)", "lxy", null],
  ["l.findIndex((o) => o === 6)", "lxy", 1],
  ["l.some((o) => o === 5)", "lx", true],
  ["l.some((o) => o === 7)", "lxy", false],
  ["l.every((o) => o === 5)", "lxy", false],
  ["l.every((o) => o === 6)", "lx", false],
  ["l.includes(5)", "lxy", true],
  ["l.includes(a)", "alxy", false],
  ["l.indexOf(6)", "lxy", 1],
  ["l.lastIndexOf(a)", "alxy", -1],
  ["l.sort((p, o) => o - p)", "lxy[y,x]"],
  ["l.sort((p, o) => a)", "al[x,y]"],
  ["h.sort((p, o) => p - o)", "degh[g,e,d]"],
  ["l.sort()", "lxy[x,y]"],
  ["l.reduce((p, o) => p + o, a)", "alxy", 12],
  ["l.reduce((p, o) => p, 3)", "l", 3],
  ["l.join(s)", "lsxy", "5p q6"],
  ["l.slice(a)", "al[y]"],
  ["l.concat(m, a)", "alm[x,y,u[v],w,a]"],
  ["l.toReversed()", "l[y,x]"],
  ["m.flat()", "muw[v,w]"],
  ["l.flatMap((o) => [o, a])", "l[x,a,y,a]"],
  ["l.flatMap((o) => m)", "lm[u[v],w,u[v],w]"],
  ["ok(l.slice(m))", "lm", false],
  ["ok(m.join())", "muw", false],
  ["l.map(...[])", "refused"],
  ["s.slice(a, b)", "abs", " "],
  ["s.slice(...l)", "lsxy", ""],
  ['s.split(" ")', "s[,]", ["p", "q"]],
  ["s.split(a)", "as[]", ["p q"]],
  ["s.replace(s, s)", "s", "p q"],
  ["s.includes(a)", "as", false],
  ["s.repeat(b)", "bs", "p qp q"],
  ["ok(s.repeat(-a))", "as", false],
  ["b.toFixed(a)", "ab", "2.0"],
  // Functions of the language.
  ["Math.max(a, b)", "ab", 2],
  ["Math.max(...l)", "lxy", 6],
  ["ok(Math.max(l))", "l", false],
  ["Number(s)", "s"],
  ["String(a)", "a", "1"],
  ["Boolean(l)", "l", true],
  ["Boolean(...l)", "lx", true],
  ["ok(a)", "a", true],
  ["Array.isArray(l)", "l", true],
  ["Object.keys(r)", "r[]", ["k"]],
  ["Object.values(r)", "r[k]"],
  ["Object.entries(r)", "r[[,k]]"],
  ["ok(Object.keys(a))", "a", false],
  ["ok(Object.fromEntries(a))", "a", false],
  ["Object.fromEntries([[s, a]])", "s{p q:a}"],
  ["Object.fromEntries([[s, a], [b, c]])", "bs{2:c,p q:a}"],
  ["Object.fromEntries(m.map((o) => [a, o]))", "am{1:w}"],
  ["ok(Object.fromEntries(m))", "muvw", false],
  ["ok(Object.fromEntries([[s, a], b]))", "bs", false],
  ["ok(Object.fromEntries([[s, a], r]))", "rs", false],
  ["JSON.stringify(m)", "muvw", "[[1],2]"],
  ["JSON.parse(j)", "j{k:[]}"],
  ["JSON.parse(j).k[0]", "j", 1],
  ["ok(JSON.parse(s))", "s", false],
  ["range(b)", "b[,]", [0, 1]],
  ["((o) => o)(a)", "refused"],
];

/** Statements; `calls` as the host sees them: name, pc, labels of the arguments. */
export interface StatementCase {
  readonly name: string;
  readonly plan: string;
  /** Labels of the returned value. */
  readonly labels?: string;
  readonly value?: Json;
  readonly calls?: readonly string[];
  readonly pc?: string;
  readonly start?: "pc";
}

export const statementCases: readonly StatementCase[] = [
  { name: "a function's result", plan: "const g = (p) => p + a; return g(b);", labels: "ab" },
  { name: "spread arguments", plan: "const g = (p) => p; return g(...l);", labels: "lx" },
  {
    name: "an early return in a function",
    plan: "return [1].map((o) => { const p = o + a; if (c) { return p; } return b; });",
    labels: "[ac]",
  },
  {
    name: "a pattern",
    plan: "const { k } = r; const [p, q1] = l; return [k, p, q1];",
    labels: "[kr,lx,ly]",
  },
  { name: "the taken arm", plan: "let n = 0; if (c) { n = a; } return n;", labels: "ac", value: 1 },
  {
    name: "the untaken arm",
    plan: "let n = 0; if (f) { n = a; } return n;",
    labels: "f",
    value: 0,
  },
  { name: "the other arm", plan: "let n = 0; if (c) {} else { n = a; } return n;", labels: "c" },
  {
    name: "an arm in an arm",
    plan: "let n = 0; if (f) { if (c) { n = a; } } return n;",
    labels: "f",
  },
  { name: "both tests", plan: "let n = 0; if (c) { if (a) { n = b; } } return n;", labels: "abc" },
  {
    name: "what no arm writes",
    plan: "let n = b; if (c) { const m1 = 1; } return n;",
    labels: "b",
  },
  {
    name: "calls in an arm",
    plan: "if (c) { if (a) { await t.do({ p: b }); } await t.do(); } await t.do();",
    calls: ["t.do ac {p:b}", "t.do c {}", "t.do  {}"],
  },
  {
    name: "a call's result joins pc and arguments",
    plan: "if (c) { const n = await t.get({ p: [b] }); await t.do({ n }); }",
    calls: ["t.get c {p:[b]}", "t.do c {n:Tbc}"],
  },
  {
    name: "a result that is written",
    plan: "let n = 0; if (f) { n = await t.get({}); } return n;",
    labels: "f",
  },
  {
    name: "an answer that is written",
    plan: 'let n = 0; if (f) { n = await q(Bool, "?"); } return n;',
    labels: "f",
  },
  {
    name: "a failure",
    plan: "return (await t.fail({ p: a })).error;",
    labels: "Ta{code:,message:,detail:T}",
  },
  {
    name: "an unknown outcome",
    plan: "return ok(await t.lost({ p: a }));",
    labels: "Ta",
    value: false,
  },
  {
    name: "a loop",
    plan: "let n = 0; for (const o of l) { n = n + 1; await t.do({ o }); } await t.do(); return n;",
    labels: "l",
    calls: ["t.do l {o:x}", "t.do l {o:y}", "t.do  {}"],
  },
  {
    name: "a loop over nothing",
    plan: "let n = 0; for (const o of []) { n = a; } return n;",
    labels: "",
  },
  {
    name: "a loop over no list",
    plan: "let n = 0; for (const o of a) { n = 1; } return n;",
    labels: "a",
    value: 0,
  },
  {
    name: "the element",
    plan: "let n = 0; for (const o of l) { n += o; } return n;",
    labels: "lxy",
    value: 11,
  },
  {
    name: "a loop in a loop",
    plan: "let n = 0; for (const o of m) { for (const p of l) { n = 1; } } return n;",
    labels: "lm",
  },
  {
    name: "calls of a loop in a loop",
    plan: "for (const o of m) { for (const p of l.slice(0, 1)) { await t.do(); } }",
    calls: ["t.do lm {}", "t.do lm {}"],
  },
  {
    name: "continue",
    plan: "let n = 0; for (const o of l) { if (o > 5) { continue; } n = 1; await t.do(); } await t.do(); return n;",
    labels: "lxy",
    calls: ["t.do lx {}", "t.do  {}"],
  },
  {
    name: "continue that is not taken",
    plan: "let n = 0; for (const o of [1]) { if (f) { continue; } n = 1; await t.do(); } return n;",
    labels: "f",
    calls: ["t.do f {}"],
  },
  {
    name: "break, and the turns after it",
    plan: "let n = 0; for (const o of l) { n++; await t.do(); if (f) { break; } } return n;",
    labels: "fl",
    calls: ["t.do l {}", "t.do fl {}"],
  },
  {
    name: "two ways out",
    plan: "for (const o of [1]) { if (f) { break; } if (z) { continue; } await t.do(); }",
    calls: ["t.do fz {}"],
  },
  {
    name: "a way out in an arm",
    plan: "for (const o of [1]) { if (f) { if (c) { break; } } await t.do(); }",
    calls: ["t.do f {}"],
  },
  {
    name: "a way out of the inner loop",
    plan: "for (const o of [1]) { for (const p of [1]) { if (f) { break; } } await t.do(); }",
    calls: ["t.do  {}"],
  },
  {
    name: "a way out ahead of an inner loop",
    plan: "for (const o of [1]) { if (f) { continue; } for (const p of [1]) { await t.do(); } }",
    calls: ["t.do f {}"],
  },
  {
    name: "return that is not taken",
    plan: "if (f) { return 1; } await t.do(); if (z) { return 1; } await t.do({ p: a }); return b;",
    labels: "bfz",
    pc: "fz",
    calls: ["t.do f {}", "t.do fz {p:a}"],
  },
  { name: "return that is taken", plan: "if (c) { return a; } return b;", labels: "ac", pc: "c" },
  {
    name: "return in an arm that is not taken",
    plan: "if (f) { if (c) { return 1; } } return b;",
    labels: "bf",
    pc: "f",
  },
  {
    name: "return from a loop",
    plan: "for (const o of l) { if (o > 9) { return 1; } } await t.do(); return b;",
    labels: "blxy",
    pc: "lxy",
    calls: ["t.do lxy {}"],
  },
  {
    name: "return behind break",
    plan: "for (const o of [1]) { if (c) { break; } return 1; } await t.do();",
    pc: "c",
    calls: ["t.do c {}"],
  },
  {
    name: "return behind a return",
    plan: "if (f) { return 1; } for (const o of l) { return 1; } return 2;",
    pc: "fl",
  },
  {
    name: "what was decided before",
    plan: "await t.do(); return b;",
    labels: "bp",
    pc: "p",
    calls: ["t.do p {}"],
    start: "pc",
  },
  {
    name: "an answer",
    plan: 'return await q(Bool, "?" + s, a, r);',
    labels: "Qaskr+q1",
    calls: ["q  s [a,r{k:k}]"],
  },
  { name: "an answer's question", plan: "if (c) { await q(Str(5), s); }", calls: ["q c s []"] },
  {
    name: "an answer under a test",
    plan: 'let n = 0; if (c) { n = await q(Int(1, 2), "?"); await t.do({ n }); } return n;',
    labels: "Qc+q1",
    calls: ["q c  []", "t.do c {n:Qc+q1}"],
  },
  {
    name: "an answer's answer",
    plan: 'return await q(Bool, "?", await q(Bool, "?", a));',
    labels: "Qa+q2",
  },
  {
    name: "an element that an answer chose",
    plan: 'return await q(Ref(l), "?", a);',
    labels: "Qalxy+q1",
    calls: ["q   [a] l[x,y]"],
    value: 6,
  },
  {
    name: "an answer of another type",
    plan: 'return ok(await q(Date, "?", a));',
    labels: "Qa+q1",
    value: false,
  },
];

/** Letters of a label, sorted; +q1 for the bits of question 1, model and tool as capitals. */
function letters({ integrity }: Label): string {
  const short = (source: string): string =>
    ({ "tool:t": "T", "model:q": "Q" })[source] ?? source.split(":")[1] ?? source;
  return [...integrity].map(short).sort().join("");
}

const bitsOf = ({ influence }: Label): string =>
  [...influence.keys()]
    .filter((id) => id !== "text")
    .map((id) => `+${id}`)
    .join("");

const render = ({ label, parts }: LabelTree): string =>
  `${letters(label)}${renderParts(parts)}${bitsOf(label)}`;

function renderParts(parts: LabelTree["parts"]): string {
  if (parts === undefined) return "";
  if (!(parts instanceof Map)) return `[${(parts as readonly LabelTree[]).map(render).join(",")}]`;
  return `{${[...parts].map(([key, part]) => `${key}:${render(part)}`).join(",")}}`;
}

function recordingHost(calls: string[]): PlanHost {
  const tool = leaf("", 1).labels;
  const labels = { ...tool, label: { ...bare, integrity: new Set(["tool:t" as const]) } };
  const outcomes: Readonly<Record<string, Json>> = { "t.get": 1, "t.do": 1 };
  return {
    async call(name, args, pc) {
      calls.push(`${name} ${letters(pc)} ${render(args.labels)}`);
      if (name === "t.lost") return { status: "unknown", ticket: 1, labels };
      const value = outcomes[name];
      if (value !== undefined) return { status: "ok", value: { value, labels } };
      return { status: "error", error: { code: "DEVICE", message: "no", detail: 1 }, labels };
    },
    async ask({ type, text, about, choices }, pc) {
      const shown = [text, about, ...(choices === undefined ? [] : [choices])];
      calls.push(`q ${letters(pc)} ${shown.map(({ labels: tree }) => render(tree)).join(" ")}`);
      const value = { bool: true, int: 1, ref: 1, str: "x", enum: "a", date: "no date" }[type.kind];
      return { status: "ok", value: { value, labels: leaf("", 1).labels } };
    },
  };
}

async function run(
  language: Language,
  text: string,
  calls: string[],
  pc: Label,
): Promise<PlanResult> {
  const plan = language.parsePlan(text, { inputs: Object.keys(inputs) });
  const given = new Map(Object.entries(inputs));
  const start = { id: "q", inputs: given, literals: bare, pc };
  return await language.runPlan(plan, recordingHost(calls), {}, start);
}

/** Answers every call and question with `value` under `label`. */
const answering = (value: Json, label: Label): PlanHost => {
  const outcome = { status: "ok", value: { value, labels: { label } } } as const;
  return { call: async () => outcome, ask: async () => outcome };
};

async function returned(language: Language, text: string, host: PlanHost): Promise<Label> {
  const result = await language.runPlan(language.parsePlan(text), host);
  assert.ok(result.status === "returned");
  return result.value.labels.label;
}

/** Readers, influence, literals, variables, limits: by name, each throws where it differs. */
export const otherCases: Readonly<Record<string, (language: Language) => Promise<void>>> = {
  "labels that do not have the value's shape are joined": async (language) => {
    const inner: LabelTree = { label: of("b"), parts: [{ label: of("c") }] };
    const one = new Map([["x", inner]]);
    const cases: readonly (readonly [Json, LabelTree["parts"], string])[] = [
      [1, [inner], "abc"],
      [{ x: 1 }, [inner], "abc"],
      [[1], one, "abc"],
      [{ y: 1 }, one, "abc{y:}"],
      [[], [inner], "abc[]"],
      [{ x: [1], y: 2 }, one, "a{x:b[c],y:}"],
      [[[1], 2], [inner], "a[b[c],]"],
    ];
    const plan = language.parsePlan("const n = await t.get(); return n;");
    for (const [value, parts, expected] of cases) {
      const labels = { label: of("a"), ...(parts === undefined ? {} : { parts }) };
      const ok = { status: "ok", value: { value, labels } } as const;
      const host = { ...answering(1, bare), call: async () => ok };
      const result = await language.runPlan(plan, host);
      assert.ok(result.status === "returned");
      const got = render(result.value.labels);
      assert.ok(got === expected || got.split(/[[{]/)[0] === expected, `${got}, not ${expected}`);
    }
  },
  "a part is read through its container": async ({ partLabels }) => {
    const list: LabelTree = { label: of("a"), parts: [{ label: of("b"), parts: [] }] };
    const record: LabelTree = { label: of("a"), parts: new Map([["x", { label: of("b") }]]) };
    assert.equal(render(partLabels(list, 0)), "ab[]");
    assert.equal(render(partLabels(record, "x")), "ab");
    for (const tree of [list, record, { label: of("a") }]) {
      assert.equal(render(partLabels(tree, 7)), "a");
    }
  },
  "a failure has all labels of its outcome": async (language) => {
    const labels: LabelTree = { label: of("a"), parts: [{ label: of("b") }] };
    const error = { status: "error", error: { code: "DEVICE", message: "" }, labels } as const;
    const lost = { status: "unknown", ticket: 1, labels } as const;
    for (const outcome of [error, lost]) {
      const host = { ...answering(1, bare), call: async () => outcome };
      assert.equal(letters(await returned(language, "return await t.get();", host)), "ab");
    }
  },
  "what an untrusted source shaped it chose freely, what a question bounds it did not": async (
    language,
  ) => {
    const web = answering("a", labelOf("tool:web"));
    assert.deepEqual(
      [...(await returned(language, "return await web.get();", web)).influence],
      [["text", Number.POSITIVE_INFINITY]],
    );
    const asks = 'const w = await web.get(); return await q(Enum("a", "b", "c"), "?", w);';
    assert.deepEqual([...(await returned(language, asks, web)).influence], [["plan/2", 2]]);
    const text = 'const w = await web.get(); return await q(Str(9), "?", w);';
    assert.deepEqual(
      [...(await returned(language, text, web)).influence],
      [["plan/2", Number.POSITIVE_INFINITY]],
    );
    const own = answering("a", labelOf("config"));
    assert.deepEqual([...(await returned(language, "return await web.get();", own)).influence], []);
  },
  "bits of answers add up, each question once": async (language) => {
    const label = await returned(
      language,
      'const a = await q(Bool, "?"); const b = await q(Bool, "?"); return [a, a, b].map(String).join();',
      answering(true, bare),
    );
    assert.deepEqual([...label.influence.keys()], ["plan/1", "plan/2"]);
  },
  "readers are those of all that was read, and the literals are the user's": async (language) => {
    const host: PlanHost = {
      ...answering("", bare),
      call: async (name) => {
        const readers = new Set(name === "a.get" ? ["me", "ann"] : ["me", "bob"]);
        return {
          status: "ok",
          value: { value: "x", labels: { label: labelOf("config", readers) } },
        };
      },
    };
    const label = await returned(language, 'return (await a.get()) + "!" + (await b.get());', host);
    assert.deepEqual(label.readers, new Set(["me"]));
    assert.deepEqual(label.integrity, new Set(["config", "user"]));
  },
  "inputs come with their labels, variables go with theirs and what decided the end": async (
    language,
  ) => {
    const plan = language.parsePlan(
      "let n = 1; const m = secret; if (secret) { return 1; } const o = 2;",
      {
        inputs: ["secret"],
      },
    );
    const secret = { value: 0, labels: { label: labelOf("config", new Set(["me"])) } };
    const result = await language.runPlan(
      plan,
      answering(1, bare),
      {},
      { inputs: new Map([["secret", secret]]) },
    );
    assert.ok(result.status === "returned");
    assert.deepEqual([...result.variables.keys()], ["secret", "n", "m", "o"]);
    for (const { labels } of result.variables.values()) {
      assert.deepEqual(labels.label.readers, new Set(["me"]));
    }
  },
  "a second part of a plan goes on under the first one's pc": async (language) => {
    const seen: Label[] = [];
    const host: PlanHost = {
      ...answering(1, labelOf("tool:web")),
      call: async (_, __, pc) => {
        seen.push(pc);
        return { status: "ok", value: { value: 0, labels: { label: labelOf("tool:web") } } };
      },
    };
    const first = await language.runPlan(
      language.parsePlan("if (await web.get()) { return 1; }"),
      host,
    );
    await language.runPlan(language.parsePlan("await web.get();"), host, {}, { pc: first.pc });
    assert.deepEqual(
      seen.map(({ integrity }) => [...integrity]),
      [[], ["tool:web"]],
    );
  },
  "that a limit was reached may tell of everything that the plan has met": async (language) => {
    const host: PlanHost = {
      ...answering(1e9, bare),
      call: async (name) => {
        const label = labelOf(`tool:${name}`, new Set(["me"]));
        return {
          status: "ok",
          value: { value: [1e9], labels: { label: bare, parts: [{ label }] } },
        };
      },
    };
    const text = "const l = await a.get(); return range((await b.get())[0]);";
    const plan = language.parsePlan(text, { inputs: ["input"] });
    const input = { value: 1, labels: { label: labelOf("file:a") } };
    const start = { inputs: new Map([["input", input]]), pc: labelOf("agent:a") };
    const result = await language.runPlan(plan, host, {}, start);
    assert.ok(result.status === "stopped");
    const sources = ["agent:a", "file:a", "tool:a.get", "tool:b.get"];
    assert.deepEqual([...result.label.integrity].sort(), sources);
    assert.deepEqual(result.label.readers, new Set(["me"]));
    assert.deepEqual(result.pc, result.label);
    const alone = language.parsePlan("return range(1e9);");
    const early = await language.runPlan(alone, host, {}, start);
    assert.ok(early.status === "stopped" && early.label.integrity.has("agent:a"));
  },
};

/** The first difference from what was worked out by hand. */
export async function failedCase(language: Language): Promise<string | undefined> {
  for (const [text, labels, value] of expressionCases) {
    const failed = await failedExpression(language, text, labels, value);
    if (failed !== undefined) return failed;
  }
  for (const one of statementCases) {
    const failed = await failedStatement(language, one);
    if (failed !== undefined) return failed;
  }
  for (const [name, check] of Object.entries(otherCases)) {
    const failed = await check(language).then(
      () => undefined,
      (error: Error) => `${name}: ${error.message}`,
    );
    if (failed !== undefined) return failed;
  }
  return undefined;
}

export async function failedExpression(
  language: Language,
  text: string,
  labels: string,
  value?: Json,
): Promise<string | undefined> {
  try {
    const result = await run(language, `return ${text};`, [], bare);
    return compare(
      text,
      result,
      { name: text, plan: text, labels, ...(value === undefined ? {} : { value }) },
      [],
    );
  } catch (error) {
    return labels === "refused" ? undefined : `${text}: ${error}`;
  }
}

export async function failedStatement(
  language: Language,
  one: StatementCase,
): Promise<string | undefined> {
  const calls: string[] = [];
  const result = await run(language, one.plan, calls, one.start === "pc" ? of("p") : bare);
  return compare(one.name, result, one, calls);
}

function compare(
  name: string,
  result: PlanResult,
  expected: StatementCase,
  calls: readonly string[],
): string | undefined {
  if (result.status !== "returned") return `${name}: stopped, ${result.error.code}`;
  const got = render(result.value.labels).replace(/q\//g, "q");
  const seen: readonly (readonly [string, unknown, unknown])[] = [
    ["labels", sorted(got), expected.labels === undefined ? undefined : sorted(expected.labels)],
    ["value", result.value.value, expected.value],
    ["calls", calls.map((call) => call.replace(/q\//g, "q")), expected.calls],
    ["pc", letters(result.pc), expected.pc],
  ];
  for (const [what, is, wanted] of seen) {
    if (wanted === undefined || JSON.stringify(is) === JSON.stringify(wanted)) continue;
    return `${name}: ${what} ${JSON.stringify(is)}, by hand ${JSON.stringify(wanted)}`;
  }
  return undefined;
}

/** Letters in order, so that the table may write them in any. */
const sorted = (text: string): string =>
  text.replace(/[A-Za-z]+(?=[[{+,\]}]|$)/g, (one) => [...one].sort().join(""));
