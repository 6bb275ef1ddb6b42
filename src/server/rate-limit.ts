/**
 * What a key may ask for in a minute. A bucket fills evenly and holds at most one minute's worth.
 * A request takes one from the first bucket before it begins; its tokens are taken from the second
 * when they are known, so that one may go below zero and has to fill up first.
 */
import { overloaded } from "./wire/refusal.ts";

interface Bucket {
  level: number;
  at: number;
}

interface Account {
  readonly requests: Bucket;
  readonly tokens: Bucket;
}

export interface RateLimiter {
  /**
   * Takes one request. @returns the headers that tell what is left
   * @throws Refusal 429 with Retry-After
   */
  take(name: string): Readonly<Record<string, string>>;
  /** Takes the tokens of a request. */
  spend(name: string, tokens: number): void;
}

/** Names that came once and never again are forgotten from this many on. */
const MOST_ACCOUNTS = 10_000;

/** @param now milliseconds of a clock that never goes back */
export function createRateLimiter(
  perMinute: { readonly requests: number | undefined; readonly tokens: number | undefined },
  now: () => number = () => performance.now(),
): RateLimiter {
  const { requests: mostRequests = Infinity, tokens: mostTokens = Infinity } = perMinute;
  const accounts = new Map<string, Account>();
  const open = (name: string): Account => {
    const account = accounts.get(name) ?? fullAccount(mostRequests, mostTokens, now());
    if (!accounts.has(name) && accounts.size >= MOST_ACCOUNTS) dropOldest(accounts);
    accounts.set(name, account);
    fill(account.requests, mostRequests, now());
    fill(account.tokens, mostTokens, now());
    return account;
  };
  return {
    take(name) {
      const { requests, tokens } = open(name);
      if (requests.level < 1) throw tooMany("requests", mostRequests, 1 - requests.level);
      if (tokens.level <= 0) throw tooMany("tokens", mostTokens, 1 - tokens.level);
      requests.level -= 1;
      return {
        ...describe("requests", requests, mostRequests),
        ...describe("tokens", tokens, mostTokens),
      };
    },
    spend(name, tokens) {
      if (mostTokens !== Infinity) open(name).tokens.level -= tokens;
    },
  };
}

function fullAccount(requests: number, tokens: number, at: number): Account {
  return { requests: { level: requests, at }, tokens: { level: tokens, at } };
}

function fill(bucket: Bucket, most: number, at: number): void {
  if (most === Infinity) return;
  bucket.level = Math.min(most, bucket.level + ((at - bucket.at) / 60_000) * most);
  bucket.at = at;
}

function tooMany(what: "requests" | "tokens", most: number, lacking: number): Error {
  const seconds = (lacking / most) * 60;
  const message = `This key may use ${most} ${what} a minute. Try again in ${seconds.toFixed(1)} s.`;
  return overloaded(message, "rate_limit_exceeded", seconds);
}

function describe(what: string, { level }: Bucket, most: number): Readonly<Record<string, string>> {
  if (most === Infinity) return {};
  return {
    [`x-ratelimit-limit-${what}`]: String(most),
    [`x-ratelimit-remaining-${what}`]: String(Math.max(0, Math.floor(level))),
    [`x-ratelimit-reset-${what}`]: `${(((most - level) / most) * 60).toFixed(1)}s`,
  };
}

function dropOldest(accounts: Map<string, Account>): void {
  for (const name of accounts.keys()) {
    accounts.delete(name);
    return;
  }
}
