/**
 * The time of day. It is read once and then stands in the journal, so that a process that runs
 * again from its start sees the same clock. The machine's clock is its owner's: label `config`.
 */

import { DeviceError } from "../kernel/device-error.ts";
import type { Syscall } from "../kernel/syscall.ts";
import { labelOf } from "../security/label.ts";
import type { Json } from "../security/labelled.ts";
import type { Device } from "./device.ts";

const fromConfig = { label: labelOf("config") };

export interface ClockOptions {
  /** Milliseconds since 1970; default the machine's clock. */
  readonly now?: () => number;
  /** IANA name of the zone where none is asked for; default "UTC". */
  readonly zone?: string;
}

export function createClockDevice({ now = Date.now, zone = "UTC" }: ClockOptions = {}): Device {
  const read: Syscall = {
    name: "clock.now",
    doc: 'Weekday, date and time, as in "Thursday 2024-05-16 14:03 UTC"; zone: an IANA name.',
    args: {
      type: "object",
      properties: { zone: { type: "string", maxLength: 64 } },
      additionalProperties: false,
    },
    effect: "idempotent",
    access: "read",
    sinks: { zone: "neutral" },
    run: async ({ value }) => {
      const asked = (value as { readonly zone?: string }).zone ?? zone;
      return { value: showTime(now(), asked), labels: fromConfig };
    },
  };
  return {
    name: "clock",
    calls: [read],
    check: async () => ({ ok: true, text: `zone ${zone}` }),
    [Symbol.asyncDispose]: async () => {},
  };
}

/** @throws DeviceError for a zone that does not exist */
function showTime(ms: number, zone: string): Json {
  const parts = partsAt(ms, zone);
  const date = `${parts.year}-${parts.month}-${parts.day}`;
  const text = `${parts.weekday} ${date} ${parts.hour}:${parts.minute} ${zone}`;
  return { text, iso: new Date(ms).toISOString(), ms, zone };
}

function partsAt(ms: number, zone: string): Readonly<Record<string, string>> {
  try {
    const format = new Intl.DateTimeFormat("en-GB", {
      timeZone: zone,
      hourCycle: "h23",
      weekday: "long",
      year: "numeric",
      month: "2-digit",
      day: "2-digit",
      hour: "2-digit",
      minute: "2-digit",
    });
    return Object.fromEntries(format.formatToParts(ms).map(({ type, value }) => [type, value]));
  } catch (cause) {
    const rule = "clock: zone must be an IANA name such as Europe/Berlin, got another.";
    throw new DeviceError(rule, { labels: fromConfig, cause });
  }
}
