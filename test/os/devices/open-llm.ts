/** The device over one engine, its calls made as the kernel makes them, without the gates. */
import assert from "node:assert/strict";
import type { Engine } from "../../../src/llm/inference/engine.ts";
import type { Device } from "../../../src/os/devices/device.ts";
import { createLlmDevice, type LlmDeviceOptions } from "../../../src/os/devices/llm.ts";
import type { CallContext, CallResult } from "../../../src/os/kernel/syscall.ts";
import {
  createScheduler,
  type Scheduler,
  type SchedulerOptions,
} from "../../../src/os/scheduler/scheduler.ts";
import { fromUser } from "../../../src/os/security/label.ts";
import { type Json, labelled } from "../../../src/os/security/labelled.ts";

export interface OpenedLlm extends AsyncDisposable {
  readonly device: Device;
  readonly scheduler: Scheduler;
  call(name: string, args: object, context?: Partial<CallContext>): Promise<CallResult>;
}

const usual = {
  ...{ pid: 1, call: 1, key: "1/1", again: false, owner: "me", fileTree: "1", since: 0 },
  ...{ capabilities: [], pc: fromUser, signal: new AbortController().signal },
} as unknown as CallContext;

/** @param engine named "tiny"; the device's to dispose of here */
export function openDevice(
  engine: Engine,
  scheduling: SchedulerOptions = {},
  options: Partial<LlmDeviceOptions> = {},
): OpenedLlm {
  const scheduler = createScheduler({ quantum: 8, ...scheduling });
  const device = createLlmDevice({ engines: new Map([["tiny", engine]]), scheduler, ...options });
  return {
    device,
    scheduler,
    call: (name, args, context = {}) => {
      const row = device.calls.find((one) => one.name === `llm.${name}`);
      assert.ok(row);
      return row.run(labelled(args as Json, fromUser), { ...usual, ...context });
    },
    async [Symbol.asyncDispose]() {
      await device[Symbol.asyncDispose]();
      await engine[Symbol.asyncDispose]();
    },
  };
}

export interface Reply {
  readonly message: { readonly content: string; readonly toolCalls?: readonly object[] };
  readonly finishReason: string;
  readonly usage: Readonly<Record<string, number>>;
}

export const replyOf = ({ value }: CallResult): Reply => value as unknown as Reply;
