/** The cases worked out by hand, one test each; labels of readers, influence and variables. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { parsePlan } from "../../../src/os/plan/parse.ts";
import { runPlan } from "../../../src/os/plan/run.ts";
import { partLabels } from "../../../src/os/security/labelled.ts";
import {
  expressionCases,
  failedExpression,
  failedStatement,
  otherCases,
  statementCases,
} from "./label-cases.ts";

const language = { partLabels, parsePlan, runPlan };

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

for (const [name, check] of Object.entries(otherCases)) test(name, () => check(language));
