/**
 * Weighted fair share over tokens. Each process has an account whose time runs by what it was
 * served over its weight, 1.25^-nice; the lane's virtual time V runs by all that is served over the
 * weights of all that compete, as an ideal share would (Parekh & Gallager 1993). The account that
 * is furthest behind goes next. Whoever comes, or comes back from sleep, begins at V: sleeping
 * saves nothing up, being new gives nothing. While it competes an account stays near V, behind by a
 * slack and ahead by that and a turn, so that neither debts nor claims outlive their cause.
 *
 * Interactive processes, then early deadlines, go first while they are less than the slack ahead
 * (as in Duda & Cheriton 1999), out of one credit: BORROW tokens for each that is served in turn.
 *
 * Why nobody starves. Let a process of weight w wait at time A, at most L = slack + its longest turn
 * tokens, over w, ahead of V. Each token served moves V by at least 1 / W, where W are the weights
 * that compete; so after L W / w tokens V has passed A, and whoever begins from then on begins
 * behind it. Those who are there can be served ahead of it only up to A, and one turn more.
 * Borrowing makes that at most 1 + BORROW times as long. Every term is finite whatever else
 * arrives, and a turn that serves nothing is charged a token, so that empty turns come to an end
 * too. In numbers the bound stands in test/os/scheduler/wait-bound.ts.
 */
import { type Claim, first, type Policy } from "./policy.ts";

/** Turns that a process may be behind its share, or borrow ahead of it. */
const SLACK = 16;
export const BORROW = 3;

export interface Account {
  /** Served tokens over weight. */
  time: number;
  weight: number;
  /** Tokens of its longest turn. */
  longest: number;
  /** Requests of the process that compete. */
  claims: number;
}

export interface FairPolicy extends Policy {
  readonly virtualTime: number;
  readonly accounts: ReadonlyMap<number, Readonly<Account>>;
}

/** A process at nice n gets a quarter more than one at n + 1. */
const weightOf = (nice: number): number => 1.25 ** -Math.min(19, Math.max(-20, nice));

/** @param quantum tokens of a turn */
export function createFairPolicy(quantum: number): FairPolicy {
  return new Fair(quantum);
}

class Fair implements FairPolicy {
  readonly quantum: number;
  readonly accounts = new Map<number, Account>();
  virtualTime = 0;
  /** Tokens. */
  readonly #slack: number;
  /** Tokens that may be served out of turn. */
  #credit: number;
  /** Turns under way, and whether they are borrowed. */
  readonly #turns = new Map<number, boolean>();

  constructor(quantum: number) {
    this.quantum = quantum;
    this.#slack = SLACK * quantum;
    this.#credit = BORROW * quantum;
  }

  enter({ pid, priority }: Claim): void {
    const { virtualTime: time, quantum: longest } = this;
    const known = this.accounts.get(pid) ?? { time, longest, claims: 0 };
    const account = { ...known, weight: weightOf(priority.nice), claims: known.claims + 1 };
    this.accounts.set(pid, account);
  }

  choose<C extends Claim>(waiting: readonly C[]): C {
    const urgent = this.#credit > 0 ? waiting.filter((claim) => this.#isUrgent(claim)) : [];
    const borrowed = urgent.length > 0;
    const next = borrowed ? first(urgent, this.#byUrgency) : first(waiting, this.#inTurn);
    // Beforehand, so that another request of the same process does not get the same turn again.
    this.#account(next).time += this.quantum / this.#account(next).weight;
    if (borrowed) this.#credit -= this.quantum;
    this.#turns.set(next.id, borrowed);
    return next;
  }
  farthest<C extends Claim>(waiting: readonly C[]): C {
    return first(waiting.toReversed(), (a, b) => this.#inTurn(b, a));
  }

  charge(claim: Claim, tokens: number): void {
    const served = Math.max(1, tokens);
    const account = this.#account(claim);
    account.time += (served - this.quantum) / account.weight;
    account.longest = Math.max(account.longest, served);
    account.weight = weightOf(claim.priority.nice);
    this.virtualTime += served / this.#weights();
    this.#bound(account);
    const change = this.#turns.get(claim.id) ? this.quantum - served : BORROW * served;
    this.#credit = Math.min(BORROW * this.quantum, this.#credit + change);
    this.#turns.delete(claim.id);
  }
  leave(claim: Claim): void {
    this.#account(claim).claims--;
  }

  #account({ pid }: Claim): Account {
    return this.accounts.get(pid) as Account;
  }
  /** Weights that compete; who has left and is not ahead is forgotten, and will begin at V. */
  #weights(): number {
    let total = 0;
    for (const [pid, { weight, claims, time }] of this.accounts)
      if (claims > 0) total += weight;
      else if (time <= this.virtualTime) this.accounts.delete(pid);
    return total;
  }
  #bound(account: Account): void {
    const { longest, weight } = account;
    const latest = this.virtualTime + (this.#slack + longest) / weight;
    const earliest = this.virtualTime - this.#slack / weight;
    account.time = Math.min(latest, Math.max(earliest, account.time));
  }
  #isUrgent(claim: Claim): boolean {
    const { interactive, deadline } = claim.priority;
    const { time, weight } = this.#account(claim);
    const ahead = (time - this.virtualTime) * weight;
    return (interactive || deadline !== undefined) && ahead < this.#slack;
  }
  readonly #inTurn = (a: Claim, b: Claim): number => this.#account(a).time - this.#account(b).time;
  readonly #byUrgency = (a: Claim, b: Claim): number =>
    Number(b.priority.interactive) - Number(a.priority.interactive) ||
    (a.priority.deadline ?? Infinity) - (b.priority.deadline ?? Infinity) ||
    this.#inTurn(a, b);
}
