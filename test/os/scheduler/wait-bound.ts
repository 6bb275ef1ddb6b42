/**
 * How long a process may have to wait for its turn under the fair policy, in tokens served by the
 * lane meanwhile, computed from the books as they stand when it begins to wait; and a watcher that
 * holds every wait of a simulation against it.
 *
 *     A, V    the process's time and the lane's virtual time as it begins to wait
 *     low     the least time in the books, at most V; who asks again at once is still in them
 *     W, N    the most weight, and accounts, that compete while it waits
 *     S       the longest turn so far, at least a quantum;  m places;  b = BORROW
 *
 *     until V passes A                W (A - V)           whoever is served
 *     then up to A, in turn           W (A - low) + N S   each account present, and one turn more
 *     borrowed meanwhile              b times that, and what credit there is: b quantum
 *     turns that are under way        m S at the start, and m S for each rule as it ends
 */
import { type Account, BORROW, type FairPolicy } from "../../../src/os/scheduler/fair.ts";
import type { SimulatedEntry, Watcher } from "./simulate.ts";

interface Wait {
  readonly begun: number;
  readonly time: number;
  readonly virtualTime: number;
  readonly low: number;
  weight: number;
  accounts: number;
}

export interface Waits extends Watcher {
  /** The largest share of its bound that a wait took. */
  readonly worst: number;
  readonly count: number;
  readonly late: readonly string[];
}

/** @param places of the lane */
export function watchWaits(policy: FairPolicy, places: number): Waits {
  const waits = new Map<number, Wait>();
  const running = new Map<number, number>();
  const waiting = new Map<number, number>();
  const late: string[] = [];
  let [clock, longest, worst, count] = [0, policy.quantum, 0, 0];

  const change = (counts: Map<number, number>, pid: number, by: number): void => {
    counts.set(pid, (counts.get(pid) ?? 0) + by);
  };
  const competing = (): Account[] => [...policy.accounts.values()].filter((one) => one.claims > 0);
  const weightOf = (accounts: readonly Account[]): number =>
    accounts.reduce((sum, { weight }) => sum + weight, 0);

  const begin = (pid: number): void => {
    const isWaiting = (waiting.get(pid) ?? 0) > 0 && (running.get(pid) ?? 0) === 0;
    if (!isWaiting || waits.has(pid)) return;
    const { virtualTime } = policy;
    const all = competing();
    const { time } = policy.accounts.get(pid) as Account;
    const low = Math.min(virtualTime, ...[...policy.accounts.values()].map((one) => one.time));
    const most = { weight: weightOf(all), accounts: all.length };
    waits.set(pid, { begun: clock, time, virtualTime, low, ...most });
  };
  const bound = ({ time, virtualTime, low, weight, accounts }: Wait): number => {
    const passing = weight * Math.max(0, time - virtualTime);
    const inTurn = weight * Math.max(0, time - low) + accounts * longest;
    return passing + (1 + BORROW) * inTurn + BORROW * policy.quantum + 3 * places * longest;
  };

  return {
    get worst() {
      return worst;
    },
    get count() {
      return count;
    },
    late,
    began({ pid }) {
      change(waiting, pid, 1);
      const all = competing();
      const weight = weightOf(all);
      for (const wait of waits.values()) {
        wait.weight = Math.max(wait.weight, weight);
        wait.accounts = Math.max(wait.accounts, all.length);
      }
      begin(pid);
    },
    chosen({ pid }) {
      change(waiting, pid, -1);
      change(running, pid, 1);
      const wait = waits.get(pid);
      waits.delete(pid);
      if (wait === undefined) return;
      count++;
      const [took, most] = [clock - wait.begun, bound(wait)];
      worst = Math.max(worst, took / most);
      if (took > most) late.push(`pid ${pid} waited ${took} tokens, at most ${most}`);
    },
    charged({ pid }: SimulatedEntry, tokens, done) {
      clock += tokens;
      longest = Math.max(longest, tokens);
      change(running, pid, -1);
      if (!done) change(waiting, pid, 1);
      begin(pid);
    },
    dropped({ pid }) {
      change(waiting, pid, -1);
      if (waiting.get(pid) === 0) waits.delete(pid);
    },
  };
}
