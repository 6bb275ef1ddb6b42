/**
 * Workloads by seed, meant to hurt: mixed weights, interactive processes and deadlines that jump
 * the queue, prompts longer than any turn, streams of newcomers, requests that are taken back.
 */
import type { SimulatedProcess, SimulatedRequest } from "./simulate.ts";

export interface Workload {
  readonly quantum: number;
  readonly places: number;
  readonly processes: readonly SimulatedProcess[];
}

/** Uniform in [0, 1). @see Steele et al. 2014 (SplitMix), 32 bits of it */
function createRandom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x9e3779b9) >>> 0;
    let z = Math.imul(state ^ (state >>> 16), 0x85ebca6b);
    z = Math.imul(z ^ (z >>> 13), 0xc2b2ae35);
    return ((z ^ (z >>> 16)) >>> 0) / 2 ** 32;
  };
}

export function randomWorkload(seed: number): Workload {
  const random = createRandom(seed);
  const upTo = (n: number): number => Math.floor(random() * n);
  const pick = <T>(...all: readonly T[]): T => all[upTo(all.length)] as T;
  const [urgency, quitting, niceness] = [random(), pick(0, 0, 0.3), pick(0, 3, 19)];

  const priority = () => ({
    nice: niceness === 0 ? 0 : upTo(2 * niceness + 1) - niceness,
    interactive: random() < urgency / 2,
    ...(random() < urgency / 2 ? { deadline: upTo(10_000) } : {}),
  });
  const request = (longest: number): SimulatedRequest => ({
    tokens: 1 + upTo(longest),
    thinkMs: pick(0, 0, upTo(50), upTo(1000)),
    ...(random() < 0.2 ? { prompt: upTo(500) } : {}),
    ...(random() < quitting ? { patienceMs: upTo(200) } : {}),
  });
  const settled = (pid: number): SimulatedProcess => {
    const longest = pick(4, 100, 600);
    const requests = Array.from({ length: 1 + upTo(6) }, () => request(longest));
    return { pid, priority: priority(), startsAt: upTo(300), requests };
  };
  const gap = 1 + upTo(40);
  const newcomer = (nth: number): SimulatedProcess => ({
    ...{ pid: 1000 + nth, priority: priority() },
    ...{ startsAt: nth * gap, requests: [request(30)] },
  });
  const crowd = Array.from({ length: 2 + upTo(12) }, (_, i) => settled(i + 1));
  const stream = Array.from({ length: pick(0, 0, 40) }, (_, i) => newcomer(i));
  // A pid twice is a process with requests side by side.
  const twins = crowd.filter(() => random() < 0.15).map(({ pid }) => settled(pid));
  const processes = [...crowd, ...stream, ...twins];
  return { quantum: pick(1, 4, 16, 32), places: pick(1, 1, 2, 4), processes };
}
