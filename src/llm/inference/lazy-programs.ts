/**
 * Programs that are compiled when first needed, one for each key. They are freed together, and the
 * caller waits for that before it frees the store that they point into.
 */
import type { Program } from "../../compute/backend.ts";

export interface LazyPrograms<K> {
  of(key: K): Promise<Program>;
  /** Waits for what still compiles. */
  dispose(): Promise<void>;
}

export function createLazyPrograms<K>(compile: (key: K) => Promise<Program>): LazyPrograms<K> {
  const programs = new Map<K, Promise<Program>>();
  return {
    of(key) {
      const found = programs.get(key);
      if (found !== undefined) return found;
      const compiling = compile(key);
      programs.set(key, compiling);
      // A full disk may have room later: whoever asks next tries again.
      compiling.catch(() => programs.delete(key));
      return compiling;
    },
    async dispose() {
      const settled = await Promise.allSettled(programs.values());
      programs.clear();
      for (const one of settled) if (one.status === "fulfilled") one.value.dispose();
    },
  };
}
