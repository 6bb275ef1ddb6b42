/** The cases worked out by hand, one test each; labels of readers, influence and variables. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { type Label, labelOf } from "../../../../src/os/security/label.ts";
import type { PlanHost } from "../../../../src/os/security/plan/host.ts";
import { parsePlan } from "../../../../src/os/security/plan/parse.ts";
import { runPlan } from "../../../../src/os/security/plan/run.ts";
import {
  bare,
  expressionCases,
  failedExpression,
  failedStatement,
  statementCases,
} from "./label-cases.ts";

const language = { parsePlan, runPlan };

test("labels of expressions", async (t) => {
  for (const [text, labels, value] of expressionCases) {
    await t.test(text, async () => {
      assert.equal(await failedExpression(language, text, labels, value), undefined);
    });
  }
});

test("labels of statements", async (t) => {
  for (const one of statementCases) {
    await t.test(one.name, async () => {
      assert.equal(await failedStatement(language, one), undefined);
    });
  }
});

/** Answers every call and question with `value` under `label`. */
const answering = (value: unknown, label: Label): PlanHost => {
  const outcome = { status: "ok", value: { value: value as string, labels: { label } } } as const;
  return { call: async () => outcome, ask: async () => outcome };
};

async function returned(text: string, host: PlanHost): Promise<Label> {
  const result = await runPlan(parsePlan(text), host);
  assert.ok(result.status === "returned");
  return result.value.labels.label;
}

test("what an untrusted source shaped it chose freely, what a question bounds it did not", async () => {
  const web = answering("a", labelOf("tool:web"));
  assert.deepEqual(
    [...(await returned("return await web.get();", web)).influence],
    [["text", Number.POSITIVE_INFINITY]],
  );
  const asks = 'const w = await web.get(); return await q(Enum("a", "b", "c"), "?", w);';
  assert.deepEqual([...(await returned(asks, web)).influence], [["plan/2", 2]]);
  const text = 'const w = await web.get(); return await q(Str(9), "?", w);';
  assert.deepEqual(
    [...(await returned(text, web)).influence],
    [["plan/2", Number.POSITIVE_INFINITY]],
  );
  const own = answering("a", labelOf("config"));
  assert.deepEqual([...(await returned("return await web.get();", own)).influence], []);
});

test("bits of answers add up, each question once", async () => {
  const label = await returned(
    'const a = await q(Bool, "?"); const b = await q(Bool, "?"); return [a, a, b].map(String).join();',
    answering(true, bare),
  );
  assert.deepEqual([...label.influence.keys()], ["plan/1", "plan/2"]);
});

test("readers are those of all that was read, and the literals are the user's", async () => {
  const host: PlanHost = {
    ...answering("", bare),
    call: async (name) => {
      const readers = new Set(name === "a.get" ? ["me", "ann"] : ["me", "bob"]);
      return { status: "ok", value: { value: "x", labels: { label: labelOf("config", readers) } } };
    },
  };
  const label = await returned('return (await a.get()) + "!" + (await b.get());', host);
  assert.deepEqual(label.readers, new Set(["me"]));
  assert.deepEqual(label.integrity, new Set(["config", "user"]));
});

test("inputs come with their labels, variables go with theirs and what decided the end", async () => {
  const plan = parsePlan("let n = 1; const m = secret; if (secret) { return 1; } const o = 2;", {
    inputs: ["secret"],
  });
  const secret = { value: 0, labels: { label: labelOf("config", new Set(["me"])) } };
  const result = await runPlan(
    plan,
    answering(1, bare),
    {},
    { inputs: new Map([["secret", secret]]) },
  );
  assert.ok(result.status === "returned");
  assert.deepEqual([...result.variables.keys()], ["secret", "n", "m", "o"]);
  for (const { labels } of result.variables.values()) {
    assert.deepEqual(labels.label.readers, new Set(["me"]));
  }
});

test("a second part of a plan goes on under the first one's pc", async () => {
  const seen: Label[] = [];
  const host: PlanHost = {
    ...answering(1, labelOf("tool:web")),
    call: async (_, __, pc) => {
      seen.push(pc);
      return { status: "ok", value: { value: 0, labels: { label: labelOf("tool:web") } } };
    },
  };
  const first = await runPlan(parsePlan("if (await web.get()) { return 1; }"), host);
  await runPlan(parsePlan("await web.get();"), host, {}, { pc: first.pc });
  assert.deepEqual(
    seen.map(({ integrity }) => [...integrity]),
    [[], ["tool:web"]],
  );
});
