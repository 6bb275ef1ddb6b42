/** Which tools a model is offered, what its calls mean, and handles that tell nothing. */
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { createCalculatorDevice } from "../../../src/os/devices/calculator.ts";
import { createClockDevice } from "../../../src/os/devices/clock.ts";
import { createHumanDevice } from "../../../src/os/devices/human.ts";
import { createHandles } from "../../../src/os/planner/handle-table.ts";
import {
  plannerTools,
  readToolCall,
  tokensOfTools,
} from "../../../src/os/planner/planner-tools.ts";
import { fromUser, join, labelOf } from "../../../src/os/security/label.ts";
import { type Json, labelled, wholeLabel } from "../../../src/os/security/labelled.ts";

const devices = [createCalculatorDevice(), createClockDevice(), createHumanDevice()];
const rows = devices.flatMap(({ calls }) => calls);
const names = rows.map(({ name }) => name);
const web = labelOf("origin:evil.example", new Set(["ann"]));

test("a small model gets what it was trained with, a large one all that fits", () => {
  const small = plannerTools(rows, names, 1024).map(({ definition }) => definition.name);
  assert.deepEqual(small, ["calculator", "clock"]);
  const large = plannerTools(rows, names, 100_000);
  assert.deepEqual(
    large.map(({ row }) => row.name),
    ["calculator.evaluate", "clock.now", "human.ask"],
  );
  for (const { definition } of large) assert.match(definition.name, /^[A-Za-z0-9_-]{1,64}$/);
  const many = Array.from({ length: 500 }, (_, i) => ({
    ...(rows[0] ?? assert.fail()),
    name: `a.b${i}`,
  }));
  const some = plannerTools(
    many,
    many.map(({ name }) => name),
    8192,
  );
  assert.ok(some.length > 0 && some.length < 500);
  assert.ok(
    tokensOfTools(
      some.map(({ definition }) => definition),
      8192,
    ) <=
      8192 / 2 + 1,
  );
  assert.deepEqual(
    plannerTools(rows, ["clock.now"], 1024).map(({ row }) => row.name),
    ["clock.now"],
  );
});

test("any text of a call is a call or a fault that names the tools", () => {
  const tools = plannerTools(rows, names, 100_000);
  fc.assert(
    fc.property(
      fc.oneof(fc.constantFrom("clock_now", "x"), fc.string()),
      fc.oneof(fc.json(), fc.string()),
      (name, text) => {
        const read = readToolCall({ name, arguments: text }, tools);
        if ("fault" in read) assert.match(read.fault, /^error: /);
        else assert.ok(typeof read.args === "object" && !Array.isArray(read.args));
      },
    ),
  );
});

test("a handle's value goes where it is named, with its label, and its own words keep theirs", () => {
  const handles = createHandles();
  const value = { text: "secret", list: [{ to: "x@y" }], __proto__x: 1 };
  assert.equal(handles.add(labelled(value, web)), "$1");
  const args = { a: "$1.text", b: ["$1.list[0].to", "mine"], c: "say {{$1.text}}!", d: 7 };
  const resolved = handles.resolve(args, fromUser);
  assert.deepEqual(resolved.value, { a: "secret", b: ["x@y", "mine"], c: "say secret!", d: 7 });
  const parts = resolved.labels.parts as ReadonlyMap<string, { readonly label: typeof web }>;
  const both = join(fromUser, web);
  assert.deepEqual(parts.get("a")?.label, both);
  assert.deepEqual(parts.get("c")?.label, both);
  assert.deepEqual(parts.get("d")?.label, fromUser);
  assert.deepEqual(wholeLabel(resolved.labels), both);
});

test("what a value lacks is null with its label, whatever is asked for", () => {
  const handles = createHandles();
  handles.add(labelled({ a: [1] }, web));
  for (const path of [
    "$1.b",
    "$1.a[5]",
    "$1.a.length",
    "$1.constructor",
    "$1.__proto__",
    "$1.a[0].x",
  ]) {
    const { value, labels } = handles.resolve(path, fromUser);
    assert.equal(value, null, path);
    assert.ok(wholeLabel(labels).integrity.has("origin:evil.example"), path);
  }
  assert.equal(handles.resolve("$2", fromUser).value, "$2", "no handle: the planner's own word");
});

test("no text and no reference makes a handle throw or reach a prototype", () => {
  const handles = createHandles();
  handles.add(labelled({ a: "x" }, web));
  fc.assert(
    fc.property(fc.oneof(fc.string(), fc.stringMatching(/^\$1[.[\]\w{}]*$/)), (text) => {
      const { value } = handles.resolve(text as Json, fromUser);
      assert.ok(value === null || ["string", "object"].includes(typeof value));
      handles.fill(`{{${text}}}`, fromUser);
    }),
  );
});
