/**
 * Who is computed and who waits. At most `maxConcurrent` requests are with the engine; `maxQueue`
 * more wait in the order in which they came; whoever comes then is told when to try again.
 */
import { overloaded } from "./wire/refusal.ts";

export interface Admission {
  /**
   * Waits for a place. @returns gives it back, at disposal
   * @throws Refusal 429 when too many wait; the signal's reason when it is aborted first
   */
  enter(signal: AbortSignal): Promise<Disposable>;
  readonly active: number;
  readonly waiting: number;
}

/** Seconds; nobody knows how long the texts ahead will get. */
const RETRY_AFTER = 2;

export function createAdmission(maxConcurrent: number, maxQueue: number): Admission {
  const queue = new Set<() => void>();
  let active = 0;
  const place = (): Disposable => {
    let held = true;
    return {
      [Symbol.dispose]() {
        if (held) active--;
        held = false;
        callNext();
      },
    };
  };
  const callNext = (): void => {
    for (const begin of queue) {
      if (active >= maxConcurrent) return;
      queue.delete(begin);
      active++;
      begin();
    }
  };
  return {
    async enter(signal) {
      signal.throwIfAborted();
      if (active < maxConcurrent && queue.size === 0) {
        active++;
        return place();
      }
      if (queue.size >= maxQueue)
        throw overloaded("Too many requests are waiting already.", "queue_full", RETRY_AFTER);
      await waitInQueue(queue, signal);
      return place();
    },
    get active() {
      return active;
    },
    get waiting() {
      return queue.size;
    },
  };
}

function waitInQueue(queue: Set<() => void>, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const begin = (): void => {
      signal.removeEventListener("abort", leave);
      resolve();
    };
    const leave = (): void => {
      queue.delete(begin);
      reject(signal.reason);
    };
    queue.add(begin);
    signal.addEventListener("abort", leave, { once: true });
  });
}
