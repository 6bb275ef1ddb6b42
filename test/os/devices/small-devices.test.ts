/** Calculator, clock and human: values, labels, and errors without the argument's text. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { createCalculatorDevice } from "../../../src/os/devices/calculator.ts";
import { createClockDevice } from "../../../src/os/devices/clock.ts";
import type { Device } from "../../../src/os/devices/device.ts";
import { createHumanDevice } from "../../../src/os/devices/human.ts";
import { DeviceError } from "../../../src/os/kernel/device-error.ts";
import type { CallContext, CallResult } from "../../../src/os/kernel/syscall.ts";
import { bottom, fromUser, labelOf } from "../../../src/os/security/label.ts";
import { type Json, labelled } from "../../../src/os/security/labelled.ts";
import { contextOf } from "./files-scene.ts";

function call(
  device: Device,
  name: string,
  args: Json,
  context: Partial<CallContext> = {},
): Promise<CallResult> {
  const row = device.calls.find((one) => one.name === name);
  assert.ok(row !== undefined);
  return row.run(labelled(args, fromUser), { ...contextOf({}), ...context });
}

test("the calculator is exact, and adds no source of its own", async () => {
  const device = createCalculatorDevice();
  const { value, labels } = await call(device, "calculator.evaluate", { expression: "24*78+1/4" });
  assert.equal(value, "1872.25");
  assert.deepEqual(labels, { label: bottom });
  const third = await call(device, "calculator.evaluate", { expression: "-2^64/3" });
  assert.equal(third.value, "-18446744073709551616/3");
  const wrong = call(device, "calculator.evaluate", { expression: "rm -rf" });
  await assert.rejects(wrong, (error: unknown) => {
    assert.ok(error instanceof DeviceError);
    assert.ok(!error.message.includes("rm"));
    return true;
  });
});

test("the clock shows a zone's own time", async () => {
  const device = createClockDevice({ now: () => Date.UTC(2024, 4, 16, 22, 3) });
  const utc = await call(device, "clock.now", {});
  assert.equal((utc.value as { text: string }).text, "Thursday 2024-05-16 22:03 UTC");
  assert.deepEqual(utc.labels, { label: labelOf("config") });
  const berlin = await call(device, "clock.now", { zone: "Europe/Berlin" });
  assert.equal((berlin.value as { text: string }).text, "Friday 2024-05-17 00:03 Europe/Berlin");
  await assert.rejects(call(device, "clock.now", { zone: "Mars/Crater" }), /IANA/);
});

test("a question is inert, says where it comes from, and its answer is the user's", async () => {
  let card: Json = null;
  const ask = async (shown: Json) => {
    card = shown;
    return "yes";
  };
  const device = createHumanDevice();
  const question = "pay\u202e 100?\u001b[2J";
  const { value, labels } = await call(device, "human.ask", { question }, { ask });
  assert.equal(value, "yes");
  assert.deepEqual(labels, { label: fromUser });
  assert.deepEqual(card, { question: "pay\\u{202e} 100?\\u{1b}[2J", from: ["user"] });
  const told = await call(device, "human.tell", { text: "done\u001b[2J" });
  assert.equal(told.value, "done\\u{1b}[2J");
});
