/**
 * One request from its first byte to its last: its name, its signal and what it used. The signal is
 * aborted when the reader leaves, when its time is over and when the server stops; its reason is
 * what to answer, for whoever can still hear it.
 */
import { randomUUID } from "node:crypto";
import type { IncomingMessage, ServerResponse } from "node:http";
import { Refusal } from "./wire/refusal.ts";
import { noTokens, type TokenCounts } from "./wire/usage.ts";

export interface RequestScope {
  readonly id: string;
  readonly startedAt: number;
  readonly signal: AbortSignal;
  readonly counts: TokenCounts;
  /** Whose key it was; known behind the door. */
  client: string;
  /** Path of the table; known once it is found there. */
  route: string;
  /** Why a reader who was being served is not any more. */
  cut: "closed" | "stalled" | undefined;
  /** The text's first event came after so long. */
  firstTokenMs: number | undefined;
}

/** As nginx logs it; nobody gets to read this status. */
export const CLIENT_GONE = 499;

const gone = new Refusal(CLIENT_GONE, "The client has closed the connection.");

/**
 * @param stopping aborted when the server stops at once
 * @param onEnd when the last byte went out, or the connection is lost
 */
export function openScope(
  incoming: IncomingMessage,
  outgoing: ServerResponse,
  timing: {
    readonly timeoutMs: number;
    /** A whole reply that nobody takes is kept so long beyond the request's own time. */
    readonly stallMs: number;
    readonly stopping: AbortSignal;
  },
  onEnd: (scope: RequestScope) => void,
): RequestScope {
  const controller = new AbortController();
  const { timeoutMs, stallMs, stopping } = timing;
  const timer = setTimeout(() => controller.abort(outOfTime(timeoutMs)), timeoutMs);
  const cutter = setTimeout(() => {
    scope.cut ??= "stalled";
    outgoing.destroy();
  }, timeoutMs + stallMs);
  const leave = (): void => {
    scope.cut ??= "closed";
    controller.abort(gone);
  };
  const stop = (): void => controller.abort(stopping.reason);
  const scope: RequestScope = {
    id: `req_${randomUUID().replaceAll("-", "")}`,
    startedAt: performance.now(),
    signal: controller.signal,
    counts: noTokens(),
    client: "",
    route: "unmatched",
    cut: undefined,
    firstTokenMs: undefined,
  };
  // A reader that closes its half only may still listen, but nobody can tell: it has left.
  const { socket } = incoming;
  socket.once("end", leave);
  stopping.addEventListener("abort", stop);
  outgoing.once("close", () => {
    clearTimeout(timer);
    clearTimeout(cutter);
    socket.off("end", leave);
    stopping.removeEventListener("abort", stop);
    if (!outgoing.writableFinished) scope.cut ??= "closed";
    // Whatever still computes for it has no reader, however the connection ended.
    controller.abort(gone);
    onEnd(scope);
  });
  return scope;
}

function outOfTime(ms: number): Refusal {
  const message = `The request took longer than the ${ms / 1000} s that it may take.`;
  return new Refusal(503, message, { type: "server_error", code: "timeout" });
}
