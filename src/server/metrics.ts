/**
 * What Prometheus reads. Requests and times are counted here; tokens, pages and timelines are the
 * engine's own numbers, read when somebody asks. A server has a registry of its own.
 */
import { Counter, Gauge, Histogram, Registry } from "prom-client";
import type { Engine, EngineStats } from "../llm/inference/engine.ts";
import type { Admission } from "./admission.ts";
import type { RequestScope } from "./request-scope.ts";

export interface Metrics {
  readonly contentType: string;
  render(): Promise<string>;
  /** At the end of a request. */
  countRequest(scope: RequestScope, status: number): void;
  /** @param seconds between two events of one text */
  countGap(seconds: number): void;
}

const SECONDS = [0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 30, 60, 300];

/** Numbers of the engine that go up and down: name, meaning, value. */
const gauges: readonly (readonly [string, string, keyof EngineStats])[] = [
  ["sessions", "Open timelines.", "sessions"],
  ["sessions_waiting", "Timelines that wait for a place in the batch.", "waiting"],
  ["sessions_running", "Timelines in the batch.", "running"],
  ["kv_pages_used", "Pages of the KV cache that hold tokens.", "pagesUsed"],
  ["kv_pages", "Pages of the KV cache.", "pagesTotal"],
];

/** Numbers of the engine that only grow. */
const totals: readonly (readonly [string, string, keyof EngineStats])[] = [
  ["prompt_tokens_total", "Tokens of prompts.", "promptTokens"],
  ["prefix_hit_tokens_total", "Tokens of prompts that another had computed.", "cachedTokens"],
  ["completion_tokens_total", "Tokens of texts.", "completionTokens"],
  ["drafted_tokens_total", "Tokens that a draft guessed.", "draftedTokens"],
  ["accepted_tokens_total", "Of these, those that were kept.", "acceptedTokens"],
];

export function createMetrics(engine: Engine, admission: Admission): Metrics {
  const registry = new Registry();
  const registers = [registry];
  registerStats(registry, engine);
  registerQueue(registry, admission);
  const requests = new Counter({
    name: "nutshell_requests_total",
    help: "Requests by route and status.",
    labelNames: ["route", "status"],
    registers,
  });
  const histogram = (name: string, help: string): Histogram =>
    new Histogram({ name: `nutshell_${name}_seconds`, help, buckets: SECONDS, registers });
  const duration = histogram("request_duration", "From a request's begin to its end.");
  const firstToken = histogram("time_to_first_token", "From a request's begin to its first text.");
  const gap = histogram("inter_token_latency", "Between two events of one text.");
  return {
    contentType: registry.contentType,
    render: () => registry.metrics(),
    countRequest({ route, startedAt, firstTokenMs }, status) {
      requests.inc({ route, status });
      duration.observe((performance.now() - startedAt) / 1000);
      if (firstTokenMs !== undefined) firstToken.observe(firstTokenMs / 1000);
    },
    countGap: (seconds) => gap.observe(seconds),
  };
}

function registerStats(registry: Registry, engine: Engine): void {
  const registers = [registry];
  for (const [name, help, key] of gauges)
    new Gauge({
      name: `nutshell_${name}`,
      help,
      registers,
      collect() {
        this.set(engine.stats()[key]);
      },
    });
  for (const [name, help, key] of totals)
    new Counter({
      name: `nutshell_${name}`,
      help,
      registers,
      collect() {
        this.reset();
        this.inc(engine.stats()[key]);
      },
    });
}

function registerQueue(registry: Registry, admission: Admission): void {
  const gauge = (name: string, help: string, value: () => number): Gauge =>
    new Gauge({
      name: `nutshell_requests_${name}`,
      help,
      registers: [registry],
      collect() {
        this.set(value());
      },
    });
  gauge("active", "Requests that are computed.", () => admission.active);
  gauge("waiting", "Requests that wait to be computed.", () => admission.waiting);
}
