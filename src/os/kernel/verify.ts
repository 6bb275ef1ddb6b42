/**
 * Checks every journal against itself, the process table and the anchors. Independent of how
 * records are written: hashes are computed here again, from the rows alone. A record that was
 * changed, cut, put in or moved breaks its chain at the place that is told.
 */
import { createHash } from "node:crypto";
import { type Head, readAnchors } from "./anchors.ts";
import { readJournal } from "./journal.ts";
import type { JournalCheck, JournalRecord } from "./kernel.ts";
import type { Client } from "./process-row.ts";
import type { KernelState } from "./state.ts";

type Problem = JournalCheck["problems"][number];

/** Of one moment: processes may go on meanwhile. */
export async function verifyJournal(state: KernelState): Promise<JournalCheck> {
  return await state.database.transaction(async (client) => {
    await client.query("set transaction isolation level repeatable read, read only");
    return await verifyIn(client, state);
  });
}

async function verifyIn(client: Client, state: KernelState): Promise<JournalCheck> {
  // Read before the tables: whatever is anchored by now is in them.
  const { heads, problems: unsigned } = readAnchors(state);
  const problems: Problem[] = unsigned.map((text) => ({ pid: 0, index: 0, text }));
  const all = await client.query<{ pid: number; index: number; hash: string }>(
    `select pid, head_index as index, head_hash as hash from process
     union select pid, 0, '' from journal where pid not in (select pid from process) order by pid`,
  );
  const anchored = Map.groupBy(heads, ([pid]) => pid);
  let records = 0;
  for (const { pid, index, hash } of all.rows) {
    const chain = await readJournal(client, pid);
    records += chain.length;
    problems.push(...checkChain(pid, chain, [...(anchored.get(pid) ?? []), [pid, index, hash]]));
  }
  const known = new Set(all.rows.map(({ pid }) => pid));
  for (const pid of anchored.keys()) {
    if (!known.has(pid)) problems.push({ pid, index: 1, text: "the whole process is gone" });
  }
  return { ok: problems.length === 0, processes: all.rows.length, records, problems };
}

/** @param heads what the chain must contain. @returns the first problem of the chain, if any */
export function checkChain(
  pid: number,
  chain: readonly JournalRecord[],
  heads: readonly Head[],
): readonly Problem[] {
  let previous = "";
  for (const [place, record] of chain.entries()) {
    const index = place + 1;
    if (record.index !== index) return [{ pid, index, text: "a record is missing" }];
    if (record.hash !== hashOf(previous, record)) {
      return [{ pid, index, text: "the record does not continue the chain" }];
    }
    previous = record.hash;
  }
  const broken = heads.find(([, index, hash]) => index > 0 && chain[index - 1]?.hash !== hash);
  if (broken !== undefined) {
    const [, index] = broken;
    const text = chain.length < index ? "the end is cut off" : "another record stood here";
    return [{ pid, index, text }];
  }
  const [, last] = heads.at(-1) as Head;
  if (chain.length === last) return [];
  return [{ pid, index: chain.length, text: "a record stands behind the head" }];
}

/** SHA-256 over the lines: hash before, pid, index, kind, call or nothing, time, body. */
export function hashOf(previous: string, record: Omit<JournalRecord, "hash">): string {
  const { pid, index, kind, call = "", at, body } = record;
  const text = [previous, pid, index, kind, call, at, body].join("\n");
  return createHash("sha256").update(text).digest("hex");
}
