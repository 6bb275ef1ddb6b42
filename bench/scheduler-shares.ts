/** Shares, waits and the price of a switch on a real engine. */
import { setTimeout as sleep } from "node:timers/promises";
import type { Engine } from "../src/llm/inference/engine.ts";
import { jainIndex } from "../src/os/scheduler/ledger.ts";
import type { Priority } from "../src/os/scheduler/policy.ts";
import { median, significant } from "./report.ts";
import { compete, createMachine } from "./scheduler-machine.ts";

const batch: Priority = { nice: 0, interactive: false };

/** The nice value of a weight: levels are factors of 1.25, and need not be whole. */
const niceOf = (weight: number): number => -Math.log(weight) / Math.log(1.25);

interface Measured {
  readonly holds: boolean;
  readonly [name: string]: unknown;
}

export async function measureEqual(engine: Engine, ms: number): Promise<Measured> {
  await using machine = createMachine(engine, "fair");
  const tokens = await compete(machine, Array(8).fill(batch), ms);
  const jain = jainIndex(tokens);
  return { processes: 8, tokens, jain: significant(jain, 5), holds: jain >= 0.95 };
}

export async function measureWeights(engine: Engine, ms: number): Promise<Measured> {
  const weights = [1, 2, 4];
  await using machine = createMachine(engine, "fair");
  const priorities = weights.map((weight) => ({ ...batch, nice: niceOf(weight) }));
  const tokens = await compete(machine, priorities, ms);
  const all = tokens.reduce((sum, one) => sum + one, 0);
  const errors = tokens.map((one, i) => Math.abs(one / all / ((weights[i] ?? 0) / 7) - 1));
  const worst = Math.max(...errors);
  return { weights, tokens, worst_error: significant(worst, 3), holds: worst <= 0.05 };
}

/** Somebody asks a little every now and then, behind fifty that never stop. */
export async function measureInteractive(engine: Engine, ms: number): Promise<Measured> {
  const [PID, PAUSE, TOKENS] = [99, 400, 12];
  await using machine = createMachine(engine, "fair");
  const talk = async (): Promise<void> => {
    for (const end = performance.now() + ms - 2 * PAUSE; performance.now() < end; ) {
      await sleep(PAUSE);
      await machine.ask(PID, TOKENS, { ...batch, interactive: true });
    }
  };
  await compete(machine, Array(50).fill(batch), ms, talk);
  const overtaken = machine.turns.filter(({ pid }) => pid === PID).map((turn) => turn.overtakenBy);
  const turnMs = machine.turns.map(({ beganAt, endedAt }) => endedAt - beganAt);
  const service = machine.scheduler.service(PID);
  const requests = service?.requests ?? 0;
  const worst = Math.max(...overtaken.map((turns) => turns ?? 0));
  return {
    ...{ batch: 50, requests, turns_begun_while_it_waited: worst },
    mean_wait_ms: significant((service?.waitedMs ?? 0) / requests, 3),
    longest_wait_ms: significant(service?.longestWaitMs ?? Number.NaN, 3),
    median_turn_ms: significant(median(turnMs), 3),
    longest_turn_ms: significant(Math.max(...turnMs), 3),
    // Nobody gets a turn ahead of it: it waits for the rest of the one that is under way.
    holds: requests > 5 && worst === 0,
  };
}

export interface Preemption {
  readonly tokens: number;
  readonly ms_per_token: number;
  readonly [name: string]: number;
}

/** What it costs to make way: with the pages kept, and where the timeline has to be moved out. */
export async function measurePreemption(engine: Engine, tokens: number): Promise<Preemption> {
  await using machine = createMachine(engine, "fair");
  const run = async (pids: readonly number[]): Promise<number> => {
    const start = performance.now();
    await Promise.all(pids.map((pid) => machine.ask(pid, tokens, batch)));
    return (performance.now() - start) / pids.length;
  };
  const repeat = async (pids: readonly number[]): Promise<number> => {
    const times: number[] = [];
    for (let nth = 0; nth < 7; nth++) times.push(await run(pids));
    return median(times);
  };
  await run([1]);
  const alone = await repeat([1]);
  const inTurns = await repeat([1, 2, 3, 4]);
  const switches = machine.scheduler.service(2)?.preemptions ?? 0;
  return {
    ...{ tokens, ms_per_token: significant(alone / tokens, 3) },
    switches_per_text: significant(switches / 7, 3),
    ...{ text_alone_ms: significant(alone, 4), text_in_turns_ms: significant(inTurns, 4) },
    ...(await measureSwap(engine, tokens)),
  };
}

/** A timeline of so many tokens out of the pages and back into them. */
async function measureSwap(engine: Engine, tokens: number): Promise<Record<string, number>> {
  const [out, back]: [number[], number[]] = [[], []];
  let bytes = 0;
  for (let nth = 0; nth < 7; nth++) {
    const session = engine.open();
    await session.append({ kind: "tokens", ids: Array.from({ length: tokens }, (_, i) => 99 + i) });
    const start = performance.now();
    const snapshot = await session.snapshot();
    out.push(performance.now() - start);
    await session[Symbol.asyncDispose]();
    const again = performance.now();
    const restored = await engine.restore(snapshot);
    back.push(performance.now() - again);
    await restored[Symbol.asyncDispose]();
    bytes = snapshot.bytes.length;
  }
  const [snapshot_ms, restore_ms] = [out, back].map((times) => significant(median(times), 3));
  return { snapshot_ms: snapshot_ms ?? 0, restore_ms: restore_ms ?? 0, snapshot_bytes: bytes };
}
