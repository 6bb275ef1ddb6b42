/** Whether a value that the schema itself names (enum, const) satisfies what else it says. */
import { formats } from "./formats.ts";
import { type Conditions, hasType } from "./schema-conjunction.ts";
import { isObject, unsupported } from "./schema-keywords.ts";

/** @throws UNSUPPORTED for conditions on members or items */
export function satisfies(conditions: Conditions, value: unknown): boolean {
  if (!hasType(conditions.types, value)) return false;
  if (typeof value === "string") return stringSatisfies(conditions, value);
  if (typeof value === "number") return numberSatisfies(conditions, value);
  if (Array.isArray(value)) return arraySatisfies(conditions, value);
  return !isObject(value) || objectSatisfies(conditions, value);
}

function stringSatisfies({ size, patterns, formats: named }: Conditions, text: string): boolean {
  const [min, max] = size.string;
  const length = Array.from(text).length;
  const whole = named.keys().map((name) => `^(?:${formats.get(name)})$`);
  const all = [...patterns.keys(), ...whole];
  return min <= length && length <= max && all.every((p) => new RegExp(p, "u").test(text));
}

function numberSatisfies({ low, high }: Conditions, value: number): boolean {
  if (low && !(low.inclusive ? value >= low.value : value > low.value)) return false;
  return !high || (high.inclusive ? value <= high.value : value < high.value);
}

function arraySatisfies({ path, size, prefix, items }: Conditions, value: readonly unknown[]) {
  if (prefix.length > 0 || items)
    throw unsupported(path, "an array among enum or const beside items", value);
  return size.array[0] <= value.length && value.length <= size.array[1];
}

function objectSatisfies(conditions: Conditions, value: Readonly<Record<string, unknown>>) {
  const { path, properties, required, additional, size } = conditions;
  if (properties.size > 0 || additional)
    throw unsupported(path, "an object among enum or const beside properties", value);
  const count = Object.keys(value).length;
  const complete = [...required].every((name) => Object.hasOwn(value, name));
  return complete && size.object[0] <= count && count <= size.object[1];
}
