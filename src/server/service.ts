/**
 * What every endpoint works with, and the way from a request to the engine that all of them take:
 * wait for a place, compute, count; then leave nothing behind, however it ended.
 */

import { NutshellError } from "../error.ts";
import type { Engine } from "../llm/inference/engine.ts";
import type { WriteLog } from "./access-log.ts";
import type { Admission } from "./admission.ts";
import { type GenerationEvent, type GenerationRequest, generateChoices } from "./generate.ts";
import type { Metrics } from "./metrics.ts";
import type { RateLimiter } from "./rate-limit.ts";
import type { RequestScope } from "./request-scope.ts";
import type { ServerSettings } from "./settings.ts";
import type { StoredResponses } from "./stored-responses.ts";
import { countTokens } from "./wire/usage.ts";

export interface Service {
  readonly engine: Engine;
  /** The model's name on the wire. */
  readonly modelName: string;
  readonly settings: ServerSettings;
  readonly admission: Admission;
  readonly limiter: RateLimiter;
  readonly metrics: Metrics;
  readonly stored: StoredResponses;
  readonly log: WriteLog;
  /** Aborted when the server takes nothing new any more. */
  readonly closing: AbortSignal;
}

/**
 * The engine's events for one request.
 * @throws Refusal 429 when too many wait; the signal's reason when it is aborted; what the engine
 *   throws
 */
export async function* serveGeneration(
  service: Service,
  scope: RequestScope,
  request: GenerationRequest,
): AsyncGenerator<GenerationEvent, void> {
  using _place = await service.admission.enter(scope.signal);
  const lastAt = new Map<number, number>();
  const before = { ...scope.counts };
  try {
    const events = generateChoices(service.engine, request, scope.signal, (tokens) => {
      scope.counts.completionTokens += tokens;
    });
    for await (const event of events) {
      countTokens(scope.counts, event);
      // A text that was cut from outside is no reply.
      if (event.type === "ended" && event.ended.finishReason === "aborted")
        scope.signal.throwIfAborted();
      if (event.type === "delta") measure(service, scope, lastAt, event.choice);
      yield event;
    }
  } catch (error) {
    throw reasonOf(error, scope.signal);
  } finally {
    const { promptTokens, completionTokens } = scope.counts;
    const spent = promptTokens + completionTokens - before.promptTokens - before.completionTokens;
    service.limiter.spend(scope.client, spent);
  }
}

/** Other work of the engine, in its place. */
export async function serveWork<T>(
  service: Service,
  { signal }: RequestScope,
  work: () => Promise<T>,
): Promise<T> {
  using _place = await service.admission.enter(signal);
  try {
    return await work();
  } catch (error) {
    throw reasonOf(error, signal);
  }
}

/** Why it was taken back, where that is what the engine complains about. */
function reasonOf(error: unknown, signal: AbortSignal): unknown {
  const takenBack = error instanceof NutshellError && error.code === "ABORTED";
  return takenBack && signal.aborted ? signal.reason : error;
}

function measure(
  { metrics }: Service,
  scope: RequestScope,
  lastAt: Map<number, number>,
  choice: number,
): void {
  const now = performance.now();
  scope.firstTokenMs ??= now - scope.startedAt;
  const last = lastAt.get(choice);
  if (last !== undefined) metrics.countGap((now - last) / 1000);
  lastAt.set(choice, now);
}
