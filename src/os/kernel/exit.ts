/**
 * Ends of processes. One transaction turns a living process into a zombie with its exit; it is
 * `dead` once its parent waited for it. Children of a process that ended live on, adopted by the
 * kernel (parent 0), which waits for nobody: they are reaped when they end, as are processes that
 * a person or the clock started. A person may ask how a dead one ended.
 */
import { canonicalJson } from "../security/canonical.ts";
import { toLabelTreeJson } from "../security/label-json.ts";
import type { Json, LabelTree } from "../security/labelled.ts";
import { appendRecord } from "./journal.ts";
import { lasting } from "./lasting.ts";
import type { Exit } from "./process.ts";
import type { Client } from "./process-row.ts";
import { Parked, type Running } from "./running.ts";
import type { KernelState } from "./state.ts";
import { wake } from "./wakeups.ts";

/** How a program ended, and who shaped what it returned. */
export interface Ended {
  readonly exit: Exit;
  readonly labels?: LabelTree;
}

/** A signal that came first has decided. @throws Parked when another run took over */
export async function endProcess(
  state: KernelState,
  running: Running,
  ended: Ended,
): Promise<void> {
  const written = await lasting(state, () =>
    state.database.transaction(async (client) => {
      const { rows } = await client.query<{ runner: string; ended: boolean }>(
        `select runner, ended_at is not null as ended from process where pid = $1
         for no key update`,
        [running.pid],
      );
      if (rows[0]?.runner !== running.runner) return "lost";
      if (rows[0].ended) return "ended";
      await close(client, [running.pid], ended, state.now());
      return "ok";
    }),
  );
  await state.host.kill([running.pid]);
  if (written === "lost") throw new Parked();
}

/** Rows are locked, alive, and in the order of their numbers; parents may be among them. */
export async function close(
  client: Client,
  pids: readonly number[],
  { exit, labels }: Ended,
  now: number,
): Promise<void> {
  const exitText = canonicalJson(exit as unknown as Json);
  await appendRecord(client, pids, { kind: "exit", at: now, body: exitText });
  const { rows } = await client.query<{ parent: number | null }>(
    `update process p set exit = $2, exit_labels = $3, ended_at = $4, stopped = false,
       current = null, waits_for = null,
       state = case when coalesce(parent, 0) = 0 or parent = any($1) then 'dead' else 'zombie' end
     where pid = any($1) returning parent`,
    [pids, exitText, labels === undefined ? null : canonicalJson(toLabelTreeJson(labels)), now],
  );
  await client.query(
    `update process set parent = 0, state = case when state = 'zombie' then 'dead' else state end
     where parent = any($1) and pid <> all($1) and state <> 'dead'`,
    [pids],
  );
  // Nobody is left to hear an answer; of an unknown outcome a person still wants to know.
  await client.query(
    "update ticket set state = 'expired' where pid = any($1) and state = 'open' and kind <> 'unknown'",
    [pids],
  );
  await wake(client, [...pids, ...rows.flatMap(({ parent }) => (parent ? [parent] : []))]);
}
