/**
 * Rights at run time. What is granted is added; what is revoked goes from the process and from all
 * that descends from it, together with every right that could cover such a call.
 */

import { NutshellError } from "../../error.ts";
import { canonicalJson } from "../security/canonical.ts";
import { type Capability, isCapability } from "../security/capability.ts";
import type { Json } from "../security/labelled.ts";
import { appendRecord } from "./journal.ts";
import { type Client, needRow } from "./process-row.ts";
import type { KernelState } from "./state.ts";
import { wake } from "./wakeups.ts";

/** @throws NutshellError PROCESS, USAGE for what is no capability */
export async function grant(
  state: KernelState,
  pid: number,
  capability: Capability,
): Promise<void> {
  if (!isCapability(capability)) {
    const text = "grant: needs a call and known limits (oneOf, under, host, atMost), got others.";
    throw new NutshellError("USAGE", text);
  }
  await state.database.transaction(async (client) => {
    await client.query("select from process where pid = $1 for no key update", [pid]);
    const row = await needRow(client, pid, "grant");
    if (row.ended_at !== null)
      throw new NutshellError(
        "PROCESS",
        `grant: a process must live, got pid ${pid}, which ended.`,
      );
    const rights = [...(JSON.parse(row.capabilities) as Capability[]), capability];
    await write(client, pid, rights, { granted: capability as unknown as Json }, state.now());
  });
}

/** @returns how many rights went, over the whole tree. @throws NutshellError PROCESS */
export async function revoke(state: KernelState, pid: number, call: string): Promise<number> {
  return await state.database.transaction(async (client) => {
    const { rows } = await client.query<{ pid: number; capabilities: string }>(
      `select pid, capabilities from process where path @> array[$1::int] order by pid
       for no key update`,
      [pid],
    );
    if (rows.length === 0) await needRow(client, pid, "revoke");
    let gone = 0;
    for (const row of rows) {
      const held = JSON.parse(row.capabilities) as Capability[];
      const kept = held.filter((one) => !overlap(one.call, call));
      if (kept.length === held.length) continue;
      gone += held.length - kept.length;
      await write(client, row.pid, kept, { revoked: call }, state.now());
    }
    return gone;
  });
}

/** Whether some call is named by both patterns. */
function overlap(a: string, b: string): boolean {
  return names(a, b) || names(b, a);
}

function names(pattern: string, call: string): boolean {
  if (pattern === "*" || pattern === call) return true;
  return pattern.endsWith(".*") && call.startsWith(pattern.slice(0, -1));
}

async function write(
  client: Client,
  pid: number,
  rights: readonly Capability[],
  what: Json,
  at: number,
): Promise<void> {
  const text = canonicalJson(rights as unknown as Json);
  await client.query("update process set capabilities = $2, rights = rights + 1 where pid = $1", [
    pid,
    text,
  ]);
  await appendRecord(client, [pid], { kind: "grant", at, body: canonicalJson(what) });
  await wake(client, [pid]);
}
