/**
 * Generator of plans: well-formed text that uses every construct of the language, with branches,
 * loops, early exits and callbacks on values of every kind. A plan is a tree of lines, so that a
 * failing one can be made smaller by leaving lines out.
 *
 * Tools are named by what they give: `low.*` is the same in both worlds, `high.*` is not, `mix.*` is
 * in part; `echo.*` computes from its arguments; `out.*` has consequences.
 */

/** A line, with a block and a second one where it opens them. */
export interface Line {
  readonly text: string;
  readonly block?: readonly Line[];
  /** Of `else`. */
  readonly other?: readonly Line[];
}

/** Uniform in [0, 1), a function of the seed: mulberry32. */
export function createRandom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

export function renderLines(lines: readonly Line[], indent = ""): string {
  return lines
    .map(({ text, block, other }) => {
      if (block === undefined) return `${indent}${text}\n`;
      const end =
        other === undefined ? "" : ` else {\n${renderLines(other, `${indent}  `)}${indent}}`;
      return `${indent}${text} {\n${renderLines(block, `${indent}  `)}${indent}}${end}\n`;
    })
    .join("");
}

/** Every tree that is smaller by one line, or by one line's frame. */
export function* smallerPlans(lines: readonly Line[]): Generator<Line[]> {
  for (const [i, line] of lines.entries()) {
    const put = (...instead: readonly Line[]): Line[] => lines.toSpliced(i, 1, ...instead);
    yield put();
    if (line.block === undefined) continue;
    yield put(...line.block);
    if (line.other !== undefined) yield put({ text: line.text, block: line.block });
    for (const block of smallerPlans(line.block)) yield put({ ...line, block });
    for (const other of smallerPlans(line.other ?? [])) yield put({ ...line, other });
  }
}

const types = ["num", "str", "bool", "nums", "strs", "rec", "recs"] as const;
export type Type = (typeof types)[number];

interface Variable {
  readonly name: string;
  readonly type: Type;
  readonly mutable: boolean;
}

/** Operands of a row, made on demand: `n` a number, and so on. */
type Make = (type: Type) => string;
type Row = (make: Make, plan: Writer) => string;

const each = (plan: Writer, list: "nums" | "recs" | "strs", result: Type): string => {
  const name = plan.fresh("x");
  const type = { nums: "num", recs: "rec", strs: "str" }[list] as Type;
  const body = plan.inside({ name, type, mutable: false }, () => plan.make(result));
  if (plan.chance(0.85)) return `(${name}) => ${body}`;
  const guard = plan.inside({ name, type, mutable: false }, () => plan.make("bool"));
  return `(${name}) => { if (${guard}) { return ${body}; } return ${plan.leaf(result)}; }`;
};

/** Everything that makes a value, by the type that it should have. */
const expressions: Readonly<Record<Type, readonly Row[]>> = {
  num: [
    (make) => `(${make("num")} + ${make("num")})`,
    (make) => `(${make("num")} * ${make("num")})`,
    (make) => `(${make("num")} - ${make("num")})`,
    (make) => `(${make("num")} % 5)`,
    (make) => `(${make("num")} / 2)`,
    (make) => `-(${make("num")})`,
    (make) => `${make("nums")}.length`,
    (make) => `${make("recs")}.length`,
    (make) => `${make("str")}.length`,
    (make) => `${make("str")}.indexOf(${make("str")})`,
    (make) => `${make("nums")}.indexOf(${make("num")})`,
    (make) => `${make("nums")}.lastIndexOf(${make("num")})`,
    (make) => `(${make("nums")}[${make("num")}] ?? 0)`,
    (make) => `(${make("nums")}.at(${make("num")}) ?? 1)`,
    (make) => `${make("rec")}.x`,
    (make) => `${make("rec")}["x"]`,
    (make) => `(${make("rec")}[${make("str")}] ?? 2)`,
    (make) => `(${make("recs")}[${make("num")}]?.x ?? 3)`,
    (make, plan) => `(${make("recs")}.find(${each(plan, "recs", "bool")})?.x ?? 4)`,
    (make, plan) => `(${make("nums")}.find(${each(plan, "nums", "bool")}) ?? 5)`,
    (make, plan) => `${make("nums")}.findIndex(${each(plan, "nums", "bool")})`,
    (make) => `${make("nums")}.reduce((s, y) => s + y, ${make("num")})`,
    (make) => `${make("recs")}.reduce((s, y) => (y.b ? s + y.x : s), 0)`,
    (make) => `(${make("bool")} ? ${make("num")} : ${make("num")})`,
    (make) => `(${make("num")} || ${make("num")})`,
    (make) => `(${make("num")} && ${make("num")})`,
    (make) => `Math.max(${make("num")}, ...${make("nums")})`,
    (make) => `Math.min(${make("num")}, ${make("num")})`,
    (make) => `Math.abs(${make("num")})`,
    (make) => `Number(${make("str")})`,
    (make) => `Number(${make("bool")})`,
    (make) => `(JSON.parse(JSON.stringify(${make("rec")})).x ?? 0)`,
    (make) => `parseInt(${make("str")}, 10)`,
    (make, plan) => plan.apply("num") ?? make("num"),
  ],
  str: [
    (make) => `(${make("str")} + ${make("str")})`,
    (make) => `\`\${${make("num")}}-\${${make("str")}}\``,
    (make) => `${make("strs")}.join(${make("str")})`,
    (make) => `${make("nums")}.join()`,
    (make) => `${make("str")}.slice(${make("num")}, ${make("num")})`,
    (make) => `(${make("str")}[${make("num")}] ?? "z")`,
    (make) => `${make("str")}.charAt(${make("num")})`,
    (make) => `${make("str")}.trim()`,
    (make) => `${make("str")}.toUpperCase()`,
    (make) => `${make("str")}.replace(${make("str")}, ${make("str")})`,
    (make) => `${make("str")}.replaceAll("a", ${make("str")})`,
    (make) => `${make("str")}.padStart(${make("num")} % 9, "x")`,
    (make) => `"ab".repeat(Math.abs(${make("num")}) % 4)`,
    (make) => `(${make("strs")}[0] ?? "none")`,
    (make) => `${make("rec")}.t`,
    (make) => `(${make("recs")}[0]?.t ?? "w")`,
    (make) => `String(${make("num")})`,
    (make) => `typeof ${make("rec")}.q`,
    (make) => `(${make("bool")} ? ${make("str")} : ${make("str")})`,
    (make) => `(${make("str")} || ${make("str")})`,
    (make) => `JSON.stringify(${make("rec")})`,
    (make) => `JSON.stringify(${make("nums")})`,
    (make) => `(${make("num")}).toFixed(1)`,
    (make) => `String(Object.keys(${make("rec")})[0])`,
    (make, plan) => plan.apply("str") ?? make("str"),
  ],
  bool: [
    (make) => `(${make("num")} < ${make("num")})`,
    (make) => `(${make("num")} >= ${make("num")})`,
    (make) => `(${make("num")} === ${make("num")})`,
    (make) => `(${make("str")} !== ${make("str")})`,
    (make) => `(${make("str")} > ${make("str")})`,
    (make) => `${make("str")}.includes(${make("str")})`,
    (make) => `${make("str")}.startsWith(${make("str")})`,
    (make) => `${make("nums")}.includes(${make("num")})`,
    (make, plan) => `${make("nums")}.some(${each(plan, "nums", "bool")})`,
    (make, plan) => `${make("recs")}.every(${each(plan, "recs", "bool")})`,
    (make) => `!${make("bool")}`,
    (make) => `(${make("bool")} && ${make("bool")})`,
    (make) => `(${make("bool")} || ${make("bool")})`,
    (make) => `(${make("bool")} ?? false)`,
    (make) => `${make("rec")}.b`,
    (make) => `ok(${make("rec")})`,
    (make) => `ok(${make("num")})`,
    (make) => `Array.isArray(${make("nums")})`,
    (make) => `Boolean(${make("str")})`,
    (make) => `Number.isInteger(${make("num")})`,
    (make) => `(${make("recs")}[0] === undefined)`,
    (make) => `(${make("rec")}.error === undefined)`,
    (make, plan) => plan.apply("bool") ?? make("bool"),
  ],
  nums: [
    (make) => `[${make("num")}, ${make("num")}]`,
    (make) => `[...${make("nums")}, ${make("num")}]`,
    (make, plan) => `${make("nums")}.map(${each(plan, "nums", "num")})`,
    (make, plan) => `${make("recs")}.map(${each(plan, "recs", "num")})`,
    (make, plan) => `${make("nums")}.filter(${each(plan, "nums", "bool")})`,
    (make) => `${make("nums")}.slice(${make("num")})`,
    (make) => `${make("nums")}.slice(0, ${make("num")})`,
    (make) => `${make("nums")}.sort((p, o) => p - o)`,
    (make) => `${make("nums")}.toSorted()`,
    (make) => `${make("nums")}.concat(${make("nums")}, ${make("num")})`,
    (make) => `${make("nums")}.toReversed()`,
    (make, plan) => `${make("recs")}.flatMap(${each(plan, "recs", "nums")})`,
    (make) => `[${make("nums")}, ${make("nums")}].flat()`,
    (make) => `range(Math.abs(${make("num")}) % 4)`,
    (make) => `Object.values({ p: ${make("num")}, o: ${make("num")} })`,
    (make) => `${make("strs")}.map(Number)`,
    (make) => `(${make("bool")} ? ${make("nums")} : ${make("nums")})`,
    (make) => `[${make("num")}, ${make("num")}].map((y, i) => y + i)`,
  ],
  strs: [
    (make) => `${make("str")}.split(" ")`,
    (make) => `${make("str")}.split("")`,
    (make) => `Object.keys(${make("rec")})`,
    (make) => `${make("recs")}.map((y) => y.t)`,
    (make) => `${make("strs")}.sort()`,
    (make, plan) => `${make("strs")}.filter(${each(plan, "strs", "bool")})`,
    (make, plan) => `${make("strs")}.map(${each(plan, "strs", "str")})`,
    (make) => `[${make("str")}, ${make("str")}]`,
    (make) => `Object.entries(${make("rec")}).map(([key, y]) => key)`,
  ],
  rec: [
    (make) => `({ x: ${make("num")}, t: ${make("str")}, b: ${make("bool")} })`,
    (make) => `({ ...${make("rec")}, x: ${make("num")} })`,
    (make) => `({ x: 1, t: "", b: true, [${make("str")}]: ${make("num")} })`,
    (make) => `(${make("recs")}[${make("num")}] ?? { x: 0, t: "", b: false })`,
    (make, plan) => `(${make("recs")}.find(${each(plan, "recs", "bool")}) ?? ${make("rec")})`,
    (make) => `(${make("bool")} ? ${make("rec")} : ${make("rec")})`,
    (make) => `Object.fromEntries([["x", ${make("num")}], ["t", ${make("str")}]])`,
    (make) => `Object.fromEntries(Object.entries(${make("rec")}))`,
    (make) => `Object.fromEntries([[${make("str")}, ${make("num")}]])`,
  ],
  recs: [
    (make) => `[${make("rec")}, ...${make("recs")}]`,
    (make) => `[${make("rec")}]`,
    (make, plan) => `${make("recs")}.filter(${each(plan, "recs", "bool")})`,
    (make) => `${make("recs")}.sort((p, o) => p.x - o.x)`,
    (make) => `${make("recs")}.slice(0, ${make("num")})`,
    (make, plan) => `${make("recs")}.map(${each(plan, "recs", "rec")})`,
    (make) => `${make("recs")}.map((y, i) => ({ ...y, i }))`,
    (make) => `(${make("bool")} ? ${make("recs")} : ${make("recs")})`,
  ],
};

const literals: Readonly<Record<Type, readonly string[]>> = {
  num: ["0", "1", "2", "3", "7"],
  str: ['""', '"a"', '"a b"', '"x"', '"2"'],
  bool: ["true", "false"],
  nums: ["[]", "[1, 2]", "[3, 1, 2]"],
  strs: ['["a"]', '["b", "a"]'],
  rec: ['({ x: 1, t: "a", b: true })', '({ x: 2, t: "b c", b: false })'],
  recs: ['[{ x: 2, t: "a", b: true }, { x: 1, t: "b", b: false }]'],
};

const answerTypes: readonly (readonly [string, Type])[] = [
  ["Bool", "bool"],
  ["Int(0, 3)", "num"],
  ['Enum("a", "b", "x")', "str"],
  ["Date", "str"],
  ["Str(6)", "str"],
];

const MOST_LINES = 7;

/** Writes one plan. Owns what is in scope while it writes. */
export class Writer {
  readonly #random: () => number;
  #scope: Variable[] = [];
  #functions: { name: string; from: Type; to: Type }[] = [];
  #names = 0;
  #questions = 0;
  #depth = 0;
  #loops = 0;

  readonly #pure: boolean;

  /** @param pure without calls and questions */
  constructor(seed: number, pure = false) {
    this.#random = createRandom(seed);
    this.#pure = pure;
  }

  fresh(prefix: string): string {
    return `${prefix}${this.#names++}`;
  }

  chance(share: number): boolean {
    return this.#random() < share;
  }

  pick<T>(all: readonly T[]): T {
    return all[Math.floor(this.#random() * all.length)] as T;
  }

  /** Text of an expression. */
  make(type: Type): string {
    if (this.#depth >= 2 || this.chance(0.3 + 0.2 * this.#depth)) return this.leaf(type);
    this.#depth++;
    const row = this.pick(expressions[type]);
    const made = row((inner) => this.make(inner), this);
    this.#depth--;
    return made;
  }

  leaf(type: Type): string {
    const near = this.#scope.filter((one) => one.type === type);
    return near.length > 0 && this.chance(0.85) ? this.pick(near).name : this.pick(literals[type]);
  }

  /** A call of a constant function, where there is one. */
  apply(to: Type): string | undefined {
    const fits = this.#functions.filter((one) => one.to === to);
    if (fits.length === 0) return undefined;
    const { name, from } = this.pick(fits);
    return `${name}(${this.leaf(from)})`;
  }

  inside<T>(variable: Variable, write: () => T): T {
    const before = this.#scope;
    this.#scope = [...before, variable];
    const made = write();
    this.#scope = before;
    return made;
  }

  plan(): Line[] {
    const some = types.filter(() => this.chance(0.6));
    const start = some.flatMap((type) => [this.#tool(type), this.#variable(type)]);
    const lines = this.#lines(MOST_LINES, 0);
    const end = this.#pure ? [] : [this.#sink()];
    const value = `{ ${this.#scope.map(({ name }) => name).join(", ")} }`;
    return [...start, ...lines, ...end, { text: `return ${value};` }];
  }

  #lines(most: number, nesting: number): Line[] {
    const count = 1 + Math.floor(this.#random() * most);
    return Array.from({ length: count }, () => this.#line(nesting));
  }

  /** The lines of a block: what it declares is gone after it. */
  #block(nesting: number, ...first: readonly Variable[]): Line[] {
    const before = [this.#scope, this.#functions] as const;
    this.#scope = [...this.#scope, ...first];
    const lines = this.#lines(3, nesting);
    [this.#scope, this.#functions] = before;
    return lines;
  }

  #line(nesting: number): Line {
    const kind = this.#random();
    if (nesting < 3 && kind < 0.22) return this.#branch(nesting);
    if (nesting < 3 && kind < 0.34) return this.#loop(nesting);
    if (nesting > 0 && kind < 0.42) return this.#exit();
    if (this.#pure && kind >= 0.52 && kind < 0.7) return this.#assignment();
    if (kind < 0.52) return this.#tool(this.pick(types));
    if (kind < 0.58) return this.#question();
    if (kind < 0.64) return this.#sink();
    if (kind < 0.7) return this.#echo();
    if (kind < 0.74) return this.#function();
    if (kind < 0.78) return this.#destructure();
    return kind < 0.92 ? this.#assignment() : this.#variable(this.pick(types));
  }

  #declare(type: Type, mutable: boolean): string {
    const name = this.fresh(type[0] as string);
    this.#scope = [...this.#scope, { name, type, mutable }];
    return `${mutable ? "let" : "const"} ${name}`;
  }

  #variable(type: Type): Line {
    const value = this.make(type);
    return { text: `${this.#declare(type, this.chance(0.7))} = ${value};` };
  }

  #assignment(): Line {
    const open = this.#scope.filter(({ mutable }) => mutable);
    if (open.length === 0) return this.#variable("num");
    const { name, type } = this.pick(open);
    if (type === "num" && this.chance(0.4)) {
      return { text: this.chance(0.5) ? `${name}++;` : `${name} += ${this.make(type)};` };
    }
    return { text: `${name} = ${this.make(type)};` };
  }

  #tool(type: Type): Line {
    if (this.#pure) return this.#variable(type);
    const source = this.pick(["low", "high", "high", "mix", "mix"]);
    const args = `{ n: ${this.chance(0.5) ? this.make("num") : this.pick(literals.num)} }`;
    const call = `await ${source}.${type}(${args})`;
    return { text: `${this.#declare(type, this.chance(0.5))} = ${call};` };
  }

  /** A tool that computes: its result tells of its arguments. */
  #echo(): Line {
    const type = this.pick(types);
    const call = `await echo.${type}({ a: ${this.make(this.pick(types))} })`;
    return { text: `${this.#declare(type, this.chance(0.5))} = ${call};` };
  }

  #question(): Line {
    const about = `${this.#questions++}, ${this.make(this.pick(types))}`;
    const asks = this.chance(0.5) ? '"which?"' : this.make("str");
    if (this.chance(0.25)) {
      const call = `await q(Ref(${this.make("recs")}), ${asks}, ${about})`;
      return { text: `${this.#declare("rec", true)} = ${call};` };
    }
    const [answer, type] = this.pick(answerTypes);
    return { text: `${this.#declare(type, true)} = await q(${answer}, ${asks}, ${about});` };
  }

  #sink(): Line {
    const args = `{ to: ${this.make("str")}, n: ${this.make("num")}, body: ${this.make("str")} }`;
    const call = `await out.${this.pick(["send", "pay"])}(${args});`;
    if (this.chance(0.6)) return { text: call };
    return { text: `${this.#declare("rec", false)} = ${call}` };
  }

  #branch(nesting: number): Line {
    const text = `if (${this.make(this.pick(["bool", "bool", "num", "str"]))})`;
    const block = this.#block(nesting + 1);
    return this.chance(0.4) ? { text, block, other: this.#block(nesting + 1) } : { text, block };
  }

  #loop(nesting: number): Line {
    const list = this.pick(["nums", "recs", "strs"] as const);
    const over = this.make(list);
    const name = this.fresh("e");
    const type = { nums: "num", recs: "rec", strs: "str" }[list] as Type;
    this.#loops++;
    const block = this.#block(nesting + 1, { name, type, mutable: false });
    this.#loops--;
    return { text: `for (const ${name} of ${over}.slice(0, 4))`, block };
  }

  #exit(): Line {
    const leave = this.pick(["break;", "continue;", "return 1;"]);
    const text = this.#loops > 0 ? leave : `return ${this.make("num")};`;
    return this.chance(0.85) ? { text: `if (${this.make("bool")})`, block: [{ text }] } : { text };
  }

  #function(): Line {
    const [from, to] = [this.pick(types), this.pick(["num", "str", "bool"] as const)];
    const [name, parameter] = [this.fresh("f"), this.fresh("p")];
    const variable = { name: parameter, type: from, mutable: false };
    const body = this.inside(variable, () => this.make(to));
    this.#functions = [...this.#functions, { name, from, to }];
    return { text: `const ${name} = (${parameter}) => ${body};` };
  }

  #destructure(): Line {
    const [x, t] = [this.fresh("n"), this.fresh("s")];
    const record = this.make("rec");
    this.#scope = [
      ...this.#scope,
      { name: x, type: "num", mutable: false },
      { name: t, type: "str", mutable: false },
    ];
    return { text: `const { x: ${x}, t: ${t} } = ${record};` };
  }
}
