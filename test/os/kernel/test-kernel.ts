/**
 * A kernel over a real Postgres for one test file, with a few system calls of every effect class
 * whose effects are counted outside of the database.
 */
import assert from "node:assert/strict";
import type { Database } from "../../../src/durable/database.ts";
import { bootKernel } from "../../../src/os/kernel/boot.ts";
import type { Kernel } from "../../../src/os/kernel/kernel.ts";
import type { KernelOptions } from "../../../src/os/kernel/options.ts";
import type { Exit, Program, SpawnRequest, Sys } from "../../../src/os/kernel/process.ts";
import type { Outcome, Syscall } from "../../../src/os/kernel/syscall.ts";
import type { Capability } from "../../../src/os/security/capability.ts";
import { fromUser, type Label } from "../../../src/os/security/label.ts";
import { type Json, type Labelled, labelled } from "../../../src/os/security/labelled.ts";

/** Boots on this database; programs and rows as given. */
export function boot(
  database: Database,
  programs: Readonly<Record<string, Program>>,
  more: Partial<KernelOptions> = {},
): Promise<Kernel> {
  return bootKernel({ database, executorId: "test", syscalls: [], programs, ...more });
}

export function typed(value: Json): Labelled {
  return labelled(value, fromUser);
}

export const everything: readonly Capability[] = [{ call: "*" }];

/** Runs a program as the first of a tree, and gives its end. */
export async function runToEnd(
  kernel: Kernel,
  program: string,
  more: Partial<SpawnRequest> = {},
): Promise<Exit> {
  const request = { program, input: typed(null), capabilities: everything, ...more };
  return await kernel.wait(await kernel.spawn(request));
}

/** The value that a program returned. */
export function returned(exit: Exit): Json {
  assert.equal(exit.how, "returned", JSON.stringify(exit));
  return exit.how === "returned" ? exit.value : null;
}

/** The value of a call that must succeed. */
export function okValue(outcome: Outcome): Json {
  assert.equal(outcome.status, "ok", JSON.stringify(outcome));
  return outcome.status === "ok" ? outcome.value.value : null;
}

export function codeOf(outcome: Outcome): string {
  return outcome.status === "error" ? outcome.error.code : outcome.status;
}

/** A call with arguments that the user typed. */
export function ask(sys: Sys, name: string, args: Json, pc?: Label): Promise<Outcome> {
  return sys.call(name, typed(args), pc);
}

/** A row with one free argument, whose runs are told to `ran`. */
export function row(
  name: string,
  effect: Syscall["effect"],
  run: Syscall["run"],
  more: Partial<Syscall> = {},
): Syscall {
  return {
    ...{ name, doc: "A test's call.", effect, run },
    args: { type: "object", properties: { value: {} }, additionalProperties: false },
    ...{ access: "read", sinks: { value: "neutral" }, ...more },
  };
}
