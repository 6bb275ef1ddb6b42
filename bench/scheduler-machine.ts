/**
 * A real engine under the scheduler, seen from both sides: processes ask the llm device for texts of
 * an exact length, and every turn that the scheduler gives is noted with its time.
 */
import type { Engine } from "../src/llm/inference/engine.ts";
import { createLlmDevice } from "../src/os/devices/llm.ts";
import type { CallContext } from "../src/os/kernel/syscall.ts";
import type { Priority } from "../src/os/scheduler/policy.ts";
import {
  createScheduler,
  type PolicyName,
  type Scheduler,
  type Work,
} from "../src/os/scheduler/scheduler.ts";
import { fromUser } from "../src/os/security/label.ts";
import { type Json, labelled } from "../src/os/security/labelled.ts";

export const QUANTUM = 16;

/** One turn, or one request's wait for its first. */
export interface Turn {
  readonly pid: number;
  readonly beganAt: number;
  readonly endedAt: number;
  /** Turns that began between the asking and this one; of a request's first turn. */
  readonly overtakenBy?: number;
}

export interface Machine extends AsyncDisposable {
  readonly scheduler: Scheduler;
  readonly turns: readonly Turn[];
  /** A text of so many tokens. */
  ask(pid: number, tokens: number, priority: Priority, signal?: AbortSignal): Promise<void>;
}

/** JSON of a string that never ends by itself: the limit of tokens is its length. */
const endless = { kind: "json-schema", schema: { type: "string", minLength: 100_000 } };

export function createMachine(engine: Engine, policy: PolicyName, places = 1): Machine {
  const turns: Turn[] = [];
  const inner = createScheduler({ policy, quantum: QUANTUM, lanes: { model: { places } } });
  let begun = 0;
  /** Whose turn found no memory: it is tried again when others made room, as the same turn. */
  let short: Work | undefined;
  const watch = (pid: number, work: Work): Work => {
    const asked = begun;
    let isFirst = true;
    return new Proxy(work, {
      get(target, name) {
        const value = Reflect.get(target, name, target);
        if (name !== "run") return typeof value === "function" ? value.bind(target) : value;
        return async (tokens: number) => {
          const overtaken = isFirst ? { overtakenBy: begun - asked } : {};
          isFirst = false;
          if (short !== target) begun++;
          short = undefined;
          const beganAt = performance.now();
          const slice = await target.run(tokens);
          if (slice.short !== undefined) short = target;
          turns.push({ pid, beganAt, endedAt: performance.now(), ...overtaken });
          return slice;
        };
      },
    });
  };
  const scheduler: Scheduler = {
    serve: (request, work) => inner.serve(request, watch(request.pid, work)),
    service: (pid) => inner.service(pid),
  };
  const device = createLlmDevice({ engines: new Map([["model", engine]]), scheduler });
  const generate = device.calls.find(({ name }) => name === "llm.generate");
  let calls = 0;
  return {
    scheduler,
    turns,
    async ask(pid, tokens, priority, signal = new AbortController().signal) {
      const messages = [{ role: "user", content: `Process ${pid}: tell me more.` }];
      const args = { messages, maxTokens: tokens, format: endless } as Json;
      const context = { pid, priority, signal, key: `${pid}/${calls++}` } as unknown as CallContext;
      await generate?.run(labelled(args, fromUser), context);
    },
    [Symbol.asyncDispose]: () => device[Symbol.asyncDispose](),
  };
}

/**
 * Keeps so many requests of each process under way for a time, then takes them back.
 * @returns tokens that each was served, in the order of `priorities`
 */
export async function compete(
  machine: Machine,
  priorities: readonly Priority[],
  ms: number,
  besides: () => Promise<void> = async () => undefined,
): Promise<readonly number[]> {
  const over = new AbortController();
  const runs = priorities.flatMap((priority, i) =>
    // Two, so that a process never lacks one while its next is on the way.
    [0, 1].map(async () => {
      while (!over.signal.aborted)
        await machine.ask(i + 1, 200, priority, over.signal).catch((error: unknown) => {
          if (!over.signal.aborted) throw error;
        });
    }),
  );
  const timer = setTimeout(() => over.abort(), ms);
  try {
    await Promise.all([...runs, besides()]);
  } finally {
    clearTimeout(timer);
  }
  return priorities.map((_, i) => machine.scheduler.service(i + 1)?.tokens ?? 0);
}
