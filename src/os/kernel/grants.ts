/**
 * Rights at run time. What is granted is added; what is revoked goes from the process and from all
 * that descends from it, together with every right that could cover such a call.
 */
import { NutshellError } from "../../error.ts";
import { canonicalJson } from "../security/canonical.ts";
import { type Capability, isCapability, narrow } from "../security/capability.ts";
import type { Json } from "../security/labelled.ts";
import { DeviceError } from "./device-error.ts";
import { appendRecord } from "./journal.ts";
import { type Client, needRow } from "./process-row.ts";
import type { KernelState } from "./state.ts";
import { wake } from "./wakeups.ts";

/** Of all rights of a process: each call is looked up in them, and each list shows them. */
const MOST_CHARS = 2 ** 20;

/**
 * @param giver a process that hands it on: cut down to what that has at this very moment
 * @throws NutshellError PROCESS, USAGE for what is no capability; DeviceError CAPABILITY
 */
export async function grant(
  state: KernelState,
  pid: number,
  capability: Capability,
  giver?: number,
): Promise<void> {
  if (!isCapability(capability)) {
    const text = "grant: needs a call and known limits (oneOf, under, host, atMost), got others.";
    throw new NutshellError("USAGE", text);
  }
  await state.database.transaction(async (client) => {
    await client.query("select from process where pid = any($1) order by pid for no key update", [
      [pid, ...(giver === undefined ? [] : [giver])],
    ]);
    const row = await needRow(client, pid, "grant");
    if (row.ended_at !== null)
      throw new NutshellError(
        "PROCESS",
        `grant: a process must live, got pid ${pid}, which ended.`,
      );
    const given = giver === undefined ? capability : await handOn(client, giver, capability);
    const rights = [...(JSON.parse(row.capabilities) as Capability[]), given];
    await write(client, pid, rights, { granted: given as unknown as Json }, state.now());
  });
}

/** The right as its giver can give it: it ends with the giver's own. */
async function handOn(client: Client, giver: number, asked: Capability): Promise<Capability> {
  const { capabilities } = await needRow(client, giver, "grant");
  const [given] = narrow([asked], JSON.parse(capabilities) as Capability[]).granted;
  if (given !== undefined) return given;
  const message = "process.grant: a right must lie within one's own, got a wider one.";
  throw new DeviceError(message, { code: "CAPABILITY" });
}

/** @returns how many rights went, over the whole tree. @throws NutshellError PROCESS */
export async function revoke(state: KernelState, pid: number, call: string): Promise<number> {
  return await state.database.transaction(async (client) => {
    await needRow(client, pid, "revoke");
    let gone = 0;
    // Who spawns or hands on locks its own row first: what came meanwhile, the next look sees.
    for (let found = -1; found !== 0; gone += found) {
      found = await revokeOnce(client, pid, call, state.now());
    }
    return gone;
  });
}

/** @returns how many rights went from those that a look finds */
async function revokeOnce(client: Client, pid: number, call: string, at: number): Promise<number> {
  const { rows } = await client.query<{ pid: number; capabilities: string }>(
    `select pid, capabilities from process where path @> array[$1::int] order by pid
     for no key update`,
    [pid],
  );
  let gone = 0;
  for (const row of rows) {
    const held = JSON.parse(row.capabilities) as Capability[];
    const kept = held.filter((one) => !overlap(one.call, call));
    if (kept.length === held.length) continue;
    gone += held.length - kept.length;
    await write(client, row.pid, kept, { revoked: call }, at);
  }
  return gone;
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
  if (text.length > MOST_CHARS) {
    const rule = `a process's rights must have ${MOST_CHARS} characters at most`;
    throw new DeviceError(`grant: ${rule}, got more. Revoke some.`, { code: "CAPABILITY" });
  }
  await client.query("update process set capabilities = $2, rights = rights + 1 where pid = $1", [
    pid,
    text,
  ]);
  await appendRecord(client, [pid], { kind: "grant", at, body: canonicalJson(what) });
  await wake(client, [pid]);
}
