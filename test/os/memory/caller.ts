/** Makes memory's calls as the kernel does, without its gates: one process, numbered calls. */
import type { CallContext, CallResult } from "../../../src/os/kernel/syscall.ts";
import type { Memory } from "../../../src/os/memory/memory.ts";
import type { Capability } from "../../../src/os/security/capability.ts";
import { bottom, fromUser } from "../../../src/os/security/label.ts";
import { type Json, type LabelTree, labelled } from "../../../src/os/security/labelled.ts";

export interface Caller {
  readonly pid: number;
  /** @param again number of an earlier call, to repeat it */
  call(name: string, args: Json, labels?: LabelTree, again?: number): Promise<CallResult>;
  /** Calls so far. */
  readonly calls: number;
}

export interface CallerOptions {
  readonly owner?: string;
  readonly capabilities?: readonly Capability[];
}

const AT = 1_700_000_000_000;

export function createCaller(memory: Memory, pid: number, options: CallerOptions = {}): Caller {
  const { owner = "ann", capabilities = [] } = options;
  let calls = 0;
  const contextOf = (call: number): CallContext => ({
    ...{ pid, call, key: `${pid}/${call}`, again: false, owner, fileTree: "", capabilities },
    ...{ pc: bottom, signal: new AbortController().signal, since: AT + call },
    ...({} as Pick<CallContext, "spawnOnHost" | "ask">),
  });
  return {
    pid,
    get calls() {
      return calls;
    },
    call(name, args, labels = { label: fromUser }, again) {
      const row = memory.calls.find((one) => one.name === name);
      if (row === undefined) throw new Error(`no call ${name}`);
      const number = again ?? ++calls;
      return row.run({ ...labelled(args, labels.label), labels }, contextOf(number));
    },
  };
}
