/**
 * The loop that owns the programs: each turn it takes what waits and does one run, a prefill run of
 * known ids or a decode run of next tokens, as `admission.ts` decides. Memory is given out between
 * two runs only, so a run never writes to a page that became somebody else's.
 *
 * Whoever asks is answered when his part is done; what he does next is waiting at the next turn. So
 * a reader who is slow misses turns, and nobody waits for him.
 */
import { chooseSteps, enter, nextRun, planLanes } from "./admission.ts";
import { aborted, type FillJob, isOver, type StepJob } from "./engine-jobs.ts";
import type { EnginePrograms, Lane, RunResult, RunShape } from "./engine-programs.ts";
import { randomAt } from "./sampler.ts";
import {
  adoptPrefixes,
  overloaded,
  publishPages,
  truncateTimeline,
  tryReserve,
} from "./timeline.ts";
import type { SampledToken, TokenSampler } from "./token-engine.ts";
import { diverged, tokenLogprobs } from "./token-logprobs.ts";

export interface LoopShape {
  /** Texts in one decode run, at most; widths it is compiled for, ascending. */
  readonly maxBatch: number;
  readonly widths: readonly number[];
  /** Shapes of prefill runs, ascending. */
  readonly fills: readonly { readonly lanes: number; readonly width: number }[];
  readonly pageLen: number;
  readonly vocabSize: number;
}

export interface EngineLoop {
  fill(job: Omit<FillJob, "cached" | "begun" | "resolve" | "reject">): Promise<{ cached: number }>;
  step(
    job: Omit<StepJob, "served" | "arrived" | "resolve" | "reject">,
  ): Promise<SampledToken | undefined>;
  /** Runs `task` while no program runs. */
  between<T>(task: () => Promise<T>): Promise<T>;
  /** Jobs that wait, and that are in the run under way. */
  readonly waiting: number;
  readonly running: number;
  /** Resolves when nothing is left to do. */
  idle(): Promise<void>;
}

/** Lets everyone who was answered ask again before the next run is chosen. */
const breathe = (): Promise<void> =>
  new Promise((resolve) =>
    "setImmediate" in globalThis ? setImmediate(resolve) : setTimeout(resolve, 0),
  );

export function createEngineLoop(programs: EnginePrograms, shape: LoopShape): EngineLoop {
  return new Loop(programs, shape);
}

class Loop implements EngineLoop {
  readonly #programs: EnginePrograms;
  readonly #shape: LoopShape;
  #fills: FillJob[] = [];
  #steps: StepJob[] = [];
  #tasks: (() => Promise<void>)[] = [];
  #working: Promise<void> | undefined;
  #arrivals = 0;
  #stepsSinceFill = 0;
  running = 0;

  constructor(programs: EnginePrograms, shape: LoopShape) {
    this.#programs = programs;
    this.#shape = shape;
  }
  get waiting(): number {
    return this.#fills.length + this.#steps.length - this.running;
  }
  fill(job: Parameters<EngineLoop["fill"]>[0]): Promise<{ cached: number }> {
    return new Promise((resolve, reject) => {
      const own: FillJob = {
        ...{ ...job, cached: 0, begun: false, reject },
        resolve: () => resolve({ cached: own.cached }),
      };
      this.#fills.push(own);
      this.#wake();
    });
  }
  step(job: Parameters<EngineLoop["step"]>[0]): Promise<SampledToken | undefined> {
    job.timeline.served = enter(job.timeline.served, this.#steps);
    const { served } = job.timeline;
    return new Promise((resolve, reject) => {
      this.#steps.push({ ...job, served, arrived: this.#arrivals++, resolve, reject });
      this.#wake();
    });
  }
  between<T>(task: () => Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      this.#tasks.push(() => task().then(resolve, reject));
      this.#wake();
    });
  }
  async idle(): Promise<void> {
    await this.#working;
  }
  #wake(): void {
    this.#working ??= this.#work();
  }
  async #work(): Promise<void> {
    await breathe();
    while (this.#fills.length + this.#steps.length + this.#tasks.length > 0) {
      await this.#turn().catch((error: unknown) => this.#fail(error));
      await breathe();
    }
    this.#working = undefined;
  }
  /** What broke a turn would break the next: everyone hears of it, and may try again. */
  #fail(error: unknown): void {
    const jobs = [...this.#fills.splice(0), ...this.#steps.splice(0)];
    for (const job of jobs) job.reject(error);
  }

  async #turn(): Promise<void> {
    for (const task of this.#tasks.splice(0)) await task();
    this.#dropEnded();
    await this.#beginFills();
    const waiting = [...this.#steps];
    const steps = await this.#readySteps(waiting);
    // Others may have come in the meantime: they have no memory yet, and wait for the next turn.
    const fills = this.#fills.filter(({ begun }) => begun);
    const kind = nextRun(fills.length > 0, steps.length > 0, this.#stepsSinceFill);
    this.#stepsSinceFill = kind === "fill" ? 0 : this.#stepsSinceFill + 1;
    if (kind === "fill") await this.#runFill(fills);
    else if (steps.length > 0) await this.#runSteps(steps);
    else this.#refuseLast(waiting);
  }
  #dropEnded(): void {
    this.#fills = this.#fills.filter((job) => {
      if (isOver(job)) job.reject(aborted("append"));
      return !isOver(job);
    });
    this.#steps = this.#steps.filter((job) => {
      if (isOver(job)) job.resolve(undefined);
      return !isOver(job);
    });
  }
  /** Gives newcomers what others have computed, and memory for the rest, or refuses them. */
  async #beginFills(): Promise<void> {
    for (const job of this.#fills) {
      if (job.output === "none") job.cached += adoptPrefixes(job.timeline, job.ids, job.to);
      if (job.begun) continue;
      job.begun = await tryReserve(job.timeline, job.to);
      if (!job.begun) job.reject(overloaded(job.timeline.memory, job.to));
    }
    this.#fills = this.#fills.filter((job) => job.begun && !this.#finish(job));
  }
  #finish(job: FillJob): boolean {
    if (job.timeline.computed < job.to) return false;
    job.resolve();
    return true;
  }
  /** Those whose turn it is and who have room for one more token. */
  async #readySteps(waiting: readonly StepJob[]): Promise<StepJob[]> {
    const ready: StepJob[] = [];
    for (const job of chooseSteps(waiting, waiting.length)) {
      if (ready.length === this.#shape.maxBatch) break;
      if (await tryReserve(job.timeline, job.timeline.ids.length)) ready.push(job);
    }
    return ready;
  }
  /** All wait for memory that nobody is about to free: the last to come goes. */
  #refuseLast(waiting: readonly StepJob[]): void {
    const last = waiting.toSorted((a, b) => a.arrived - b.arrived).pop();
    if (last === undefined) return;
    this.#steps = this.#steps.filter((job) => job !== last);
    last.reject(overloaded(last.timeline.memory, last.timeline.ids.length));
  }

  async #runFill(begun: readonly FillJob[]): Promise<void> {
    const [{ output }] = begun as [FillJob, ...FillJob[]];
    const jobs = begun.filter((job) => job.output === output);
    const { lanes, width } = this.#fillShape(jobs);
    const backlogs = jobs.map(({ timeline, to }) => ({ from: timeline.computed, to }));
    const plan = planLanes(backlogs, lanes, width, this.#shape.pageLen);
    const served = jobs.slice(0, 1 + Math.max(...plan.map(({ job }) => job)));
    const given = plan.map(({ job, from, to }): Lane => {
      const { ids, timeline } = jobs[job] as FillJob;
      return { ids, from, to, pages: timeline.pages };
    });
    const result = await this.#run({ lanes, width, output }, given, served);
    if (result === undefined) return;
    const rows = output === "none" ? undefined : result[output];
    for (const [lane, { job, from, to }] of plan.entries())
      acceptLane(jobs[job] as FillJob, from, to, rows && laneRows(rows, lanes, lane));
    const others = this.#fills.filter((job) => !served.includes(job));
    this.#fills = [...others, ...served.filter((job) => !isOver(job) && !this.#finish(job))];
    for (const job of served) if (isOver(job)) job.reject(aborted("append"));
  }
  /** The smallest run that holds all that waits, or the largest. */
  #fillShape(jobs: readonly FillJob[]): { lanes: number; width: number } {
    // Logits of many rows are large: a lane at a time.
    const oneLane = jobs.some(({ output }) => output === "logits");
    const fills = this.#shape.fills.filter(({ lanes }) => lanes === 1 || !oneLane);
    const fits = ({ lanes, width }: { lanes: number; width: number }): boolean =>
      jobs.reduce(
        (sum, { timeline, to }) => sum + Math.ceil((to - timeline.computed) / width),
        0,
      ) <= lanes;
    const last = fills.at(-1) as { lanes: number; width: number };
    return fills.find(fits) ?? last;
  }

  async #runSteps(jobs: readonly StepJob[]): Promise<void> {
    const { widths } = this.#shape;
    const lanes = widths.find((width) => width >= jobs.length) as number;
    const bare = jobs.every(({ sampler, logprobs }) => drawOf(sampler) && logprobs === undefined);
    const output = bare ? "draw" : "draw-and-logits";
    const result = await this.#run({ lanes, width: 1, output }, jobs.map(stepLane), jobs);
    this.#steps = this.#steps.filter((job) => !jobs.includes(job));
    if (result === undefined) return;
    for (const [lane, job] of jobs.entries()) {
      const logits = result.logits && laneRows(result.logits, lanes, lane);
      this.#answer(job, result.id?.[lane] as number, logits);
    }
  }
  #answer(job: StepJob, drawn: number, logits: Float32Array | undefined): void {
    const { timeline, sampler, logprobs } = job;
    if (isOver(job)) {
      job.resolve(undefined);
      return;
    }
    const row = logits?.subarray(0, this.#shape.vocabSize);
    try {
      timeline.computed = timeline.ids.length;
      publishPages(timeline, timeline.ids);
      const isDrawn = drawOf(sampler) !== undefined;
      if (isDrawn && drawn < 0) throw diverged(this.#shape.vocabSize);
      // Before the sampler, which may write to the logits.
      const norm = row?.slice();
      const id = isDrawn ? drawn : sampler.sample(row as Float32Array, timeline.computed);
      sampler.masked?.take(id);
      const measured =
        logprobs === undefined ? {} : tokenLogprobs(norm as Float32Array, id, logprobs);
      timeline.ids.push(id);
      timeline.served++;
      job.resolve({ id, ...measured });
    } catch (error) {
      truncateTimeline(timeline, timeline.ids.length);
      job.reject(error);
    }
  }

  /** @returns undefined when the run failed: those in it were told */
  async #run(
    shape: RunShape,
    lanes: readonly Lane[],
    jobs: readonly (FillJob | StepJob)[],
  ): Promise<RunResult | undefined> {
    this.running = jobs.length;
    try {
      return await this.#programs.run(shape, lanes);
    } catch (error) {
      this.#fills = this.#fills.filter((job) => !jobs.includes(job));
      for (const job of jobs) job.reject(error);
      return undefined;
    } finally {
      this.running = 0;
    }
  }
}

const laneRows = (rows: Float32Array, lanes: number, lane: number): Float32Array =>
  rows.subarray((lane * rows.length) / lanes, ((lane + 1) * rows.length) / lanes);

function acceptLane(job: FillJob, from: number, to: number, rows: Float32Array | undefined): void {
  const { timeline, ids, onRows } = job;
  if (timeline.closed) return;
  timeline.computed = to;
  publishPages(timeline, ids);
  if (rows !== undefined) onRows?.(rows, from, to);
}

/** What the engine needs to draw the token itself; absent: the sampler chooses from the logits. */
const drawOf = ({ plain, masked }: TokenSampler): TokenSampler["plain"] => plain ?? masked;

function stepLane({ timeline, sampler, allowed }: StepJob): Lane {
  const { ids, pages } = timeline;
  const lane = { ids, from: ids.length - 1, to: ids.length, pages };
  const draw = drawOf(sampler);
  if (draw === undefined) return lane;
  const { temperature, seed } = draw;
  const uniform = temperature === 0 ? 0 : randomAt(seed, ids.length);
  return { ...lane, draw: { temperature, uniform, allowed } };
}
