/**
 * Processes by the clock: the executor's schedules start one workflow per tick, however many
 * daemons there are, and that spawns a process under the tick's own key.
 */
import { bottom } from "../security/label.ts";
import type { CronEntry } from "./kernel.ts";
import { fromLabelledText, toLabelledText } from "./process-row.ts";
import { spawn } from "./spawn.ts";
import type { KernelState } from "./state.ts";

/** As the executor keeps it: labels are text. */
interface Stored {
  readonly name: string;
  readonly request: Omit<CronEntry["request"], "input"> & { readonly input: string };
}

/** The workflow of one tick. */
export async function tick(state: KernelState, at: Date, stored: Stored): Promise<void> {
  const key = `${state.instance}:cron:${stored.name}:${at.toISOString()}`;
  const request = { ...stored.request, input: fromLabelledText(stored.request.input), key };
  await spawn(state, { request, pc: bottom });
}

export async function schedule(state: KernelState, entry: CronEntry): Promise<void> {
  const { name, cron, timeZone, request } = entry;
  const context: Stored = { name, request: { ...request, input: toLabelledText(request.input) } };
  const executor = await state.executor;
  await executor.schedule({
    ...{ name, cron, context, workflow: "tick" },
    ...(timeZone !== undefined && { timeZone }),
  });
}

export async function listSchedules(state: KernelState): Promise<readonly CronEntry[]> {
  const schedules = await (await state.executor).schedules();
  return schedules.map(({ name, cron, timeZone, context }) => {
    const { request } = context as Stored;
    const entry = { name, cron, request: { ...request, input: fromLabelledText(request.input) } };
    return timeZone === undefined ? entry : { ...entry, timeZone };
  });
}
