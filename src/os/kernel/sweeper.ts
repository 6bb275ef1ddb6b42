/**
 * What nobody waits for and time brings about, a look each second on every daemon: TERM's grace
 * that is over, tickets past their end, processes whose daemon died before it started them, host
 * processes without an owner, anchors. Each is safe to do twice and by several daemons at once.
 */
import { setTimeout as sleep } from "node:timers/promises";
import { anchor } from "./anchors.ts";
import { finishFork, unfinishedForks } from "./fork.ts";
import { kill } from "./signals.ts";
import { startProcess } from "./spawn.ts";
import type { KernelState } from "./state.ts";
import { expireTickets } from "./tickets.ts";

const EVERY_MS = 1000;
/** A daemon starts what it inserted at once; after this it never will. */
const UNSTARTED_MS = 3000;

const chores: readonly ((state: KernelState) => Promise<unknown>)[] = [
  killOverdue,
  ({ database, now }) => expireTickets(database, now()),
  startForgotten,
  ({ host }) => host.sweep(),
  anchor,
];

/** @returns stops it, when the present round is done */
export function startSweeper(state: KernelState): () => Promise<void> {
  const stopped = new AbortController();
  const rounds = (async () => {
    while (!stopped.signal.aborted) {
      await sweep(state);
      await sleep(EVERY_MS, undefined, { signal: stopped.signal, ref: false }).catch(() => {});
    }
  })();
  return async () => {
    stopped.abort();
    await rounds;
    await anchor(state).catch(({ message }: Error) => {
      state.notice?.(`journal: its last heads are not anchored: ${message}`);
    });
  };
}

async function sweep(state: KernelState): Promise<void> {
  for (const chore of chores) {
    if (state.closing.signal.aborted) return;
    // A server that is away is tried again in a second.
    await chore(state).catch((error: Error) => state.notice?.(`sweep: ${error.message}`));
  }
}

async function killOverdue(state: KernelState): Promise<void> {
  const { rows } = await state.database.pool.query<{ pid: number }>(
    "select pid from process where ended_at is null and kill_at <= $1",
    [state.now()],
  );
  await each(state, rows, async ({ pid }) => {
    const reached = await state.database.transaction((client) =>
      kill(client, pid, "tree", "TERM", state.now()),
    );
    await state.host.kill(reached);
  });
}

async function startForgotten(state: KernelState): Promise<void> {
  const { rows } = await state.database.pool.query<{ pid: number }>(
    "select pid from process where ended_at is null and runner is null and started_at < $1",
    [state.now() - UNSTARTED_MS],
  );
  await each(state, rows, ({ pid }) => startProcess(state, pid));
  const forks = await unfinishedForks(state, state.now() - UNSTARTED_MS);
  await each(state, forks, (made) => finishFork(state, made));
}

/** One that fails does not keep the others from their turn. */
async function each<T>(
  state: KernelState,
  all: readonly T[],
  run: (one: T) => Promise<unknown>,
): Promise<void> {
  for (const one of all)
    await run(one).catch((error: Error) => state.notice?.(`sweep: ${error.message}`));
}
