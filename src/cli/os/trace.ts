/**
 * The journal as `strace` shows it: one line a call, with what was known of its arguments, what the
 * policy said, what came back, how long it took and what it cost.
 */
import { inertLine } from "../../inert-text.ts";
import type { IntentBody, JournalRecord, ResultBody } from "../../os/kernel/kernel.ts";
import type { Json } from "../../os/security/labelled.ts";
import { formatCount } from "../format.ts";

const MAX_VALUE = 120;

/** @returns lines of records that say something on their own; an open call is shown as such */
export function renderTrace(records: readonly JournalRecord[]): string[] {
  const results = new Map(records.filter(isResult).map((record) => [record.call, bodyOf(record)]));
  return records.flatMap((record) => {
    if (record.kind === "intent")
      return [renderCall(record.call, JSON.parse(record.body), results.get(record.call))];
    if (record.kind !== "result") return [renderEvent(record)];
    const body = bodyOf(record);
    return body.intent === undefined ? [] : [renderCall(record.call, body.intent, body)];
  });
}

/** Of a call: its own record, or inside the result of one that needed none. */
export function tryIntent(records: readonly JournalRecord[], call: number): IntentBody | undefined {
  const own = records.filter((record) => record.call === call);
  const intent = own.find(({ kind }) => kind === "intent");
  if (intent !== undefined) return JSON.parse(intent.body);
  const result = own.find(isResult);
  return result && bodyOf(result).intent;
}

function isResult({ kind }: JournalRecord): boolean {
  return kind === "result";
}

function bodyOf({ body }: JournalRecord): ResultBody {
  return JSON.parse(body);
}

function renderCall(
  call: number | undefined,
  { name, args, labels, verdict }: IntentBody,
  result: ResultBody | undefined,
): string {
  const head = `${String(call).padStart(4)} ${name}(${short(args)})`;
  const judged = `[${renderLabels(labels)} ${verdict.kind}]`;
  if (result === undefined) return `${head} ${judged} …`;
  return `${head} ${judged} = ${renderOutcome(result)} <${renderSpent(result)}>`;
}

function renderOutcome({ status, value, error, ticket, labels }: ResultBody): string {
  if (status === "unknown") return `unknown, ticket #${ticket}`;
  if (status === "error") return `error ${short(error ?? null)}`;
  const from = renderLabels(labels);
  return `${short(value ?? null)}${from === "trusted" ? "" : ` {${from}}`}`;
}

function renderSpent({ ms, cost = {} }: ResultBody): string {
  const tokens = cost.tokens === undefined ? [] : [`${formatCount(cost.tokens)} tok`];
  const money = cost.microUsd === undefined ? [] : [`$${(cost.microUsd / 1e6).toFixed(4)}`];
  return [`${ms.toFixed(0)} ms`, ...tokens, ...money].join(", ");
}

/** Sources and readers of a whole tree, in brackets; the user's own and public say nothing. */
export function renderLabels(labels: Json): string {
  const sources = new Set<string>();
  const readers = new Set<string>();
  collect(labels, sources, readers);
  for (const trusted of ["user", "config"]) sources.delete(trusted);
  const from = sources.size === 0 ? "trusted" : `from ${[...sources].sort().join(" ")}`;
  const seen = readers.size === 0 ? "" : `, for ${[...readers].sort().join(" ")}`;
  return inertLine(`${from}${seen}`, 200);
}

/** Label trees are nested objects: every `integrity` and `readers` in them counts. */
function collect(tree: Json, sources: Set<string>, readers: Set<string>): void {
  if (tree === null || typeof tree !== "object") return;
  for (const [key, value] of Object.entries(tree)) {
    if (key === "integrity" && Array.isArray(value))
      for (const one of value) sources.add(String(one));
    else if (key === "readers" && Array.isArray(value))
      for (const one of value) readers.add(String(one));
    else collect(value, sources, readers);
  }
}

function renderEvent({ kind, body, call }: JournalRecord): string {
  const where = call === undefined ? "   -" : String(call).padStart(4);
  return `${where} ${kind} ${inertLine(body, MAX_VALUE)}`;
}

function short(value: Json): string {
  return inertLine(JSON.stringify(value), MAX_VALUE);
}
