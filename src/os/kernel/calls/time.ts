/** `time.*`: waits that outlive every daemon, because they count from the journaled intent. */
import { setTimeout as sleep } from "node:timers/promises";
import type { KernelState } from "../state.ts";
import type { CallContext, CallResult, Syscall } from "../syscall.ts";
import { closed, kernelResult, msSchema, neutral } from "./row.ts";

export function timeCalls({ now }: Pick<KernelState, "now">): readonly Syscall[] {
  return [
    {
      name: "time.sleep",
      doc: "Waits for so many milliseconds.",
      args: closed({ ms: msSchema }, ["ms"]),
      ...{ effect: "pure", access: "read", sinks: neutral("ms"), waits: true },
      run: ({ value }, context) => {
        const { ms } = value as { ms: number };
        return sleepUntil(now, context.since + ms, context);
      },
    },
    {
      name: "time.until",
      doc: "Waits until a time, in milliseconds since 1970.",
      args: closed({ at: msSchema }, ["at"]),
      ...{ effect: "pure", access: "read", sinks: neutral("at"), waits: true },
      run: ({ value }, context) => sleepUntil(now, (value as { at: number }).at, context),
    },
  ];
}

async function sleepUntil(
  now: KernelState["now"],
  at: number,
  context: CallContext,
): Promise<CallResult> {
  for (let left = at - now(); left > 0; left = at - now()) {
    // Node's timers end at 2^31 - 1 ms, and may ring a little early.
    await sleep(Math.min(Math.ceil(left), 2 ** 31 - 1), undefined, { signal: context.signal });
  }
  return kernelResult(null, context);
}
