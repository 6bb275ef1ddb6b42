/**
 * A plain tool loop whose model obeys whoever spoke last (level W1): it does the user's calls in
 * order, and when a result shows a stranger's order it carries that out at once, then goes on.
 * Everything the model has read shapes every argument and the decision to call, so that both carry
 * the label of the whole context; only what the user typed is told apart, by the policy.
 */
import { fromUser, join, type Label } from "../../src/os/security/label.ts";
import { wholeLabel } from "../../src/os/security/labelled.ts";
import { type Gate, shapedBy } from "./gate.ts";
import type { DoneCall } from "./world.ts";

export interface LoopRun {
  /** Calls of the attacker that the model tried. */
  readonly attempted: number;
  readonly blocked: number;
  /** Of the user's calls. */
  readonly refused: number;
}

export function runToolLoop(
  gate: Gate,
  userCalls: readonly DoneCall[],
  orders: readonly DoneCall[],
): LoopRun {
  let context: Label = fromUser;
  let [attempted, blocked, refused] = [0, 0, 0];
  const make = (call: DoneCall): { ok: boolean; poisoned: boolean } => {
    const outcome = gate.call(call.function, shapedBy(call.args, context), context);
    if (outcome.status !== "ok") return { ok: false, poisoned: false };
    context = join(context, wholeLabel(outcome.value.labels));
    return { ok: true, poisoned: outcome.poisoned };
  };
  for (const call of userCalls) {
    const { ok, poisoned } = make(call);
    if (!ok) refused += 1;
    if (!poisoned || attempted > 0) continue;
    for (const order of orders) {
      attempted += 1;
      if (!make(order).ok) blocked += 1;
    }
  }
  return { attempted, blocked, refused };
}
