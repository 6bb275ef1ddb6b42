/** The first gate alone: what schemas of foreign servers may do to it. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { createArgumentCheck } from "../../../src/os/kernel/gates/arguments.ts";
import type { Syscall } from "../../../src/os/kernel/syscall.ts";

test("a schema that refers to itself without end refuses, and the kernel lives", () => {
  const row: Syscall = {
    ...{ name: "evil.loop", doc: "", effect: "pure", access: "read", sinks: {} },
    args: { type: "object", additionalProperties: false, $ref: "#" },
    run: () => Promise.resolve({ value: null }),
  };
  const check = createArgumentCheck([row]);
  assert.match(check(row, {}) ?? "", /comes to an end/);
  assert.match(check(row, {}) ?? "", /comes to an end/);
});
