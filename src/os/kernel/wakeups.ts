/**
 * Who waits for what: every change that somebody may wait for is followed by a NOTIFY with a
 * process's number, and each waiter then looks for itself. A notification is a hint and never the
 * news, so that one that is lost or repeated costs a look and no more.
 */
import type pg from "pg";
import type { Database } from "../../durable/database.ts";

export type Look<T> = () => Promise<T | undefined>;

export interface Wakeups extends AsyncDisposable {
  /**
   * Looks now, after each wake-up of `pid` and at `alarmAt`, until there is something.
   * @param alarmAt milliseconds since 1970; what `look` makes of it is its own business
   * @throws the signal's reason when it aborts first
   */
  until<T>(pid: number, look: Look<T>, signal: AbortSignal, alarmAt?: number): Promise<T>;
}

/** Wakes who waits for `pid`, on every daemon, when the statement's transaction commits. */
export async function wake(client: Pick<pg.Pool, "query">, pids: readonly number[]): Promise<void> {
  if (pids.length === 0) return;
  await client.query("select pg_notify('kernel', pid::text) from unnest($1::int[]) pid", [pids]);
}

/** @param changed hears of every wake-up; `undefined`: some may have been missed */
export async function listenForWakeups(
  database: Database,
  now: () => number,
  changed: (pid: number | undefined) => void,
): Promise<Wakeups> {
  const waiters = new Map<number, Set<() => void>>();
  const ring = (pid: number): void => {
    for (const resolve of waiters.get(pid) ?? []) resolve();
  };
  const subscription = await database.listen("kernel", (payload) => {
    const pid = payload === undefined ? undefined : Number(payload);
    if (pid === undefined) for (const each of waiters.keys()) ring(each);
    else ring(pid);
    changed(pid);
  });
  return {
    until: (pid, look, signal, alarmAt) => {
      const leftMs = alarmAt === undefined ? undefined : () => alarmAt - now();
      return until(waiters, pid, look, signal, leftMs);
    },
    [Symbol.asyncDispose]: () => subscription[Symbol.asyncDispose](),
  };
}

async function until<T>(
  waiters: Map<number, Set<() => void>>,
  pid: number,
  look: Look<T>,
  signal: AbortSignal,
  leftMs?: () => number,
): Promise<T> {
  const bell = createBell();
  const here = waiters.get(pid) ?? new Set();
  waiters.set(pid, here.add(bell.ring));
  signal.addEventListener("abort", bell.ring, { once: true });
  try {
    for (;;) {
      const heard = bell.next();
      signal.throwIfAborted();
      const found = await look();
      if (found !== undefined) return found;
      const alarm = leftMs === undefined ? undefined : setTimeout(bell.ring, sleepable(leftMs()));
      await heard.finally(() => clearTimeout(alarm));
    }
  } finally {
    signal.removeEventListener("abort", bell.ring);
    here.delete(bell.ring);
    if (here.size === 0 && waiters.get(pid) === here) waiters.delete(pid);
  }
}

/** Node's timers end at 2^31 - 1 ms; a longer wait looks once on its way. */
function sleepable(ms: number): number {
  return Math.min(Math.max(ms, 1), 2 ** 31 - 1);
}

/** `next()` resolves at the first ring after it was asked for: none is lost between two looks. */
function createBell(): { ring: () => void; next: () => Promise<void> } {
  let ring = (): void => {};
  return {
    ring: () => ring(),
    next: () => new Promise((resolve) => (ring = resolve)),
  };
}
