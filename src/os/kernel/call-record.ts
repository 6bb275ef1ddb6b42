/**
 * What the journal says of a call: its intent (arguments, labels, why it was let through) and its
 * result, as the canonical text that is hashed.
 */
import { canonicalJson } from "../security/canonical.ts";
import { toLabelJson, toLabelTreeJson } from "../security/label-json.ts";
import type { Json, Labelled } from "../security/labelled.ts";
import type { Passed, Refusal, Request } from "./gates/gate.ts";
import type { CallRecord } from "./journal.ts";
import type { IntentBody, ResultBody } from "./kernel.ts";
import { countable, failure, fromResultBody, type Performed, toResultBody } from "./outcome.ts";
import type { Cost, Outcome, Syscall } from "./syscall.ts";

/** Of one result; a driver with more to say keeps it in a file and returns where. */
const MAX_RESULT_CHARS = 16 * 2 ** 20;

export function openingRecord(request: Request, passed: Passed, at: number): CallRecord {
  const { row, name, args } = request;
  return {
    ...recordBase(request, "intent", at),
    body: canonicalJson(toIntentBody(request, passed) as unknown as Json),
    opens: true,
    becomes: row.waits === true ? "waiting" : "running",
    current: name,
    cost: estimate(row, args),
    ...usedUp(passed),
  };
}

/** Intent and result of a pure call in one; an approval is used up by it. */
export function wholeRecord(
  request: Request,
  passed: Passed,
  done: Performed,
  started: number,
): CallRecord {
  const cost = { ...estimate(request.row, request.args), ...done.cost, calls: 1 };
  return {
    ...closingRecord(request, done, started, toIntentBody(request, passed)),
    ...{ opens: true, cost },
    ...usedUp(passed),
  };
}

/** A refused call is journaled as well, without arguments that do not fit. */
export function refusedRecord(request: Request, refusal: Refusal, outcome: Outcome): CallRecord {
  const fit = refusal.code !== "ARGUMENTS" && refusal.code !== "NO_CALL";
  const verdict = refusal.verdict ?? { kind: "deny" as const, reasons: [] };
  const intent = toIntentBody(request, { verdict });
  const shown = fit ? intent : { ...intent, args: null, labels: null };
  const done = { outcome, cost: {} };
  return { ...closingRecord(request, done, request.state.now(), shown), cost: { calls: 1 } };
}

/** @param started milliseconds since 1970 */
export function closingRecord(
  request: Request,
  done: Performed,
  started: number,
  intent?: IntentBody,
): CallRecord {
  const at = request.state.now();
  return {
    ...recordBase(request, "result", at),
    body: toResultText(request, done, at - started, intent),
    opens: false,
    becomes: "ready",
    cost: difference(done.cost, estimate(request.row, request.args)),
  };
}

function toResultText(
  request: Request,
  done: Performed,
  ms: number,
  intent: IntentBody | undefined,
): string {
  const text = (outcome: Outcome): string => {
    const body = { ...toResultBody(outcome, ms, done.cost), ...(intent && { intent }) };
    return canonicalJson(body as unknown as Json, { depth: 256, chars: MAX_RESULT_CHARS });
  };
  try {
    return text(done.outcome);
  } catch {
    return text(withoutResult(request, done.outcome));
  }
}

/** Of an effect that somebody else can see it is still told that it happened. */
function withoutResult({ name, row, chosenBy }: Request, { status }: Outcome): Outcome {
  const rule = `a result must be plain JSON of at most ${MAX_RESULT_CHARS} characters`;
  const labels = { label: chosenBy };
  const seen = row.effect === "irreversible" || row.effect === "reconcilable";
  if (!seen || status !== "ok") return failure("DEVICE", `${name}: ${rule}, got another.`, labels);
  return { status, value: { value: null, labels }, note: `it is done, but ${rule}, got another` };
}

/** Always from the text, so that a first run and a replay see the same. */
export function toOutcome(record: CallRecord): Outcome {
  return fromResultBody(JSON.parse(record.body) as ResultBody);
}

function recordBase(
  { running, call }: Request,
  kind: "intent" | "result",
  at: number,
): Pick<CallRecord, "pid" | "path" | "runner" | "kind" | "call" | "at"> {
  const { pid, path, runner } = running;
  return { pid, path, runner, kind, call, at };
}

/** What the gates saw must still hold, and what they were given is gone. */
function usedUp({ rights, ticket }: Passed): Pick<CallRecord, "rights" | "ticket"> {
  return { ...(rights !== undefined && { rights }), ...(ticket !== undefined && { ticket }) };
}

function toIntentBody({ name, row, args, pc }: Request, { verdict }: Passed): IntentBody {
  const labels = toLabelTreeJson(args.labels);
  return { name, args: args.value, labels, pc: toLabelJson(pc), verdict, effect: row.effect };
}

function estimate(row: Syscall, args: Labelled): Cost {
  return { ...countable(row.cost?.(args.value)), calls: 1 };
}

/** What it cost beyond the estimate that the intent was charged with; without word, nothing. */
function difference(real: Cost, guess: Cost): Cost {
  return {
    tokens: (real.tokens ?? guess.tokens ?? 0) - (guess.tokens ?? 0),
    microUsd: (real.microUsd ?? guess.microUsd ?? 0) - (guess.microUsd ?? 0),
  };
}
