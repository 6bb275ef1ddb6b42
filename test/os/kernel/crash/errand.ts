/**
 * A program of 200 system calls of all four effect classes in a fixed order, its state the value
 * that it returns. Where an outcome is unknown it waits for a person and makes the call again only
 * if it did not happen: then the end is the uninterrupted run's, effects included.
 */
import type { Boundary } from "../../../../src/os/kernel/options.ts";
import type { Sys } from "../../../../src/os/kernel/process.ts";
import type { Effect, Syscall } from "../../../../src/os/kernel/syscall.ts";
import type { Json, Labelled } from "../../../../src/os/security/labelled.ts";
import { ask, okValue, row, typed } from "../test-kernel.ts";
import type { World } from "./world.ts";

export const OPERATIONS = 200;
const effects: readonly Effect[] = ["pure", "idempotent", "reconcilable", "irreversible"];
const all: readonly Boundary[] = ["before-intent", "after-intent", "after-effect", "after-result"];

/** Fifty of each. */
export function effectOf(operation: number): Effect {
  return effects[operation % 4] as Effect;
}

/** A pure call has one record: before it and after it. */
export function boundariesOf(operation: number): readonly Boundary[] {
  return effectOf(operation) === "pure" ? ["before-intent", "after-result"] : all;
}

/** What the operation gives: known without running anything. */
export function resultOf(lane: number, operation: number): number {
  return (lane * 1_000_003 + operation * 7919) % 1_000_033;
}

/** State of the uninterrupted run, computed without a kernel. */
export function expectedState(lane: number): number {
  let state = 0;
  for (let i = 0; i < OPERATIONS; i += 1) state = fold(state, resultOf(lane, i));
  return state;
}

function fold(state: number, result: number): number {
  return (state * 31 + result) % 2_147_483_647;
}

interface Operation {
  readonly lane: number;
  readonly operation: number;
}

export function nameOf({ lane, operation }: Operation): string {
  return `${effectOf(operation)}:${lane}:${operation}`;
}

/** One row for each class; all but the pure one leave a line in the world. */
export function errandCalls(world: World): readonly Syscall[] {
  const result = ({ value }: Labelled): Json => {
    const { lane, operation } = (value as unknown as { value: Operation }).value;
    return resultOf(lane, operation);
  };
  const name = ({ value }: Labelled): string =>
    nameOf((value as unknown as { value: Operation }).value);
  return [
    row("do.pure", "pure", async (args) => ({ value: result(args) })),
    row("do.idempotent", "idempotent", async (args, { key }) => {
      world.happenOnce(name(args), key);
      return { value: result(args) };
    }),
    row(
      ...["do.reconcilable" as const, "reconcilable" as const],
      async (args, { key }) => {
        world.happen(name(args), key);
        return { value: result(args) };
      },
      {
        reconcile: async (args, { key }) =>
          world.has(key)
            ? { happened: true, result: { value: result(args) } }
            : { happened: false },
      },
    ),
    row("do.irreversible", "irreversible", async (args, { key }) => {
      world.happen(name(args), key);
      return { value: result(args) };
    }),
  ];
}

/** @param begins told of each call before it is made, with its number within the process */
export async function errand(
  sys: Sys,
  begins: (operation: number, call: number) => void,
): Promise<Labelled> {
  const lane = sys.input.value as number;
  let calls = 0;
  let state = 0;
  for (let operation = 0; operation < OPERATIONS; operation += 1) {
    for (let done = false; !done; ) {
      calls += 1;
      begins(operation, calls);
      const outcome = await ask(sys, `do.${effectOf(operation)}`, { value: { lane, operation } });
      if (outcome.status === "unknown") {
        calls += 1;
        const { ticket } = outcome;
        const said = okValue(await ask(sys, "ticket.wait", { ticket })) as { happened: boolean };
        done = said.happened;
      } else done = okValue(outcome) === resultOf(lane, operation);
    }
    state = fold(state, resultOf(lane, operation));
  }
  return typed(state);
}
