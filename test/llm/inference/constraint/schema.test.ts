/** What a schema may say, what it may not, and what was chosen where the standard is silent. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { createConstraintCompiler } from "../../../../src/llm/inference/constraint/compiler.ts";
import { accepts, byteVocabulary } from "./byte-vocabulary.ts";

const compiler = createConstraintCompiler(byteVocabulary());

type Refusal = readonly [schema: unknown, code: "CONFIG" | "UNSUPPORTED", message: RegExp];
const integer = { type: "integer" };
const refusals: readonly Refusal[] = [
  [false, "CONFIG", /can never be finished/],
  [7, "CONFIG", /an object or a boolean, got 7/],
  [{ enum: [] }, "CONFIG", /schema #\/enum: .*one value or more/],
  [{ type: "text" }, "CONFIG", /schema #\/type: must be one or more of object/],
  [{ type: "integer", minimum: 3, maximum: 2 }, "CONFIG", /minimum must be at most maximum/],
  [{ type: "string", minLength: -1 }, "CONFIG", /minLength: must be a whole number/],
  [{ type: "integer", exclusiveMinimum: 3, exclusiveMaximum: 4 }, "CONFIG", /never be finished/],
  [{ allOf: [{ type: "string" }, integer] }, "CONFIG", /never be finished/],
  [{ type: "array", items: false, minItems: 1 }, "CONFIG", /never be finished/],
  [{ type: "array", items: [integer] }, "CONFIG", /prefixItems/],
  [{ $ref: "#" }, "CONFIG", /must not lead to itself/],
  [{ $ref: "#/$defs/no" }, "CONFIG", /must lead to a schema, got "#\/\$defs\/no"/],
  [{ type: "object", properties: { a: { $ref: "#" } }, required: ["a"] }, "CONFIG", /finished/],
  [{ type: "string", pattern: "(" }, "CONFIG", /regular expression/],
  [{ $ref: "https://example.org/x" }, "UNSUPPORTED", /schema #: \$ref/],
  [{ properties: { a: { not: {} } } }, "UNSUPPORTED", /schema #\/properties\/a: not cannot/],
  [{ items: { if: {} } }, "UNSUPPORTED", /schema #\/items: if cannot/],
  [{ type: "array", uniqueItems: true }, "UNSUPPORTED", /uniqueItems/],
  [{ type: "integer", multipleOf: 3 }, "UNSUPPORTED", /multipleOf/],
  [{ patternProperties: {} }, "UNSUPPORTED", /patternProperties/],
  [{ minlength: 3 }, "UNSUPPORTED", /minlength/],
  [{ type: "string", format: "iri" }, "UNSUPPORTED", /format cannot be compiled, got "iri"/],
  [{ type: "string", pattern: "(?=a)b" }, "UNSUPPORTED", /look around.*column 1/],
  [{ type: "string", pattern: "(a)\\1" }, "UNSUPPORTED", /references back/],
  [{ oneOf: [integer, { type: "number" }] }, "UNSUPPORTED", /oneOf with branches that may overlap/],
  [{ oneOf: [{ required: ["a"] }, { required: ["b"] }] }, "UNSUPPORTED", /oneOf/],
];

for (const [schema, code, message] of refusals)
  test(`${code}: ${JSON.stringify(schema)}`, () => {
    assert.throws(() => compiler.jsonSchema(schema), { code, message });
  });

type Language = readonly [schema: unknown, yes: readonly string[], no: readonly string[]];
const object = { type: "object" };
const a = { ...object, properties: { a: integer } };
const languages: readonly Language[] = [
  // No member is offered that was not named, unless that is asked for or none is named.
  [a, ["{}", '{"a":1}'], ['{"b":1}', '{"a":1,"b":1}']],
  [object, ["{}", '{"b":[{}],"c":1}'], ['{"b":1,"b":2}', "[]"]],
  [
    { ...a, additionalProperties: true },
    ['{"a":1,"b":{}}', '{"b":1}'],
    ['{"a":1,"a":2}', '{"a":"x"}'],
  ],
  [{ ...a, required: ["b"] }, ['{"b":null}', '{"a":1,"b":0}'], ["{}", '{"a":1}', '{"b":1,"a":1}']],
  [{ ...a, additionalProperties: {}, maxProperties: 1 }, ['{"a":1}', '{"b":1}'], ['{"a":1,"b":1}']],
  [{ ...a, additionalProperties: {}, minProperties: 2 }, ['{"a":1,"b":2}'], ['{"a":1}', '{"b":1}']],
  [{ type: "array", prefixItems: [integer] }, ["[]", "[1]"], ["[1,2]"]],
  [{ type: "array", prefixItems: [integer], items: true, minItems: 2 }, ['[1,"x"]'], ["[1]"]],
  [{ type: ["integer", "null"] }, ["1", "null"], ["1.5", "true"]],
  [{ type: "string", nullable: true, maxLength: 1 }, ['"a"', "null"], ['"ab"']],
  [{ type: "number", multipleOf: 1 }, ["3"], ["3.5"]],
  [{ const: { a: [1, "x"] } }, ['{"a": [1,"x"]}'], ['{"a":[1]}']],
  [{ type: "integer", enum: [1, 2.5, "x", 9], maximum: 5 }, ["1"], ["2.5", '"x"', "9"]],
  [{ allOf: [{ enum: [1, 2] }, { enum: [2, 3] }] }, ["2"], ["1", "3"]],
  // What is beside an alternative holds in each.
  [
    {
      ...object,
      properties: { a: integer, b: integer },
      anyOf: [{ required: ["a"] }, { required: ["b"] }],
    },
    ['{"a":1}', '{"b":1}', '{"a":1,"b":1}'],
    ["{}"],
  ],
  // Closed for one part of allOf is closed for the other's members too.
  [
    {
      allOf: [
        { ...a, additionalProperties: false },
        { ...object, properties: { b: integer } },
      ],
    },
    ["{}", '{"a":1}'],
    ['{"b":1}', '{"a":1,"b":1}'],
  ],
  [
    {
      oneOf: [
        { ...a, required: ["a"] },
        { ...object, properties: { b: integer }, required: ["b"] },
      ],
    },
    ['{"a":1}', '{"b":1}'],
    ["{}", '{"a":1,"b":1}'],
  ],
  [
    { $ref: "#/$defs/a~1b%20c", $defs: { "a/b c": { type: "array", items: { $ref: "#" } } } },
    ["[]", "[[],[[]]]"],
    ["[1]"],
  ],
  [{ $ref: "#/$defs/x", maximum: 3, $defs: { x: integer } }, ["3"], ["4", '"x"']],
  [{ title: "t", description: "d", default: 4, examples: [], "x-y": 1, ...integer }, ["5"], ["{}"]],
  // White space: one space behind a mark or none.
  [
    object,
    ['{"a": 1, "b":[1, 2]}'],
    ['{ "a":1}', '{"a":  1}', '{"a" :1}', '{"a":1 }', " {}", "{}\n"],
  ],
  // One spelling a character, so that names can be compared.
  [{ type: "string" }, ['"\\u0001\\n\\"é/"'], ['"\\/"', '"\\u0041"', '"\\u000A"', '"\n"']],
];

for (const [schema, yes, no] of languages)
  test(JSON.stringify(schema), () => {
    const begin = compiler.jsonSchema(schema);
    assert.deepEqual(
      [yes.filter((text) => !accepts(begin, text)), no.filter((text) => accepts(begin, text))],
      [[], []],
    );
  });

test("any JSON nests as far as its bound", () => {
  const nested = (depth: number) => "[".repeat(depth) + "]".repeat(depth);
  assert.deepEqual(
    [1, 16, 17].map((depth) => accepts(compiler.json(), nested(depth))),
    [true, true, false],
  );
});

test("thousands of names and values compile", () => {
  const names = Array.from({ length: 2000 }, (_, i) => `value-${i * 7919}`);
  const begin = compiler.jsonSchema({ enum: names });
  assert.ok(accepts(begin, JSON.stringify(names[1234])));
  assert.equal(accepts(begin, '"value-1"'), false);
  const properties = Object.fromEntries(
    names.slice(0, 200).map((name) => [name, { type: "null" }]),
  );
  const wide = compiler.jsonSchema({ type: "object", properties });
  assert.ok(accepts(wide, `{"${names[3]}":null,"${names[199]}":null}`));
});
