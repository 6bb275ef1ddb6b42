/**
 * Who computes next: requests for tokens wait in lanes, one lane a model, and are served a quantum
 * at a time. What a request does with its quantum is its own business (`Work`).
 */
import type { Priority } from "../process.ts";

/** One request's work, as whoever asked makes it: a generation, an embedding. */
export interface Work {
  /**
   * Goes on for about so many tokens; never called twice at once.
   * @throws what ends the request; an error with a number `retryAfterMs` only delays the lane
   */
  run(tokens: number): Promise<Slice>;
  /** Another gets its place: lets go of what holds it. @returns tokens that this took and wasted */
  park?(): Promise<Pick<Slice, "tokens" | "wasted">>;
  /** Gives its fast memory to another. @returns false when it holds none */
  pageOut?(): Promise<boolean>;
}

export interface Slice {
  /** Served, in tokens. */
  readonly tokens: number;
  readonly done: boolean;
  /** Of tokens paid for, those that nobody gets: sent or made twice. */
  readonly wasted?: number;
  /** Memory is missing: nothing was lost, and it can go on when another gave some up. */
  readonly short?: true;
}

export interface ServiceRequest {
  readonly pid: number;
  readonly lane: string;
  readonly priority: Priority;
  readonly signal: AbortSignal;
}

export interface LaneLimits {
  /** Requests under way at once. */
  readonly places: number;
  readonly requestsPerMinute?: number;
  readonly tokensPerMinute?: number;
}

/** Of one process, over all its requests; times in milliseconds. */
export interface Service {
  readonly requests: number;
  readonly tokens: number;
  readonly wasted: number;
  readonly waitedMs: number;
  readonly servedMs: number;
  /** From asking to the end, summed over requests that ended. */
  readonly turnaroundMs: number;
  /** How often it had to make way in the middle, and its memory was given to another. */
  readonly preemptions: number;
  readonly pageOuts: number;
}

export interface Scheduler {
  /** Serves a request to its end. @throws what its work throws; ABORTED; OVERLOADED */
  serve(request: ServiceRequest, work: Work): Promise<void>;
  /** From now on, requests under way included. */
  renice(pid: number, priority: Priority): void;
  service(pid: number): Service | undefined;
  /** The process is gone. */
  forget(pid: number): void;
}

export interface SchedulerOptions {
  readonly policy?: "fair" | "fifo" | "round-robin";
  /** Tokens. */
  readonly quantum?: number;
  /** By lane; a lane that is not named has one place. */
  readonly lanes?: Readonly<Record<string, LaneLimits>>;
  /** Milliseconds; default the machine's clock. */
  readonly now?: () => number;
}

export function createScheduler(_options: SchedulerOptions = {}): Scheduler {
  return {
    async serve(_request, work) {
      while (!(await work.run(Number.POSITIVE_INFINITY)).done);
    },
    renice: () => undefined,
    service: () => undefined,
    forget: () => undefined,
  };
}
