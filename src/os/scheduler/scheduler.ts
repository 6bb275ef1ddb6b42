/**
 * Who computes next. Requests for tokens wait in lanes, one lane a model, and are served a turn at
 * a time, between two tokens and not within one. What a request does with its turn is its own
 * business (`Work`); whose turn it is, the policy's. A place goes from hand to hand: whoever had it
 * and is not chosen again first lets go of what holds it, and gives up its memory only when another
 * finds none.
 */
import { NutshellError } from "../../error.ts";
import { createFairPolicy } from "./fair.ts";
import { type Entry, Lane, type LaneLimits } from "./lane.ts";
import { Ledger, type Service } from "./ledger.ts";
import type { Policy, Priority } from "./policy.ts";
import { createFifoPolicy, createRoundRobinPolicy } from "./turns.ts";

/** One request's work, as whoever asked makes it: a generation, an embedding. */
export interface Work {
  /**
   * Goes on for about so many tokens; one call at a time.
   * @throws what ends the request; an error with a number `retryAfterMs` only delays the lane
   */
  run(tokens: number): Promise<Slice>;
  /** Another gets its place: ends the stream that holds it. @returns what that took */
  park?(): Promise<Pick<Slice, "tokens" | "wasted">>;
  /** It holds memory that another could use. */
  readonly resident?: boolean;
  /** Moves what it holds out of that memory; the next turn brings it back. */
  pageOut?(): Promise<void>;
  /** It is over, done or not: frees all that it holds. */
  close?(): Promise<void>;
}

export interface Slice {
  /** Served, in tokens. */
  readonly tokens: number;
  readonly done: boolean;
  /** Of these, what nobody gets: sent or made twice. */
  readonly wasted?: number;
  /** Memory is missing: nothing was lost, and it can go on when another gave some up. */
  readonly short?: Error;
}

export interface ServiceRequest {
  readonly pid: number;
  /** Of the model. */
  readonly lane: string;
  /** May change under way: it counts from the next turn on. */
  readonly priority: Priority;
  readonly signal: AbortSignal;
}

export interface Scheduler {
  /** Serves a request to its end. @throws what its work throws; ABORTED; OVERLOADED */
  serve(request: ServiceRequest, work: Work): Promise<void>;
  /** Of the processes served last; undefined for one that never was. */
  service(pid: number): Service | undefined;
}

export type PolicyName = "fair" | "fifo" | "round-robin";

export const policies: Readonly<Record<PolicyName, (quantum: number) => Policy>> = {
  fair: createFairPolicy,
  fifo: createFifoPolicy,
  "round-robin": createRoundRobinPolicy,
};

export interface SchedulerOptions {
  /** Default "fair". */
  readonly policy?: PolicyName;
  /** Tokens of a turn; default 16. */
  readonly quantum?: number;
  /** By name; a lane that is not named has one place. */
  readonly lanes?: Readonly<Record<string, LaneLimits>>;
  /** Milliseconds, never going back; default the machine's. */
  readonly now?: () => number;
}

const QUANTUM = 16;
const MOST_RETRIES = 5;

export function createScheduler(options: SchedulerOptions = {}): Scheduler {
  return new Dispatcher(options);
}

interface Request extends Entry {
  readonly work: Work;
  readonly signal: AbortSignal;
  retries: number;
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

type Queue = Lane<Request> & { timer?: ReturnType<typeof setTimeout> | undefined };

class Dispatcher implements Scheduler {
  readonly #options: SchedulerOptions;
  readonly #now: () => number;
  readonly #lanes = new Map<string, Queue>();
  readonly #ledger = new Ledger();
  #ids = 0;

  constructor(options: SchedulerOptions) {
    this.#options = options;
    this.#now = options.now ?? (() => performance.now());
  }

  serve({ pid, lane: name, priority, signal }: ServiceRequest, work: Work): Promise<void> {
    if (signal.aborted) return Promise.reject(aborted());
    const lane = this.#lane(name);
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const now = this.#now();
    const times = { askedAt: now, since: now };
    const rest = { state: "waiting" as const, open: false, retries: 0, ...times };
    const request = { id: this.#ids++, pid, priority, ...rest, work, signal, resolve, reject };
    const cancel = (): void => this.#cancel(lane, request);
    signal.addEventListener("abort", cancel, { once: true });
    lane.enter(request);
    this.#fill(lane);
    return promise.finally(() => signal.removeEventListener("abort", cancel));
  }
  service(pid: number): Service | undefined {
    return this.#ledger.get(pid);
  }

  #lane(name: string): Queue {
    const known = this.#lanes.get(name);
    if (known !== undefined) return known;
    const { policy = "fair", quantum = QUANTUM, lanes = {} } = this.#options;
    const lane: Queue = new Lane(
      policies[policy](quantum),
      lanes[name] ?? { places: 1 },
      this.#ledger,
    );
    this.#lanes.set(name, lane);
    return lane;
  }
  /** Gives free places away, now or when the provider allows. */
  #fill(lane: Queue): void {
    clearTimeout(lane.timer);
    for (let next = this.#take(lane); next !== undefined; next = this.#take(lane))
      void this.#work(lane, next);
    const now = this.#now();
    const wait = lane.freeAt(now) - now;
    if (wait > 0 && lane.waiting.length > 0)
      lane.timer = setTimeout(() => this.#fill(lane), Math.ceil(wait));
  }
  #take(lane: Queue): Request | undefined {
    return lane.take(this.#now());
  }
  /** One place, for as long as somebody has a use for it. */
  async #work(lane: Queue, first: Request): Promise<void> {
    for (let request: Request | undefined = first; request !== undefined; ) {
      const before: Request = request;
      const turn = this.#turn(lane, before);
      // Not before it has begun: of two that want memory, the one chosen first gets it.
      this.#fill(lane);
      await turn;
      await this.#makeWay(lane, before);
      request = this.#take(lane);
      if (before.state === "waiting") await this.#park(lane, before);
    }
    this.#fill(lane);
  }
  async #turn(lane: Queue, request: Request): Promise<void> {
    try {
      const { tokens, done, wasted = 0, short } = await this.#slice(lane, request);
      this.#ledger.add(request.pid, { wasted });
      if (short !== undefined && !this.#canWait(lane)) throw short;
      if (done) await this.#end(lane, request, undefined, tokens);
      else if (request.signal.aborted) await this.#end(lane, request, aborted(), tokens);
      else lane.back(request, tokens, this.#now(), short && "stalled");
    } catch (error) {
      if (!this.#retries(lane, request, error)) await this.#end(lane, request, error, 0);
    }
  }
  /** Where memory is missing, those who wait give theirs, the one whose turn is farthest first. */
  async #slice(lane: Queue, request: Request): Promise<Slice> {
    for (const stuck = new Set<Request>(); ; ) {
      const slice = await request.work.run(lane.policy.quantum);
      if (slice.short === undefined) return slice;
      const asleep = lane.waiting.filter(
        (one) => one.state !== "busy" && one.work.resident && !stuck.has(one),
      );
      if (asleep.length === 0) return slice;
      const other = lane.policy.farthest(asleep);
      if (!(await this.#tryPageOut(lane, other))) stuck.add(other);
    }
  }
  /** Where others found no memory, whoever was served gives his, if their turn is nearer. */
  async #makeWay(lane: Queue, request: Request): Promise<void> {
    if (request.state !== "waiting" || request.work.resident !== true) return;
    const short = lane.waiting.filter(({ state }) => state === "stalled");
    if (short.length > 0 && lane.policy.farthest([...short, request]) === request)
      await this.#tryPageOut(lane, request);
  }
  /** Somebody else goes on and will end, or gives up memory just now. */
  #canWait({ running, waiting }: Queue): boolean {
    const goesOn = ({ state, work }: Request): boolean =>
      state === "busy" || (state === "waiting" && work.resident === true);
    return running > 1 || waiting.some(goesOn);
  }
  /** The provider says when it may be asked again. */
  #retries(lane: Queue, request: Request, error: unknown): boolean {
    const delay = (error as { readonly retryAfterMs?: unknown }).retryAfterMs;
    if (typeof delay !== "number" || request.signal.aborted) return false;
    if (request.retries++ === MOST_RETRIES) return false;
    const now = this.#now();
    lane.pause(now + delay);
    request.open = false;
    lane.back(request, 0, now);
    return true;
  }
  /** @param tokens of its last turn; absent: it was waiting */
  async #end(lane: Queue, request: Request, error?: unknown, tokens?: number): Promise<void> {
    await request.work.close?.().catch(() => undefined);
    lane.end(request, this.#now(), tokens);
    if (error === undefined) request.resolve();
    else request.reject(error);
  }

  async #park(lane: Queue, request: Request): Promise<void> {
    this.#ledger.add(request.pid, { preemptions: 1 });
    const { park } = request.work;
    if (park === undefined) return;
    await this.#aside(lane, request, async () => {
      const { tokens, wasted = 0 } = await park.call(request.work);
      lane.spend(tokens);
      this.#ledger.add(request.pid, { tokens, wasted });
      request.open = false;
    });
  }
  /** @returns false when it has to stay: there is no room to move it to */
  async #tryPageOut(lane: Queue, request: Request): Promise<boolean> {
    let moved = true;
    await this.#aside(lane, request, async () => {
      await request.work.pageOut?.().catch(() => {
        moved = false;
      });
    });
    if (moved) this.#ledger.add(request.pid, { pageOuts: 1 });
    return moved;
  }
  /** Does something with one that waits; meanwhile nobody chooses it. */
  async #aside(lane: Queue, request: Request, task: () => Promise<void>): Promise<void> {
    request.state = "busy";
    try {
      await task();
      request.state = "waiting";
      lane.wake();
      if (request.signal.aborted) this.#cancel(lane, request);
    } catch (error) {
      await this.#end(lane, request, error);
    }
  }
  #cancel(lane: Queue, request: Request): void {
    if (request.state !== "waiting" && request.state !== "stalled") return;
    request.state = "busy";
    void this.#end(lane, request, aborted()).then(() => this.#fill(lane));
  }
}

const aborted = (): NutshellError =>
  new NutshellError("ABORTED", "scheduler: a request must not be taken back, got an abort.");
