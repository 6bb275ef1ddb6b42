/** A first few hundred of `npm run verify:flow`'s plans, and that it would see a leak. */
import assert from "node:assert/strict";
import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { parsePlan } from "../../../src/os/plan/parse.ts";
import { runPlan } from "../../../src/os/plan/run.ts";
import { partLabels } from "../../../src/os/security/labelled.ts";
import { renderLines, Writer } from "./generate-plan.ts";
import { listMutants, loadLanguage } from "./mutants.ts";
import { kinds, type Language, runPair } from "./two-worlds.ts";

/** The first plan that tells two worlds apart. */
async function firstViolation(language: Language, plans: number): Promise<string | undefined> {
  for (let seed = 0; seed < plans; seed++) {
    const kind = kinds[seed % kinds.length] as (typeof kinds)[number];
    const text = renderLines(new Writer(seed).plan());
    const { violation } = await runPair(language, text, seed, kind);
    if (violation !== undefined) return `seed ${seed} (${kind}): ${violation}\n${text}`;
  }
  return undefined;
}

test("what an attacker wrote, or what is secret, steers nothing that its labels do not tell", async () => {
  assert.equal(await firstViolation({ partLabels, parsePlan, runPlan }, 250), undefined);
});

test("without the raise of what the untaken arm writes, it would", async () => {
  const mutant = listMutants().find(({ rule }) => rule === "raise of writes dropped");
  assert.ok(mutant !== undefined);
  const dir = mkdtempSync(join(tmpdir(), "nutshell-mutant-"));
  assert.notEqual(await firstViolation(await loadLanguage(dir, mutant), 250), undefined);
});
