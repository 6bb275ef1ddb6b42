/**
 * `ticket.wait`: what a person found out of an outcome that was unknown. With it a program can do
 * what it would have done: go on where the effect happened, and make a new call where it did not.
 */
import { joinAll, labelOf } from "../../security/label.ts";
import type { Json, Labelled } from "../../security/labelled.ts";
import { DeviceError } from "../device-error.ts";
import type { KernelState } from "../state.ts";
import type { CallContext, CallResult, Syscall } from "../syscall.ts";
import { readTicket } from "../tickets.ts";
import { closed, kernelLabel, neutral, pidSchema } from "./row.ts";

export function ticketCalls(state: KernelState): readonly Syscall[] {
  return [
    {
      name: "ticket.wait",
      doc: "Waits for a person to say whether a call of unknown outcome happened.",
      args: closed({ ticket: pidSchema }, ["ticket"]),
      ...{ effect: "idempotent", access: "read", sinks: neutral("ticket"), waits: true },
      run: (args, context) => waitForPerson(state, args, context),
    },
  ];
}

async function waitForPerson(
  state: KernelState,
  { value }: Labelled,
  context: CallContext,
): Promise<CallResult> {
  const { ticket } = value as { readonly ticket: number };
  const look = async (): Promise<string | undefined> => {
    const row = await readTicket(state.database.pool, ticket);
    if (row?.pid !== context.pid || row.kind !== "unknown") throw notYours(ticket);
    return row.answer ?? undefined;
  };
  const text = await state.wakeups.until(context.pid, look, context.signal);
  const answer = JSON.parse(text) as { readonly kind: string; readonly value?: Json };
  const said = { happened: answer.kind === "happened", value: answer.value ?? null };
  const label = joinAll([kernelLabel(context), labelOf("user", new Set([context.owner]))]);
  return { value: said, labels: { label } };
}

function notYours(ticket: number): DeviceError {
  const message = `ticket.wait: it must be your own of an unknown outcome, got ticket ${ticket}.`;
  return new DeviceError(message, { code: "NO_PROCESS" });
}
