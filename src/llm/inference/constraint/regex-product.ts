/**
 * Texts that several regular expressions describe at once, as a deterministic automaton by
 * derivatives: a state is what is left to be read of each, an edge reads one character. Only what
 * is needed is built, up to a bound, since a product can be as large as its factors multiplied.
 * @see Brzozowski 1964; Antimirov 1996 (partial derivatives)
 */
import { type CodePointSet, complement, intersect } from "./code-point-set.ts";
import type { Regex } from "./regex.ts";

export interface ProductState {
  readonly ends: boolean;
  /** Sets are apart from each other; `to` indexes the states. */
  readonly edges: readonly { readonly set: CodePointSet; readonly to: number }[];
}

/** What is left of one expression: any of these. */
type Rest = ReadonlyMap<string, Regex>;

/** @returns undefined when it takes more than `most` states; the first state begins */
export function intersectRegexes(
  regexes: readonly Regex[],
  most: number,
): readonly ProductState[] | undefined {
  const states: ProductState[] = [];
  const pending: (readonly Rest[])[] = [];
  const numbers = new Map<string, number>();
  const numberOf = (rests: readonly Rest[]): number => {
    const key = rests.map((rest) => [...rest.keys()].sort().join("|")).join("&");
    const known = numbers.get(key);
    if (known !== undefined) return known;
    numbers.set(key, pending.length);
    return pending.push(rests) - 1;
  };
  numberOf(regexes.map((regex) => restOf([regex])));
  for (let i = 0; i < pending.length; i++) {
    if (i > most) return undefined;
    const rests = pending[i] as readonly Rest[];
    const edges = Array.from(products(rests), ([to, set]) => ({ set, to: numberOf(to) }));
    states.push({ ends: rests.every((rest) => rest.values().some(isNullable)), edges });
  }
  return states;
}

function restOf(regexes: readonly Regex[]): Rest {
  return new Map(regexes.map((regex) => [keyOf(regex), regex]));
}

const keys = new WeakMap<Regex, string>();

function keyOf(regex: Regex): string {
  const known = keys.get(regex) ?? spell(regex);
  keys.set(regex, known);
  return known;
}

function spell(regex: Regex): string {
  if (regex.kind === "set") return `[${regex.set.join(";")}]`;
  if (regex.kind === "repeat") return `(${keyOf(regex.item)}){${regex.min},${regex.max}}`;
  return `(${regex.items.map(keyOf).join(regex.kind === "choice" ? "|" : " ")})`;
}

function isNullable(regex: Regex): boolean {
  if (regex.kind === "set") return false;
  if (regex.kind === "repeat") return regex.min === 0 || isNullable(regex.item);
  if (regex.kind === "choice") return regex.items.some(isNullable);
  return regex.items.every(isNullable);
}

/** Where each character leads, characters of the same way together. */
function products(rests: readonly Rest[]): [readonly Rest[], CodePointSet][] {
  let parts: [readonly Rest[], CodePointSet][] = [[[], [[0, 0x10ffff]]]];
  for (const rest of rests) {
    const next = split([...rest.values()].flatMap(derivatives));
    parts = parts.flatMap(([before, set]) =>
      next.flatMap(([after, within]): [readonly Rest[], CodePointSet][] => {
        const both = intersect(set, within);
        return both.length > 0 ? [[[...before, after], both]] : [];
      }),
    );
  }
  return parts;
}

type Derivative = readonly [set: CodePointSet, rest: Regex];

/** Makes overlapping sets disjoint: each with all that its characters lead to. */
function split(derivatives: readonly Derivative[]): [Rest, CodePointSet][] {
  let parts: [Regex[], CodePointSet][] = [];
  for (const [set, rest] of derivatives) {
    const old = parts.reduce((left, [, part]) => intersect(left, complement(part)), set);
    parts = parts.flatMap(([regexes, part]): [Regex[], CodePointSet][] => [
      [[...regexes, rest], intersect(part, set)],
      [regexes, intersect(part, complement(set))],
    ]);
    parts = [...parts, [[rest], old] as [Regex[], CodePointSet]].filter(([, p]) => p.length > 0);
  }
  return parts.map(([regexes, part]) => [restOf(regexes), part]);
}

function derivatives(regex: Regex): Derivative[] {
  if (regex.kind === "set") return [[regex.set, { kind: "sequence", items: [] }]];
  if (regex.kind === "choice") return regex.items.flatMap(derivatives);
  if (regex.kind === "repeat") return roundDerivatives(regex);
  const [first, ...rest] = regex.items;
  if (!first) return [];
  const direct = derivatives(first).map(([set, e]): Derivative => [set, join([e, ...rest])]);
  return isNullable(first) ? [...direct, ...derivatives(join(rest))] : direct;
}

function roundDerivatives({ item, min, max }: Extract<Regex, { kind: "repeat" }>): Derivative[] {
  if (max === 0) return [];
  const left: Regex = { kind: "repeat", item, min: Math.max(min - 1, 0), max: max - 1 };
  const rest = max === 1 ? [] : [left];
  return derivatives(item).map(([set, e]): Derivative => [set, join([e, ...rest])]);
}

function join(items: readonly Regex[]): Regex {
  const flat = items.flatMap((item) => (item.kind === "sequence" ? item.items : [item]));
  return flat.length === 1 ? (flat[0] as Regex) : { kind: "sequence", items: flat };
}
