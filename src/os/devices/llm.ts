/**
 * Language models as a device: generation, typed questions to a quarantined model, embeddings. Every
 * token goes through the scheduler.
 */
import type { Engine } from "../../llm/inference/engine.ts";
import type { Scheduler } from "../kernel/scheduler/scheduler.ts";
import type { Device } from "./device.ts";

export interface LlmDeviceOptions {
  /** By the name that processes know; the first is the default. The device does not own them. */
  readonly engines: ReadonlyMap<string, Engine>;
  readonly scheduler: Scheduler;
  /** Answers `llm.ask`; default: the first engine. */
  readonly quarantined?: string;
}

/** Rows llm.generate, llm.ask, llm.embed, llm.models. */
export function createLlmDevice({ engines }: LlmDeviceOptions): Device {
  return {
    name: "llm",
    calls: [],
    check: async () => ({ ok: engines.size > 0, text: [...engines.keys()].join(", ") }),
    [Symbol.asyncDispose]: async () => {},
  };
}
