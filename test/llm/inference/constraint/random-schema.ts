/**
 * Random schemas, each with a maker of values that are valid under it. The makers follow the
 * meaning of the keywords and know nothing of grammars or automata. Values hold their members in
 * the order in which a constrained text says them: as named in the schema, others behind.
 */
import { philox } from "../../../../src/compute/philox.ts";

export interface Random {
  /** Integer in [0, n). */
  below(n: number): number;
  choose<T>(choices: readonly T[]): T;
  chance(probability: number): boolean;
}

export function createRandom(seed: number): Random {
  let draws = 0;
  const next = (): number => (philox([draws++, 0, 0, 0], [seed, 7])[0] as number) / 2 ** 32;
  const below = (n: number): number => Math.floor(next() * n);
  return {
    below,
    choose: (choices) => choices[below(choices.length)] as (typeof choices)[number],
    chance: (probability) => next() < probability,
  };
}

export interface RandomSchema {
  readonly schema: unknown;
  readonly make: (random: Random) => unknown;
}

type Maker = (random: Random, depth: number) => RandomSchema;

const characters = [
  ..."abcxyz 019-_.,:{}[]/",
  '"',
  "\\",
  "\n",
  "\u0001",
  "\u007f",
  "é",
  "漢",
  "🙂",
];

export function randomText(random: Random, min: number, max: number): string {
  const length = min + random.below(max - min + 1);
  return Array.from({ length }, () => random.choose(characters)).join("");
}

const anyString: Maker = () => ({
  schema: { type: "string" },
  make: (random) => randomText(random, 0, 9),
});

const sizedString: Maker = (random) => {
  const min = random.below(4);
  const max = min + random.below(random.choose([2, 5, 40]));
  const schema = { type: "string", minLength: min, maxLength: max };
  return { schema, make: (inner) => randomText(inner, min, max) };
};

const patterns: readonly (readonly [string, (random: Random) => string])[] = [
  ["^[a-c]+$", (random) => random.choose(["a", "abc", "ccab"])],
  ["^(\\d{3}-)?\\d{4}$", (random) => random.choose(["555-1234", "0000"])],
  ["b", (random) => `${randomText(random, 0, 4)}b${randomText(random, 0, 4)}`],
  ["^x|y$", (random) => random.choose(["x\n", "x", "y", "ay"])],
  ['^"[^"]*"$', (random) => `"${random.choose(["", "a\\", "🙂\t"])}"`],
  ["^\\p{Lu}\\w*$", (random) => random.choose(["Z", "Éa", "Ab_9"])],
];
const patternString: Maker = (random) => {
  const [pattern, make] = random.choose(patterns);
  return { schema: { type: "string", pattern }, make };
};

const formatted: Readonly<Record<string, readonly string[]>> = {
  date: ["2024-02-29", "1999-12-31", "0001-01-01"],
  time: ["23:59:59Z", "00:00:00.125+05:30"],
  "date-time": ["2000-02-29T12:00:00Z", "2023-11-30T01:02:03.5-08:00"],
  uuid: ["123e4567-e89b-12d3-a456-426614174000"],
  email: ["a.b+c@mail.example.org", "x@y.zz"],
  hostname: ["localhost", "a-1.example.com"],
  ipv4: ["0.0.0.0", "192.168.10.255"],
  ipv6: ["::", "::1", "fe80::1:2", "1:2:3:4:5:6:7:8", "1::"],
  uri: ["https://example.org/a?b=c#d", "urn:isbn:1", "file:///x", "mailto:a@b.c"],
};
const formatString: Maker = (random) => {
  const format = random.choose(Object.keys(formatted));
  return {
    schema: { type: "string", format },
    make: (inner) => inner.choose(formatted[format] as string[]),
  };
};

const integer: Maker = (random) => {
  const low = random.choose([undefined, -30, -1, 0, 7, -1234]);
  const high = random.choose([undefined, (low ?? -5) + random.below(random.choose([3, 2000]))]);
  const least = low ?? (high ?? 0) - 5000;
  const most = high ?? least + 9999;
  const limits = {
    ...(low === undefined
      ? {}
      : random.chance(0.5)
        ? { minimum: low }
        : { exclusiveMinimum: low - 1 }),
    ...(high === undefined ? {} : { maximum: high }),
  };
  const schema = { type: "integer", ...limits };
  return { schema, make: (inner) => least + inner.below(most - least + 1) };
};

const number: Maker = (random) => {
  const low = random.choose([undefined, -2.5, 0, 0.1, 1]);
  const width = random.choose([0.5, 3, 1000]);
  const high = random.choose([undefined, (low ?? 0) + width]);
  const schema = {
    type: "number",
    ...(low === undefined ? {} : { exclusiveMinimum: low }),
    ...(high === undefined ? {} : { maximum: high }),
  };
  const least = low ?? (high ?? 0) - width;
  return {
    schema,
    make: (inner) => Number((least + ((1 + inner.below(99)) / 100) * width).toFixed(4)),
  };
};

const anyNumber: Maker = () => ({
  schema: { type: "number" },
  make: (random) =>
    random.choose([
      0,
      -1,
      1e21,
      1.5e-7,
      -2.25,
      0.1 + 0.2,
      1 / 3,
      123456789012345680000,
      5e300,
      -0.5,
    ]),
});

const fixed: Maker = (random) => {
  const values = ["a", "ab", "é\n", 1, -0.5, null, true, [1, { a: "b" }], { k: [] }, {}];
  const chosen = values.filter(() => random.chance(0.4));
  if (chosen.length === 0) return { schema: { const: "only" }, make: () => "only" };
  return { schema: { enum: chosen }, make: (inner) => inner.choose(chosen) };
};

const plain: Maker = (random) => {
  const [type, value] = random.choose([
    ["null", null],
    ["boolean", true],
  ] as const);
  return { schema: { type, description: "plain" }, make: () => value };
};

function randomValue(random: Random, depth: number): unknown {
  const scalar = [null, true, 12, -0.5, randomText(random, 0, 5)];
  if (depth === 0 || random.chance(0.5)) return random.choose(scalar);
  const values = Array.from({ length: random.below(4) }, () => randomValue(random, depth - 1));
  if (random.chance(0.5)) return values;
  return Object.fromEntries(values.map((value, i) => [`${randomText(random, 0, 3)}${i}x`, value]));
}

const anything: Maker = (random) => ({
  schema: random.choose([{}, true]),
  make: (inner) => randomValue(inner, 3),
});

const names = ["a", "b", "name", "nam", "key with space", 'quo"te', "é", "constructor", "n"];

const object: Maker = (random, depth) => {
  const named = names
    .filter(() => random.chance(0.35))
    .map((name) => [name, randomSchema(random, depth - 1), random.chance(0.5)] as const);
  const required = named.filter(([, , needed]) => needed).map(([name]) => name);
  const other = random.chance(0.4) ? randomSchema(random, depth - 1) : undefined;
  const schema = {
    type: "object",
    properties: Object.fromEntries(named.map(([name, inner]) => [name, inner.schema])),
    ...(required.length > 0 ? { required } : {}),
    additionalProperties: other ? other.schema : false,
  };
  const make = (inner: Random): unknown => {
    const members = named
      .filter(([, , needed]) => needed || inner.chance(0.5))
      .map(([name, value]) => [name, value.make(inner)] as const);
    const count = other ? inner.below(3) : 0;
    const others = Array.from({ length: count }, (_, i) => [
      `${randomText(inner, 0, 3)}x${i}`,
      other?.make(inner),
    ]);
    return Object.fromEntries([...members, ...others]);
  };
  return { schema, make };
};

const sizedMap: Maker = (random, depth) => {
  const value = randomSchema(random, depth - 1);
  const min = random.below(3);
  const max = min + random.below(3);
  const schema = {
    ...{ type: "object", additionalProperties: value.schema },
    ...{ minProperties: min, maxProperties: max },
  };
  const make = (inner: Random) => {
    const count = min + inner.below(max - min + 1);
    const entries = Array.from({ length: count }, (_, i) => [`k${i}`, value.make(inner)]);
    return Object.fromEntries(entries);
  };
  return { schema, make };
};

const array: Maker = (random, depth) => {
  const item = randomSchema(random, depth - 1);
  const min = random.below(3);
  const max = random.choose([min, min + 2, undefined]);
  const schema = {
    ...{ type: "array", items: item.schema },
    ...(min > 0 ? { minItems: min } : {}),
    ...(max === undefined ? {} : { maxItems: max }),
  };
  const make = (inner: Random) => {
    const length = min + inner.below((max ?? min + 3) - min + 1);
    return Array.from({ length }, () => item.make(inner));
  };
  return { schema, make };
};

const tuple: Maker = (random, depth) => {
  const items = [0, 1].map(() => randomSchema(random, depth - 1));
  const rest = random.chance(0.5) ? randomSchema(random, depth - 1) : undefined;
  const min = random.below(3);
  const schema = {
    ...{ type: "array", prefixItems: items.map((item) => item.schema), minItems: min },
    items: rest ? rest.schema : false,
  };
  const make = (inner: Random) => {
    const length = min + inner.below(rest ? 3 : 3 - min);
    return Array.from({ length }, (_, i) => (items[i] ?? (rest as RandomSchema)).make(inner));
  };
  return { schema, make };
};

const anyOf: Maker = (random, depth) => {
  const ways = [0, 1, 2].map(() => randomSchema(random, depth - 1));
  const schema = { anyOf: ways.map((way) => way.schema) };
  return { schema, make: (inner) => inner.choose(ways).make(inner) };
};

const oneOf: Maker = (random, depth) => {
  const ways = ["circle", "square"].map((kind) => ({
    kind,
    inner: randomSchema(random, depth - 1),
  }));
  const schema = {
    oneOf: ways.map(({ kind, inner }) => ({
      ...{ type: "object", properties: { kind: { const: kind }, [kind]: inner.schema } },
      ...{ required: ["kind", kind], additionalProperties: false },
    })),
  };
  const make = (random2: Random) => {
    const { kind, inner } = random2.choose(ways);
    return { kind, [kind]: inner.make(random2) };
  };
  return { schema, make };
};

const allOf: Maker = (random, depth) => {
  const [a, b] = [randomSchema(random, depth - 1), randomSchema(random, depth - 1)];
  const needs = (name: string, schema: unknown) => ({
    ...{ type: "object", properties: { [name]: schema }, required: [name] },
  });
  const schema = { allOf: [needs("first", a.schema), needs("second", b.schema)] };
  return { schema, make: (inner) => ({ first: a.make(inner), second: b.make(inner) }) };
};

const list: Maker = (random, depth) => {
  const value = randomSchema(random, Math.min(depth - 1, 0));
  const node = {
    ...{ type: "object", required: ["value"], additionalProperties: false },
    properties: { value: value.schema, next: { $ref: "#/$defs/node" } },
  };
  const make = (inner: Random): unknown =>
    inner.chance(0.5)
      ? { value: value.make(inner) }
      : { value: value.make(inner), next: make(inner) };
  return { schema: { $ref: "#/$defs/node", $defs: { node } }, make };
};

const nullable: Maker = () => ({
  schema: { type: ["string", "integer", "null"], maxLength: 3, minimum: 5 },
  make: (random) => random.choose([null, "abc", "", 5, 77]),
});

const leaves: readonly Maker[] = [
  ...[anyString, sizedString, patternString, formatString, integer, number, anyNumber],
  ...[fixed, plain, anything, nullable],
];
const branches: readonly Maker[] = [object, object, sizedMap, array, tuple, anyOf, oneOf, allOf];

/** @param depth of what may hold other schemas */
export function randomSchema(random: Random, depth: number): RandomSchema {
  const maker = depth > 0 && random.chance(0.7) ? random.choose(branches) : random.choose(leaves);
  return maker(random, depth);
}

/** Recursion needs its definitions at the root, so it stands there alone or not at all. */
export function randomRoot(random: Random, depth: number): RandomSchema {
  return random.chance(0.07) ? list(random, depth) : randomSchema(random, depth);
}

/** JSON text, with a space after `:` and `,` or none, as chance has it. */
export function writeJson(value: unknown, random: Random): string {
  const space = (mark: string) => (random.chance(0.5) ? `${mark} ` : mark);
  const join = (texts: readonly string[]) =>
    texts.reduce((all, text, i) => (i === 0 ? text : `${all}${space(",")}${text}`), "");
  if (Array.isArray(value)) return `[${join(value.map((item) => writeJson(item, random)))}]`;
  if (typeof value !== "object" || value === null) return JSON.stringify(value);
  const members = Object.entries(value).map(
    ([name, inner]) => `${JSON.stringify(name)}${space(":")}${writeJson(inner, random)}`,
  );
  return `{${join(members)}}`;
}
