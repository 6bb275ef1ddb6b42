/**
 * Programs that are compiled when first needed, one for each key. They are freed together, and the
 * caller waits for that before it frees the store that they point into.
 */
import type { Program } from "../../compute/backend.ts";

export interface LazyPrograms<K> {
  of(key: K): Promise<Program>;
  /** Waits for what still compiles; what failed to compile was reported to whoever asked for it. */
  dispose(): Promise<void>;
}

export function createLazyPrograms<K>(compile: (key: K) => Promise<Program>): LazyPrograms<K> {
  const programs = new Map<K, Promise<Program>>();
  return {
    of(key) {
      const found = programs.get(key) ?? compile(key);
      programs.set(key, found);
      return found;
    },
    async dispose() {
      const settled = await Promise.allSettled(programs.values());
      programs.clear();
      for (const one of settled) if (one.status === "fulfilled") one.value.dispose();
    },
  };
}
