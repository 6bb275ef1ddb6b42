/**
 * A timeline's keys and values out of its pages and into others: what a snapshot holds. Both run
 * while no program does.
 */
import { NutshellError } from "../../error.ts";
import type { ModelConfig } from "../model/config.ts";
import type { Precision } from "../model/transformer.ts";
import type { EnginePrograms } from "./engine-programs.ts";
import type { KvState } from "./snapshot.ts";
import {
  beginTimeline,
  closeTimeline,
  type Memory,
  overloaded,
  type Timeline,
  tryReserve,
} from "./timeline.ts";

/** What an engine has that a timeline's state lies in. */
export interface KvParts {
  readonly config: ModelConfig;
  readonly precision: Precision;
  readonly programs: EnginePrograms;
  readonly memory: Memory;
  readonly fingerprint: string;
  readonly contextLen: number;
}

/** Of one token in one tensor. */
const bytesOfToken = ({ config, precision }: KvParts): number =>
  config.nKvHead * config.headDim * (precision === "bf16" ? 2 : 4);

/** Ids, and their keys and values token by token. */
export async function readState(parts: KvParts, timeline: Timeline): Promise<KvState> {
  const { config, precision, programs, memory, fingerprint } = parts;
  const ids = [...timeline.ids];
  const computed = Math.min(timeline.computed, Math.max(0, ids.length - 1));
  const size = bytesOfToken(parts);
  const tensors = Array.from({ length: 2 * config.nLayer }, () => new Uint8Array(computed * size));
  const pageSize = memory.pageLen * size;
  for (let first = 0; first < computed; first += memory.pageLen) {
    const page = await programs.readPage(timeline.pages[first / memory.pageLen] as number);
    const count = Math.min(memory.pageLen, computed - first) * size;
    for (const [i, tensor] of tensors.entries())
      tensor.set(page.subarray(i * pageSize, i * pageSize + count), first * size);
  }
  return { fingerprint, ids, computed, dtype: precision, tensors };
}

/** @throws CONTEXT, OVERLOADED */
export async function writeState(parts: KvParts, state: KvState): Promise<Timeline> {
  const { memory, contextLen } = parts;
  const { ids, computed, tensors } = state;
  if (ids.length > contextLen)
    throw new NutshellError(
      "CONTEXT",
      `restore: a timeline must fit into a context of ${contextLen} tokens, got ${ids.length}.`,
    );
  // Its keys and values come from outside: others shall not get them.
  const timeline = beginTimeline(memory, false);
  if (!(await tryReserve(timeline, computed))) throw overloaded(memory, computed);
  try {
    await writePages(parts, timeline, tensors);
  } catch (error) {
    closeTimeline(timeline);
    throw error;
  }
  for (const id of ids) timeline.ids.push(id);
  timeline.computed = computed;
  return timeline;
}

async function writePages(
  parts: KvParts,
  { pages }: Timeline,
  tensors: readonly Uint8Array[],
): Promise<void> {
  const pageSize = parts.memory.pageLen * bytesOfToken(parts);
  for (const [index, page] of pages.entries()) {
    const bytes = new Uint8Array(tensors.length * pageSize);
    for (const [i, tensor] of tensors.entries())
      bytes.set(tensor.subarray(index * pageSize, (index + 1) * pageSize), i * pageSize);
    await parts.programs.writePage(page, bytes);
  }
}
