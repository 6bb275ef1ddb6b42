/**
 * One lane: what waits for one model, how many are served at once, and how much its provider allows
 * in a minute. It has no clock and starts nothing; time comes in with each call, so that dispatcher
 * and simulation are served by the same lines.
 */
import type { Ledger } from "./ledger.ts";
import type { Claim, Policy } from "./policy.ts";

export interface LaneLimits {
  /** Requests served at once. */
  readonly places: number;
  readonly requestsPerMinute?: number;
  readonly tokensPerMinute?: number;
}

export interface Entry extends Claim {
  /** `stalled`: memory is missing. `busy`: its stream or memory is being taken. */
  state: "waiting" | "running" | "stalled" | "busy";
  /** A request to the provider is open: to go on needs no new one. */
  open: boolean;
  readonly askedAt: number;
  /** When its state began; milliseconds. */
  since: number;
}

/** What may still be taken, refilled evenly; below zero it is owed. */
interface Bucket {
  readonly perMinute: number;
  level: number;
  at: number;
}

const MINUTE = 60_000;

export class Lane<E extends Entry> {
  readonly policy: Policy;
  readonly #ledger: Ledger;
  readonly #limits: LaneLimits;
  readonly #requests: Bucket;
  readonly #tokens: Bucket;
  #waiting: E[] = [];
  #pausedUntil = Number.NEGATIVE_INFINITY;
  running = 0;

  constructor(policy: Policy, limits: LaneLimits, ledger: Ledger) {
    const { requestsPerMinute = Infinity, tokensPerMinute = Infinity } = limits;
    this.policy = policy;
    this.#limits = limits;
    this.#ledger = ledger;
    this.#requests = { perMinute: requestsPerMinute, level: requestsPerMinute, at: 0 };
    this.#tokens = { perMinute: tokensPerMinute, level: tokensPerMinute, at: 0 };
  }
  /** In the order in which they began to wait. */
  get waiting(): readonly E[] {
    return this.#waiting;
  }

  enter(entry: E): void {
    this.policy.enter(entry);
    this.#waiting.push(entry);
    this.#ledger.add(entry.pid, { requests: 1 });
  }
  /** @returns who gets a place now, if there is one and somebody who may have it */
  take(now: number): E | undefined {
    if (this.running >= this.#limits.places) return undefined;
    const isFree = this.freeAt(now) <= now;
    const ready = this.#waiting.filter(
      ({ state, open }) => state === "waiting" && (isFree || open),
    );
    if (ready.length === 0) return undefined;
    const next = this.policy.choose(ready);
    this.#waiting = this.#waiting.filter((one) => one !== next);
    this.#ledger.waited(next.pid, now - next.since);
    if (!next.open) this.#requests.level--;
    Object.assign(next, { state: "running", open: true, since: now });
    this.running++;
    return next;
  }
  /** Its turn is over, and it waits for the next one. */
  back(entry: E, tokens: number, now: number, state: "waiting" | "stalled" = "waiting"): void {
    this.#settle(entry, tokens, now);
    entry.state = state;
    this.#waiting.push(entry);
  }
  /** It is over, done or not. @param tokens of its last turn; absent: it was waiting */
  end(entry: E, now: number, tokens?: number): void {
    if (tokens === undefined) this.#ledger.waited(entry.pid, now - entry.since);
    else this.#settle(entry, tokens, now);
    this.#waiting = this.#waiting.filter((one) => one !== entry);
    this.policy.leave(entry);
    this.#ledger.add(entry.pid, { turnaroundMs: now - entry.askedAt });
    this.wake();
  }
  /** Memory may have become free: whoever waits for it may try again. */
  wake(): void {
    for (const one of this.#waiting) if (one.state === "stalled") one.state = "waiting";
  }
  /** Tokens beside any turn. */
  spend(tokens: number): void {
    this.#tokens.level -= tokens;
  }
  /** The provider wants to be left alone so long. */
  pause(until: number): void {
    this.#pausedUntil = Math.max(this.#pausedUntil, until);
  }
  /** When the next request may begin, as far as the provider's limits go. */
  freeAt(now: number): number {
    const request = fullAt(this.#requests, 1, now);
    // Nobody knows how many tokens a request will be: it may begin while none are owed.
    return Math.max(this.#pausedUntil, request, fullAt(this.#tokens, Number.MIN_VALUE, now));
  }

  #settle(entry: E, tokens: number, now: number): void {
    this.policy.charge(entry, tokens);
    this.spend(tokens);
    this.#ledger.add(entry.pid, { tokens, servedMs: now - entry.since });
    entry.since = now;
    this.running--;
  }
}

/** When so much will be in it. */
function fullAt(bucket: Bucket, wanted: number, now: number): number {
  const { perMinute } = bucket;
  if (perMinute === Infinity) return now;
  bucket.level = Math.min(perMinute, bucket.level + ((now - bucket.at) * perMinute) / MINUTE);
  bucket.at = now;
  return bucket.level >= wanted ? now : now + ((wanted - bucket.level) * MINUTE) / perMinute;
}
