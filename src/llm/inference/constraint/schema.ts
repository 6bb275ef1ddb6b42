/**
 * JSON Schema to a grammar of the JSON texts that are valid under it. Each node of the schema (all
 * that is said about one place) becomes one rule, so that recursion and repeated references cost
 * nothing. @see https://json-schema.org/draft/2020-12
 */
import { choice, type Expression, type Grammar, rule } from "./expression.ts";
import { anyValue, jsonRules } from "./json-text.ts";
import { type Conditions, createExpansion } from "./schema-conjunction.ts";
import { type JsonType, jsonTypes } from "./schema-keywords.ts";
import { type Compiling, objectText } from "./schema-object.ts";
import { arrayText, numberText, stringText, valuesText } from "./schema-text.ts";
import { satisfies } from "./schema-values.ts";

/** @throws CONFIG for a schema that is none; UNSUPPORTED naming path and keyword */
export function schemaGrammar(schema: unknown): Grammar {
  const rules = new Map(jsonRules);
  const { expand, follow } = createExpansion(schema);
  const compiling: Compiling = {
    ruleFor(node) {
      const target = node.map(follow);
      if (target.every(({ schema: inner }) => saysNothing(inner))) return anyValue;
      const name = target.map(({ path }) => path).join(" & ");
      if (!rules.has(name)) {
        // Known before it is written, since it may mention itself.
        rules.set(name, anyValue);
        rules.set(name, choice(...expand(target).map((ways) => wayText(ways, compiling))));
      }
      return rule(name);
    },
    addRules(name, count, textOf) {
      const first = rules.size;
      const nameOf = (i: number) => `${name} ${first + i}`;
      for (let i = 0; i < count; i++)
        rules.set(
          nameOf(i),
          textOf(i, (to) => rule(nameOf(to))),
        );
      return rule(nameOf(0));
    },
  };
  const root = "whole";
  rules.set(root, compiling.ruleFor([{ schema, path: "#" }]));
  return { rules, root };
}

/** `true`, or an object of nothing. */
function saysNothing(schema: unknown): boolean {
  return (
    schema === true || (typeof schema === "object" && Object.keys(schema ?? { a: 1 }).length === 0)
  );
}

type TypeText = (conditions: Conditions, compiling: Compiling) => Expression;

const texts: Readonly<Record<JsonType, TypeText>> = {
  object: objectText,
  array: arrayText,
  string: stringText,
  number: (conditions) => numberText(conditions, false),
  integer: (conditions) => numberText(conditions, true),
  boolean: () => valuesText([true, false]),
  null: () => valuesText([null]),
};

function wayText(conditions: Conditions, compiling: Compiling): Expression {
  const { types, values } = conditions;
  if (values) return valuesText(values.filter((value) => satisfies(conditions, value)));
  const needed = jsonTypes.filter(
    (type) => types.has(type) && !(type === "integer" && types.has("number")),
  );
  return choice(...needed.map((type) => texts[type](conditions, compiling)));
}
