/**
 * The world outside, as a file that knows nothing of Postgres: each effect is a line, appended in
 * one write. What an operation does to it is its effect class's promise, and no more: the idempotent
 * one looks for its key, the reconcilable one can be asked, the irreversible one just happens.
 */
import { appendFileSync, readFileSync } from "node:fs";

export interface World {
  /** Happens, whatever happened before. */
  happen(name: string, key: string): void;
  /** Happens unless something with this key did. */
  happenOnce(name: string, key: string): void;
  has(key: string): boolean;
  /** How often each name happened. */
  counts(): ReadonlyMap<string, number>;
}

export function openWorld(path: string): World {
  const lines = (): string[][] =>
    readFileSync(path, { encoding: "utf8", flag: "a+" })
      .split("\n")
      .filter((line) => line !== "")
      .map((line) => line.split(" "));
  const has = (key: string): boolean => lines().some((line) => line[1] === key);
  const happen = (name: string, key: string): void => appendFileSync(path, `${name} ${key}\n`);
  return {
    happen,
    happenOnce: (name, key) => {
      if (!has(key)) happen(name, key);
    },
    has,
    counts: () => {
      const counts = new Map<string, number>();
      for (const [name = ""] of lines()) counts.set(name, (counts.get(name) ?? 0) + 1);
      return counts;
    },
  };
}
