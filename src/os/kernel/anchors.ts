/**
 * Anchors: the heads of all journals that grew, signed, in a file outside the database, a line each
 * time. Who can rewrite every table can still not make a journal shorter or different than it once
 * was without the file telling. Format: {"at", "heads": [[pid, index, hash]], "mac"}.
 */
import { createHmac } from "node:crypto";
import { appendFileSync, readFileSync } from "node:fs";
import { NutshellError } from "../../error.ts";
import { canonicalJson } from "../security/canonical.ts";
import type { KernelState } from "./state.ts";

export type Head = readonly [pid: number, index: number, hash: string];

/** @returns how many journals had grown */
export async function anchor(state: KernelState): Promise<number> {
  const { anchorFile, key } = state;
  if (anchorFile === undefined) return 0;
  const { rows } = await state.database.pool.query<{ pid: number; index: number; hash: string }>(
    `select pid, head_index as index, head_hash as hash from process
     where head_index > anchored order by pid limit 1000`,
  );
  if (rows.length === 0) return 0;
  const heads = rows.map(({ pid, index, hash }): Head => [pid, index, hash]);
  const signed = { at: state.now(), heads };
  // Begins a line of its own, whatever a crash left before it.
  appendFileSync(anchorFile, `\n${canonicalJson({ ...signed, mac: macOf(key, signed) })}\n`, {
    mode: 0o600,
    flush: true,
  });
  await state.database.pool.query(
    `update process p set anchored = greatest(anchored, h.index)
     from unnest($1::int[], $2::int[]) h (pid, index) where p.pid = h.pid`,
    [heads.map(([pid]) => pid), heads.map(([, index]) => index)],
  );
  return rows.length;
}

interface Signed {
  readonly at: number;
  readonly heads: readonly Head[];
}

function macOf(key: Uint8Array, { at, heads }: Signed): string {
  return createHmac("sha256", key).update(canonicalJson({ at, heads })).digest("hex");
}

/**
 * Every head that was ever anchored; lines that do not check are told as problems. A line without
 * its end is one that a crash cut off: its heads were anchored again.
 */
export function readAnchors(state: Pick<KernelState, "anchorFile" | "key">): {
  readonly heads: readonly Head[];
  readonly problems: readonly string[];
} {
  if (state.anchorFile === undefined) return { heads: [], problems: [] };
  const lines = readLines(state.anchorFile)
    .split("\n")
    .filter((line) => line.endsWith("}"));
  const heads: Head[] = [];
  const problems: string[] = [];
  for (const [index, line] of lines.entries()) {
    const signed = tryVerify(state.key, line);
    if (signed === undefined) problems.push(`anchor ${index + 1} is not signed by this system`);
    else heads.push(...signed.heads);
  }
  return { heads, problems };
}

function tryVerify(key: Uint8Array, line: string): Signed | undefined {
  try {
    const { mac, ...signed } = JSON.parse(line) as Signed & { mac: string };
    return mac === macOf(key, signed) ? signed : undefined;
  } catch {
    return undefined;
  }
}

function readLines(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return "";
    throw new NutshellError("JOURNAL", `${path}: anchors must be readable, got an error.`, {
      cause: error,
    });
  }
}
