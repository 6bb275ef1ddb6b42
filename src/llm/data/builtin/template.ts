/**
 * The small language in which the story grammar is written. A template is text with
 *
 *     [red|blue]      one of the alternatives, which may nest and may be empty
 *     {place}         a word: the one bound to "place", else a random one of that table
 *     {toy=thing}     a random word of table "thing", bound to "toy" from now on
 *     {Place}         the same as {place} with a capital letter
 *
 * Words may be templates themselves. "a" becomes "an" before a vowel at the end.
 */

import { philox } from "../../../compute/philox.ts";

export type WordTables = Readonly<Record<string, readonly string[]>>;

/** One story's state: the tables, what has been bound so far, and its own random stream. */
export interface Telling {
  readonly tables: WordTables;
  readonly bound: Map<string, string>;
  /** Random integer in [0, n). */
  pick(n: number): number;
}

/** Draws follow from (seed, index) alone, so documents can be made in any order. */
export function createTelling(tables: WordTables, seed: number, index: number): Telling {
  let draws = 0;
  let words: number[] = [];
  const pick = (n: number) => {
    if (draws % 4 === 0) words = philox([draws / 4, index, 0, 0], [seed, 0x73746f72]);
    return Math.floor(((words[draws++ % 4] as number) / 2 ** 32) * n);
  };
  return { tables, bound: new Map(), pick };
}

export function choose<T>(telling: Telling, choices: readonly T[]): T {
  return choices[telling.pick(choices.length)] as T;
}

/** Expands a template to finished text. */
export function tell(telling: Telling, template: string): string {
  return expand(telling, template).replace(/\b([Aa]) (?=[aeiou])/g, "$1n ");
}

function expand(telling: Telling, template: string): string {
  let text = template;
  for (let inner = /\[([^[\]]*)\]/.exec(text); inner !== null; inner = /\[([^[\]]*)\]/.exec(text)) {
    const chosen = choose(telling, (inner[1] as string).split("|"));
    text = text.slice(0, inner.index) + chosen + text.slice(inner.index + inner[0].length);
  }
  return text.replace(/\{(\w+)(?:=(\w+))?\}/g, (_, name: string, table?: string) =>
    word(telling, name, table),
  );
}

function word(telling: Telling, name: string, table?: string): string {
  const key = name.charAt(0).toLowerCase() + name.slice(1);
  const known = table === undefined ? telling.bound.get(key) : undefined;
  const value = known ?? expand(telling, fromTable(telling, table ?? key));
  if (table !== undefined) telling.bound.set(key, value);
  return key === name ? value : value.charAt(0).toUpperCase() + value.slice(1);
}

/** Words already bound to another name are not drawn again while there are others. */
function fromTable(telling: Telling, table: string): string {
  const words = telling.tables[table];
  if (words === undefined) throw new Error(`template: no word table named ${table}`);
  const used = new Set(telling.bound.values());
  const fresh = words.filter((candidate) => !used.has(candidate));
  return choose(telling, fresh.length > 0 ? fresh : words);
}
