/**
 * Where the time of a run goes, by kind of program: a backend whose programs are timed, each under
 * the kind that its graph is told to be of. What is left of the wall time is the host's.
 */
import type { Backend } from "../src/compute/backend.ts";
import type { Graph } from "../src/compute/graph.ts";

export interface Clock {
  /** Seconds in programs of each kind since the last `start`. */
  readonly seconds: Map<string, number>;
  start(): void;
  /** Each kind's share of the wall time since `start`; `rest` gets what no program took. */
  shares<K extends string, R extends string>(kinds: readonly K[], rest: R): Record<K | R, number>;
}

export function createClock(): Clock {
  const seconds = new Map<string, number>();
  let started = performance.now();
  return {
    seconds,
    start() {
      seconds.clear();
      started = performance.now();
    },
    shares(kinds, rest) {
      const wall = (performance.now() - started) / 1000;
      const parts = kinds.map((kind) => [kind, (seconds.get(kind) ?? 0) / wall] as const);
      const taken = parts.reduce((sum, [, share]) => sum + share, 0);
      return Object.fromEntries([...parts, [rest, 1 - taken]]) as Record<string, number>;
    },
  };
}

/** @param kindOf what a program's time counts as */
export function timed(backend: Backend, clock: Clock, kindOf: (graph: Graph) => string): Backend {
  return {
    ...backend,
    async compile(graph, store) {
      const program = await backend.compile(graph, store);
      const kind = kindOf(graph);
      return {
        plan: program.plan,
        async run(inputs) {
          const start = performance.now();
          const outputs = await program.run(inputs);
          const spent = (performance.now() - start) / 1000;
          clock.seconds.set(kind, (clock.seconds.get(kind) ?? 0) + spent);
          return outputs;
        },
        dispose: () => program.dispose(),
      };
    },
  };
}
