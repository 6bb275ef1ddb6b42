/** How fast the same cores read memory in one stream: the ceiling of whatever reads weights once. */
import type { Backend } from "../src/compute/backend.ts";
import { state } from "../src/compute/graph.ts";
import { sumSquares } from "../src/compute/ops/sum-squares.ts";
import { secondsOf } from "./report.ts";

/** Far more than any cache holds. */
const NUMBERS = 64 * 2 ** 20;

export interface MemoryReader {
  /** @returns bytes per second */
  read(): Promise<number>;
  dispose(): void;
}

export async function createMemoryReader(backend: Backend): Promise<MemoryReader> {
  const store = backend.createStore();
  const total = sumSquares([state("numbers", [NUMBERS])]);
  const program = await backend.compile({ outputs: { total } }, store);
  // Memory that was never written is one page of zeros, which caches hold.
  await store.write("numbers", new Float32Array(NUMBERS).fill(1));
  return {
    read: async () => (4 * NUMBERS) / (await secondsOf(() => program.run())),
    dispose() {
      program.dispose();
      store.dispose();
    },
  };
}
