/** Labels: laws of the join, and that nothing is lost on the way through JSON. */
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { canonicalJson } from "../../../src/os/security/canonical.ts";
import {
  bottom,
  influenceBits,
  isTrusted,
  join,
  joinAll,
  type Label,
  labelOf,
  mayRead,
  meet,
  type Readers,
} from "../../../src/os/security/label.ts";
import {
  fromLabelJson,
  fromLabelTreeJson,
  toLabelJson,
  toLabelTreeJson,
} from "../../../src/os/security/label-json.ts";
import { type LabelTree, partLabels, wholeLabel } from "../../../src/os/security/labelled.ts";
import { anyLabel, anyReaders, anyTree } from "./any-label.ts";

const text = (label: Label): string => canonicalJson(toLabelJson(label));
const same = (a: Label, b: Label): boolean => text(a) === text(b);
/** Oracle of the order: more sources, fewer readers, more bits. */
function isBelow(a: Label, b: Label): boolean {
  const readers =
    a.readers === "public" || (b.readers !== "public" && b.readers.isSubsetOf(a.readers));
  const bits = [...a.influence].every(([q, n]) => n <= (b.influence.get(q) ?? -1));
  return a.integrity.isSubsetOf(b.integrity) && readers && bits;
}

test("join is a semilattice with bottom as its unit", () => {
  fc.assert(
    fc.property(anyLabel, anyLabel, anyLabel, (a, b, c) => {
      assert.ok(same(join(a, a), a), "idempotent");
      assert.ok(same(join(a, b), join(b, a)), "commutative");
      assert.ok(same(join(join(a, b), c), join(a, join(b, c))), "associative");
      assert.ok(same(join(a, bottom), a) && same(join(bottom, a), a), "unit");
      assert.ok(same(joinAll([a, b, c]), join(a, join(b, c))), "of many");
    }),
  );
});

test("join is the least upper bound, and rises with each side", () => {
  fc.assert(
    fc.property(anyLabel, anyLabel, anyLabel, (a, b, c) => {
      const both = join(a, b);
      assert.ok(isBelow(a, both) && isBelow(b, both), "upper");
      const above = join(both, c);
      assert.ok(isBelow(both, above), "least");
      assert.ok(isBelow(join(a, c), join(join(a, b), c)), "monotone");
      if (isBelow(a, b)) assert.ok(same(both, b), "absorbs");
    }),
  );
});

test("readers meet: who may see both", () => {
  const people = ["me", "ann", "bob", "eve"];
  fc.assert(
    fc.property(anyReaders, anyReaders, (a, b) => {
      const may = (readers: Readers, one: string) => readers === "public" || readers.has(one);
      for (const one of people) {
        assert.equal(may(meet(a, b), one), may(a, one) && may(b, one));
      }
      const all = (audience: Readers) =>
        audience === "public" ? a === "public" : [...audience].every((one) => may(a, one));
      assert.equal(mayRead(a, b), all(b));
      assert.equal(meet(a, b) === "public", a === "public" && b === "public");
    }),
  );
});

test("trust and bits: nothing of others, each question once", () => {
  assert.equal(isTrusted(bottom), true);
  assert.equal(isTrusted(join(labelOf("user"), labelOf("config"))), true);
  for (const source of ["tool:user", "file:config", "agent:a", "model:m", "origin:o"] as const) {
    assert.equal(isTrusted(join(labelOf("user"), labelOf(source))), false, source);
  }
  const bits = (...pairs: [string, number][]): Label => ({ ...bottom, influence: new Map(pairs) });
  assert.equal(influenceBits(join(bits(["a", 1], ["b", 2]), bits(["a", 3]))), 5);
});

test("a container's label is read with each part; the whole is the join of all", () => {
  fc.assert(
    fc.property(anyTree, (tree) => {
      const whole = wholeLabel(tree);
      const keys = tree.parts instanceof Map ? [...tree.parts.keys()] : [0, 1, 2];
      for (const key of [...keys, "absent", "__proto__", -1]) {
        const part = wholeLabel(partLabels(tree, key));
        assert.ok(isBelow(tree.label, part) && isBelow(part, whole));
      }
    }),
  );
});

test("labels come back from JSON as they went, in one text each", () => {
  fc.assert(
    fc.property(anyLabel, anyTree, (label, tree) => {
      assert.deepEqual(fromLabelJson(JSON.parse(text(label))), { ...label });
      const json = canonicalJson(toLabelTreeJson(tree));
      assert.equal(canonicalJson(toLabelTreeJson(fromLabelTreeJson(JSON.parse(json)))), json);
      assert.ok(same(wholeLabel(fromLabelTreeJson(JSON.parse(json))), wholeLabel(tree)));
    }),
  );
  const keyed: LabelTree = {
    label: bottom,
    parts: new Map([["__proto__", { label: labelOf("tool:x") }]]),
  };
  const back = fromLabelTreeJson(JSON.parse(canonicalJson(toLabelTreeJson(keyed))));
  assert.deepEqual(back, keyed);
});

test("what is no label is refused, never guessed", () => {
  const fine = { integrity: ["user"], readers: "public", influence: [] };
  const broken: unknown[] = [
    ...[null, undefined, 1, "user", [], {}, { ...fine, more: 1 }],
    ...["root", "User", "tool:", "tool", "web:x", " user", "user\n", 1].map((source) => {
      return { ...fine, integrity: [source] };
    }),
    ...[
      { ...fine, integrity: "user" },
      { integrity: [], readers: [] },
      { ...fine, readers: "all" },
    ],
    ...[
      { ...fine, readers: [1] },
      { ...fine, readers: { 0: "me" } },
    ],
    ...[["a"], ["a", -1], ["a", "1"], ["a", null], [1, 1], ["a", 1, 2]].map((pair) => {
      return { ...fine, influence: [pair] };
    }),
  ];
  for (const one of broken) {
    assert.throws(() => fromLabelJson(one), /^NutshellError: label: must/, JSON.stringify(one));
    assert.throws(() => fromLabelTreeJson({ label: one }), /label: must/);
  }
  const twice = [
    ["q", 9],
    ["q", 1],
  ];
  assert.throws(() => fromLabelJson({ ...fine, influence: twice }), /each key once/);
  const label = fine;
  const keys = [
    ["a", { label: { ...fine, integrity: ["tool:x"] } }],
    ["a", { label }],
  ];
  assert.throws(() => fromLabelTreeJson({ label, keys }), /each key once/);
  for (const tree of [
    ...[{}, { label, parts: [] }, { label, items: {} }, { label, items: [], keys: [] }],
    ...[
      { label, keys: [["a"]] },
      { label, keys: [[1, { label }]] },
      { label, items: [label] },
    ],
  ]) {
    assert.throws(() => fromLabelTreeJson(tree), /label: must/, JSON.stringify(tree));
  }
  let deep: unknown = { label };
  for (let i = 0; i < 1000; i += 1) deep = { label, items: [deep] };
  assert.throws(() => fromLabelTreeJson(deep), /256 levels/);
});
