/**
 * Signals: facts in the process table, so that they survive every daemon, and a wake-up for whoever
 * runs the process. KILL reaches a whole tree in one transaction: each living row is locked, and the
 * tree is looked at again until nobody new is in it; whoever spawns locks its parent's row first, so
 * that a child is either seen here or never born.
 */
import { canonicalJson } from "../security/canonical.ts";
import { labelOf } from "../security/label.ts";
import { toLabelJson } from "../security/label-json.ts";
import { labelled } from "../security/labelled.ts";
import { close } from "./exit.ts";
import { appendRecord } from "./journal.ts";
import type { IntentBody } from "./kernel.ts";
import type { Signal } from "./process.ts";
import { type Client, toLabelledText } from "./process-row.ts";
import type { KernelState } from "./state.ts";
import { wake } from "./wakeups.ts";

export type Scope = "one" | "tree" | "group";

/** From TERM to KILL. */
const GRACE_MS = 5000;

/** @returns pids that it reached: living ones; of a group or tree, also none */
export async function sendSignal(
  state: KernelState,
  pid: number,
  signal: Signal,
  scope: Scope,
): Promise<readonly number[]> {
  const reached = await state.database.transaction((client) =>
    signal === "KILL"
      ? kill(client, pid, scope, "KILL", state.now())
      : tell(client, pid, scope, signal, state.now()),
  );
  if (signal === "KILL") await state.host.kill(reached);
  return reached;
}

const inScope: Readonly<Record<Scope, string>> = {
  one: "pid = $1",
  tree: "path @> array[$1::int]",
  group: "grp = (select grp from process where pid = $1)",
};

async function lockLiving(client: Client, pid: number, scope: Scope): Promise<number[]> {
  const { rows } = await client.query<{ pid: number }>(
    `select pid from process where ${inScope[scope]} and ended_at is null
     order by pid for no key update`,
    [pid],
  );
  return rows.map((row) => row.pid);
}

/** @param signal what its exit says */
export async function kill(
  client: Client,
  pid: number,
  scope: Scope,
  signal: Signal,
  now: number,
): Promise<number[]> {
  const reached: number[] = [];
  for (;;) {
    const living = await lockLiving(client, pid, scope);
    if (living.length === 0) return reached;
    const body = canonicalJson({ signal });
    await appendRecord(client, living, { kind: "signal", at: now, body });
    await openUnknowns(client, living, now);
    await close(client, living, { exit: { how: "killed", signal } }, now);
    reached.push(...living);
  }
}

/** Effects under way that somebody outside can see: nobody knows now whether they happened. */
async function openUnknowns(client: Client, pids: readonly number[], now: number): Promise<void> {
  const { rows } = await client.query<{ pid: number; call: number; body: string }>(
    `select i.pid, i.call, i.body from journal i where i.pid = any($1) and i.kind = 'intent'
       and not exists (select from journal r
         where r.pid = i.pid and r.call = i.call and r.kind = 'result')`,
    [pids],
  );
  for (const { pid, call, body } of rows) {
    // Parsed here: Postgres refuses U+0000 and lone surrogates, which any process can write.
    const { name, args, effect } = JSON.parse(body) as IntentBody;
    if (effect !== "irreversible" && effect !== "reconcilable") continue;
    const card = { call: name, args, effect, why: "the process was killed in it" };
    await client.query(
      `insert into ticket (pid, call, kind, card, created_at) values ($1, $2, 'unknown', $3, $4)
       on conflict do nothing`,
      [pid, call, canonicalJson(card), now],
    );
  }
}

const signalLabel = canonicalJson(toLabelJson(labelOf("config")));
const signalMail = toLabelledText(labelled({ signal: "USR1" }, labelOf("config")));

/** What each of the other signals changes in the rows of `$1`; a wait is a call up to the latest. */
const changes: Readonly<Record<Exclude<Signal, "KILL">, string>> = {
  STOP: "update process set stopped = true where pid = any($1) and $2::bigint > 0",
  CONT: "update process set stopped = false where pid = any($1) and $2::bigint > 0",
  INT: "update process set interrupted = calls where pid = any($1) and $2::bigint > 0",
  TERM: `update process set interrupted = calls, stopped = false,
    kill_at = coalesce(kill_at, $2::bigint + ${GRACE_MS}) where pid = any($1)`,
  // Something for the program alone: it lies in its mailbox, from nobody (0).
  USR1: `insert into mail (recipient, sender, key, body, root, sent_at)
    select pid, 0, gen_random_uuid()::text, '${signalMail}', '${signalLabel}', $2::bigint
    from unnest($1::int[]) pid`,
};

async function tell(
  client: Client,
  pid: number,
  scope: Scope,
  signal: Exclude<Signal, "KILL">,
  now: number,
): Promise<readonly number[]> {
  const living = await lockLiving(client, pid, scope);
  if (living.length === 0) return living;
  await client.query(changes[signal], [living, now]);
  const body = canonicalJson({ signal });
  await appendRecord(client, living, { kind: "signal", at: now, body });
  await wake(client, living);
  return living;
}
