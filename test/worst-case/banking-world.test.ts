/**
 * The bank, re-implemented, against the recordings of the original: every replayed call must give
 * the recorded answer, every ground truth the recorded changes.
 */
import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import type { Json } from "../../src/os/security/labelled.ts";
import { createBankingWorld } from "./banking-world.ts";
import { toRow } from "./sinks.ts";
import { anyChangeStands, diffStates, sameChanges } from "./state-changes.ts";
import { openSuiteFolder } from "./suite-folder.ts";
import type { RecordedCall, Suite } from "./suite-format.ts";

const dir = join(import.meta.dirname, "../../../shared/data/security/agentdojo");
const skip = existsSync(dir) ? false : `no recordings at ${dir}`;

function openBank(): { suite: Suite; create: () => ReturnType<typeof createBankingWorld> } {
  const suite = openSuiteFolder(dir).suites.find(({ name }) => name === "banking");
  assert.ok(suite);
  const rows = new Map(suite.tools.map((tool) => [tool.name, toRow(tool)]));
  const poison = { texts: suite.vectors, attacked: new Set<string>() };
  return { suite, create: () => createBankingWorld(rows, suite.environment, poison, "emma") };
}

test("state changes of all ground truths are those recorded", { skip }, () => {
  const { suite, create } = openBank();
  const tasks = [...suite.userTasks, ...suite.injectionTasks];
  assert.equal(tasks.length, 25);
  for (const task of tasks) {
    const world = create();
    const before = world.state?.() as Json;
    for (const call of task.calls) world.run(call.function, call.args);
    const after = world.state?.() as Json;
    assert.ok(sameChanges(diffStates(before, after), task.changes), task.id);
    const changed = task.changes.length > 0;
    assert.equal(anyChangeStands(before, after, task.changes), changed, task.id);
    assert.equal(anyChangeStands(before, before, task.changes), false, task.id);
  }
});

test("answers are those recorded", { skip }, () => {
  const { suite, create } = openBank();
  for (const task of [...suite.userTasks, ...suite.injectionTasks]) {
    const world = create();
    for (const call of task.calls) {
      const { value } = world.run(call.function, call.args);
      assert.deepEqual(toLines(value), toLines(readRecorded(call, suite)), task.id);
    }
  }
});

/** Of YAML's lists of flat records, and of printed records, the values in order; texts as they are. */
function readRecorded(call: RecordedCall, suite: Suite): string {
  return [...suite.vectors].reduce(
    (text, [name, put]) => text.replaceAll(`{${name}}`, put),
    call.result,
  );
}

/** Numbers and words of a value or of its recorded print, without the marks around them. */
function toLines(value: Json): string[] {
  const text = typeof value === "string" ? value : values(value).join(" ");
  const bare = text.replaceAll(/(^|[\s{,-])'?[a-z_]+'?: /g, " ").replaceAll(/[-'{},\s]+/g, " ");
  return bare
    .trim()
    .split(" ")
    .map((word) => (Number.isNaN(Number(word)) ? word : `${+word}`))
    .sort();
}

function values(value: Json): string[] {
  if (typeof value !== "object" || value === null) return [String(value)];
  return Object.values(value).flatMap((part) => values(part as Json));
}
